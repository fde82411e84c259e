package store_test

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
)

// run executes a statement.
func run(t *testing.T, db *store.DB, statement string, parameters ...any) {
	t.Helper()
	if err := db.Conn().Exec(t.Context(), statement, parameters...); err != nil {
		t.Fatal(err)
	}
}

// column is the answer to a query of one column.
func column[T any](t tester, db *store.DB, query string, parameters ...any) []T {
	t.Helper()
	rows, err := db.Conn().Query(t.Context(), query, parameters...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var values []T
	for rows.Next() {
		var value T
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

// filled is an event of the project in which every field differs from zero, and from that of another n.
func filled(t *testing.T, project string, n int) event.Event {
	t.Helper()
	var e event.Event
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Name
		number := int64(1000*n + i + 1)
		switch field.Kind() {
		case reflect.String:
			field.SetString(fmt.Sprintf("%s %d 'quoted' \"twice\" \\ tab\t line\n nul\x00 ü 🎉 \xff", name, n))
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int64:
			field.SetInt(1_700_000_000_000 + number)
		case reflect.Int32:
			field.SetInt(19_000 + int64(n))
		case reflect.Uint32, reflect.Uint64:
			field.SetUint(^uint64(0)>>(64-field.Type().Bits()) - uint64(number))
		default:
			t.Fatalf("field %s has kind %s, which this test does not fill", name, field.Kind())
		}
	}
	e.Project = project
	return e
}

var wordStart = regexp.MustCompile(`[a-z][A-Z]|[A-Z][A-Z][a-z]`)

// expressions select the fields of an event, in their order, from the columns that are named like them.
func expressions() string {
	var list []string
	fields := reflect.TypeFor[event.Event]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		column := strings.ToLower(wordStart.ReplaceAllStringFunc(name, func(s string) string { return s[:1] + "_" + s[1:] }))
		switch {
		case name == "Name":
			column = "event"
		case name == "Value":
			column = "reinterpretAsInt64(value)"
		case fields.Field(i).Type.Kind() == reflect.Int64:
			column = "toUnixTimestamp64Milli(" + column + ")"
		case fields.Field(i).Type.Kind() == reflect.Int32:
			column = "toInt32(" + column + ")"
		}
		list = append(list, column)
	}
	return strings.Join(list, ", ")
}

// stored is what the view shows of a project.
func stored(t *testing.T, db *store.DB, project string) []event.Event {
	t.Helper()
	rows, err := db.Conn().Query(t.Context(), "SELECT "+expressions()+" FROM events WHERE project = {project:String} ORDER BY message_id",
		clickhouse.Named("project", project))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var events []event.Event
	for rows.Next() {
		var e event.Event
		v := reflect.ValueOf(&e).Elem()
		targets := make([]any, v.NumField())
		for i := range targets {
			targets[i] = v.Field(i).Addr().Interface()
			if v.Field(i).Kind() == reflect.String { // of a type of its own, perhaps
				targets[i] = v.Field(i).Addr().Convert(reflect.TypeFor[*string]()).Interface()
			}
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

func wantStored(t *testing.T, db *store.DB, project string, want ...event.Event) {
	t.Helper()
	got := stored(t, db, project)
	if len(got) != len(want) {
		t.Fatalf("%d events of %q, want %d", len(got), project, len(want))
	}
	for i := range want {
		g, w := reflect.ValueOf(got[i]), reflect.ValueOf(want[i])
		for f := range w.NumField() {
			if !g.Field(f).Equal(w.Field(f)) {
				t.Errorf("event %d: %s is %#v, want %#v", i, w.Type().Field(f).Name, g.Field(f), w.Field(f))
			}
		}
	}
}

// insert stores events by an inserter of their own.
func insert(t tester, db *store.DB, events ...event.Event) {
	t.Helper()
	in := db.NewInserter()
	defer in.Close()
	if err := in.Insert(t.Context(), rand.Text(), event.Records(events)); err != nil {
		t.Fatal(err)
	}
}
