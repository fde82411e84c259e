package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// sqlCommand answers a question in SQL as the read-only analyst.
type sqlCommand struct {
	Query  string `arg:"" help:"SELECT statement, in database touchline."`
	Format format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

func (c *sqlCommand) Run(ctx context.Context, g *globals) error {
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	analyst, err := in.db.Analyst(ctx)
	if err != nil {
		return err
	}
	defer analyst.Close()
	rows, err := analyst.Query(ctx, c.Query)
	if err != nil {
		return err
	}
	defer rows.Close()
	t, err := readTable(rows)
	if err != nil {
		return err
	}
	return t.write(os.Stdout, c.Format)
}

func readTable(rows driver.Rows) (*table, error) {
	t := &table{header: rows.Columns()}
	types := rows.ColumnTypes()
	for rows.Next() {
		values := make([]any, len(types))
		for i, ct := range types {
			values[i] = reflect.New(ct.ScanType()).Interface()
		}
		if err := rows.Scan(values...); err != nil {
			return nil, err
		}
		row := make([]cell, len(values))
		for i, v := range values {
			row[i] = sqlCell(reflect.ValueOf(v).Elem().Interface(), types[i].DatabaseTypeName())
		}
		t.rows = append(t.rows, row)
	}
	return t, rows.Err()
}

// sqlCell writes times like ClickHouse does, numbers as they are, strings bare, and everything else as JSON.
func sqlCell(v any, databaseType string) cell {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return cell{"", nil}
		}
		return sqlCell(r.Elem().Interface(), databaseType)
	}
	switch x := v.(type) {
	case string:
		return text(x)
	case bool:
		return cell{fmt.Sprint(x), x}
	case time.Time:
		return text(timeText(x, databaseType))
	case []uint8: // Array(UInt8); as bytes it would become base64
		numbers := make([]int, len(x))
		for i, b := range x {
			numbers[i] = int(b)
		}
		return jsonCell(numbers)
	case fmt.Stringer: // decimals, big integers, UUIDs, addresses
		return numberOrText(x.String())
	}
	switch r.Kind() {
	case reflect.Map, reflect.Slice, reflect.Struct, reflect.Array:
		return jsonCell(v)
	default:
		return numberOrText(fmt.Sprint(v))
	}
}

func jsonCell(v any) cell {
	b, err := json.Marshal(v)
	if err != nil {
		return text(fmt.Sprint(v))
	}
	return cell{string(b), json.RawMessage(b)}
}

func numberOrText(s string) cell {
	if json.Valid([]byte(s)) {
		return cell{s, json.Number(s)}
	}
	return text(s) // NaN, Inf, identifiers
}

func timeText(t time.Time, databaseType string) string {
	switch {
	case strings.Contains(databaseType, "DateTime64"):
		return t.Format("2006-01-02 15:04:05.000")
	case strings.Contains(databaseType, "DateTime"):
		return t.Format(time.DateTime)
	default:
		return t.Format(time.DateOnly)
	}
}
