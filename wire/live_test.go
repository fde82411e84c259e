package wire

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/event"
)

// row is a row of table events, as far as it is the same whenever and wherever the clients run.
type row struct {
	MessageID     string  `json:"message_id"`
	Timestamp     string  `json:"timestamp"`
	Type          string  `json:"type"`
	Event         string  `json:"event"`
	AnonymousID   string  `json:"anonymous_id"`
	UserID        string  `json:"user_id"`
	AccountID     string  `json:"account_id"`
	PreviousID    string  `json:"previous_id"`
	URL           string  `json:"url"`
	Host          string  `json:"host"`
	Path          string  `json:"path"`
	Title         string  `json:"title"`
	Referrer      string  `json:"referrer"`
	Source        string  `json:"source"`
	Medium        string  `json:"medium"`
	Campaign      string  `json:"campaign"`
	Term          string  `json:"term"`
	Content       string  `json:"content"`
	ClickID       string  `json:"click_id"`
	ClickIDType   string  `json:"click_id_type"`
	Channel       string  `json:"channel"`
	ChannelReason string  `json:"channel_reason"`
	Browser       string  `json:"browser"`
	OS            string  `json:"os"`
	Device        string  `json:"device"`
	Language      string  `json:"language"`
	Timezone      string  `json:"timezone"`
	Screen        string  `json:"screen"`
	Value         float64 `json:"value"`
	Currency      string  `json:"currency"`
	OrderID       string  `json:"order_id"`
	Properties    string  `json:"properties"`
	Traits        string  `json:"traits"`
	Consent       string  `json:"consent"`
	Library       string  `json:"library"`
	Origin        string  `json:"origin"`
}

func rowOf(e *event.Event) row {
	return row{
		e.MessageID, time.UnixMilli(e.Timestamp).UTC().Format("2006-01-02 15:04:05.000"), string(e.Type), e.Name,
		e.AnonymousID, e.UserID, e.AccountID, e.PreviousID, e.URL, e.Host, e.Path, e.Title, e.Referrer,
		e.Source, e.Medium, e.Campaign, e.Term, e.Content, e.ClickID, e.ClickIDType, e.Channel, e.ChannelReason,
		e.Browser, e.OS, e.Device, e.Language, e.Timezone, e.Screen, float64(e.Value) / 1e6, e.Currency, e.OrderID,
		e.Properties, e.Traits, e.Consent, e.Library, string(e.Origin),
	}
}

// settle blanks what the client makes up anew in each run: the message ids of browsers, and both id and time of the event
// that leaves them to the client.
func (r *row) settle() {
	if r.Event == "Left to the client" {
		r.MessageID, r.Timestamp = "", ""
	}
	if strings.HasPrefix(r.MessageID, "ajs-next-") {
		r.MessageID = ""
	}
}

// The query that reads rows.
var selectRows = func() string {
	var columns []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[row]()) {
		columns = append(columns, field.Tag.Get("json"))
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM events WHERE project = '%s' ORDER BY timestamp"
}()

// Unmodified clients send to a running collector, and each of their events is stored once, as the recordings say.
func TestRunningCollector(t *testing.T) {
	var settings strings.Builder
	settings.WriteString("projects:\n")
	for _, c := range clients {
		fmt.Fprintf(&settings, "  - { id: %s, write_keys: [%s], origins: [\"http://shop.example\"], privacy: { mode: full } }\n", c.name, c.key())
	}
	in := instance.New(t, instance.Build(t), settings.String())
	in.Up(t)
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) { c.deliver(t, in) })
	}
	t.Run("any content type", func(t *testing.T) { anyContentType(t, in) })
}

func (c client) deliver(t *testing.T, in *instance.Installation) {
	t.Helper()
	want := c.rows(t)
	c.run(t, "http://"+in.Addr)
	var got []row
	instance.Eventually(t, "all events are stored", func() error {
		if got = query[row](t, in, fmt.Sprintf(selectRows, c.name)); len(got) < len(want) {
			return fmt.Errorf("%d of %d are", len(got), len(want))
		}
		return nil
	})
	for i := range got {
		if got[i].settle(); i >= len(want) || got[i] != want[i] {
			t.Errorf("event %d:\ngot  %+v\nwant %+v", i, got[i], want[min(i, len(want)-1)])
		}
	}
	type count struct{ Rows, Messages int }
	counted := query[count](t, in, "SELECT count() AS Rows, uniqExact(message_id) AS Messages FROM events_raw WHERE project = '"+c.name+"'")
	if counted[0] != (count{len(want), len(want)}) {
		t.Errorf("%+v; want %d of each", counted[0], len(want))
	}
}

// A body is read as it is, whatever it claims to be, with its length announced or not.
func anyContentType(t *testing.T, in *instance.Installation) {
	t.Helper()
	body := `{"writeKey":"` + clients[0].key() + `","userId":"u","event":"E"}`
	for _, contentType := range []string{"", "application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		for _, reader := range []io.Reader{strings.NewReader(body), io.MultiReader(strings.NewReader(body))} { // a MultiReader is chunked
			response, err := http.Post("http://"+in.Addr+"/v1/track", contentType, reader)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(response.Body)
			_ = response.Body.Close() // read to its end
			if err != nil || response.StatusCode != http.StatusOK || string(answer) != `{"success":true}` {
				t.Errorf("%q: %d %s, %v", contentType, response.StatusCode, answer, err)
			}
		}
	}
}

// rows are those that the client's recording becomes, in the order of selectRows: of a message that came twice, the first.
func (c client) rows(t *testing.T) []row {
	t.Helper()
	var events []event.Event
	for _, o := range decodeFile[[]outcome[event.Event]](t, c.golden()) {
		for _, e := range o.Events {
			if !slices.ContainsFunc(events, func(seen event.Event) bool { return seen.MessageID == e.MessageID }) {
				events = append(events, e)
			}
		}
	}
	slices.SortFunc(events, func(a, b event.Event) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	rows := make([]row, len(events))
	for i := range events {
		rows[i] = rowOf(&events[i])
		rows[i].settle()
	}
	return rows
}

func query[T any](t *testing.T, in *instance.Installation, statement string) []T {
	t.Helper()
	stdout, stderr, code := in.Run(t, "sql", "--format", "json", statement)
	if code != 0 {
		t.Fatal(errors.New(stderr))
	}
	var rows []T
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return rows
}
