package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/touchline-hq/touchline/bench/instance"
)

// post sends a body and expects a status.
func post(t *testing.T, in *instance.Installation, path, body string, status int, header ...string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+in.Addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode != status {
		t.Fatalf("%s: %d %s", path, response.StatusCode, answer)
	}
}

// listRejected returns reason and message id of what is refused still.
func listRejected(t *testing.T, in *instance.Installation, args ...string) (list []string) {
	t.Helper()
	out := output(t, in, append([]string{"rejected", "--project", "shop", "--format", "csv"}, args...)...)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		list = append(list, row[1]+" "+row[2]+" "+row[3])
	}
	return list
}

func TestRejectedIsListedReplayedAndAccountedFor(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	up := in.Up(t)
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	constrain(t, in)

	up = in.Up(t)
	sendMessages(t, in, []map[string]any{instance.Message("fine"), poisoned("poison 1"), poisoned("poison 2")})
	post(t, in, "/v1/batch", `{"writeKey":"wk_shop","batch":[{"type":"page","messageId":"good"},{"type":"track","messageId":"nameless"},5]}`, http.StatusOK)
	post(t, in, "/v1/batch", "{", http.StatusBadRequest, "Authorization", "Basic d2tfc2hvcDo=")
	post(t, in, "/v1/batch", "{", http.StatusBadRequest) // whose it is nobody knows
	const rejected = `1 invalid event
+ rejected 1 invalid message
+ rejected 1 malformed`
	instance.Eventually(t, "everything is in the books", func() error {
		return examined(t, in, 0, fmt.Sprintf(ledgerForm, 7, 7, 0, 2, 0, "2 VIOLATED_CONSTRAINT\n+ rejected "+rejected, 0, 0))
	})
	stdout, _, _ := in.Run(t, "doctor")
	if want := "note   rejected        5 events of project shop in the last day (2 VIOLATED_CONSTRAINT, 1 invalid event, 1 invalid message, 1 malformed): see touchline rejected --project shop"; !strings.Contains(stdout, want) {
		t.Errorf("doctor does not say %q:\n%s", want, stdout)
	}
	refused := []string{"collector malformed ", "collector invalid message ", "collector invalid event nameless",
		"database VIOLATED_CONSTRAINT poison 1", "database VIOLATED_CONSTRAINT poison 2"}
	sameSet(t, listRejected(t, in), refused)
	sameSet(t, listRejected(t, in, "--reason", "malformed"), refused[:1])
	sameSet(t, listRejected(t, in, "--since", "1h", "--limit", "100"), refused)
	if n := len(listRejected(t, in, "--limit", "2")); n != 2 {
		t.Errorf("%d listed", n)
	}
	for _, wrong := range [][]string{{"--since", "never"}, {"--limit", "0"}, {"--project", "none"}} {
		_, stderr, code := in.Run(t, append([]string{"rejected", "--project", "shop"}, wrong...)...)
		if code != exitUsage || !strings.Contains(stderr, strings.TrimPrefix(wrong[0], "--")) {
			t.Errorf("%v: %d %s", wrong, code, stderr)
		}
	}
	again := output(t, in, "rejected", "replay", "--project", "shop")
	if want := "replayed 0 refused again 3 2 VIOLATED_CONSTRAINT 1 invalid event not kept 2"; strings.Join(strings.Fields(again), " ") != want {
		t.Errorf("replay says %s", again)
	}

	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	relax(t, in)
	replayed := output(t, in, "rejected", "replay", "--project", "shop", "--reason", "VIOLATED_CONSTRAINT") // by a stopped instance
	if want := "replayed 2 2 VIOLATED_CONSTRAINT refused again 0 not kept 0"; strings.Join(strings.Fields(replayed), " ") != want {
		t.Errorf("replay says %s", replayed)
	}
	wantExamined(t, in, 0, fmt.Sprintf(ledgerForm, 7, 7, 0, 4, 0, rejected, 0, 0))
	in.Up(t)
	replayed = output(t, in, "rejected", "replay", "--project", "shop") // by a running one
	if want := "replayed 0 refused again 1 1 invalid event not kept 2"; strings.Join(strings.Fields(replayed), " ") != want {
		t.Errorf("replay says %s", replayed)
	}
	wantExamined(t, in, 0, fmt.Sprintf(ledgerForm, 7, 7, 0, 4, 0, rejected, 0, 0))
	sameSet(t, listRejected(t, in), refused[:3])
	stdout, _, _ = in.Run(t, "doctor")
	if want := "3 events of project shop in the last day (1 invalid event, 1 invalid message, 1 malformed)"; !strings.Contains(stdout, want) {
		t.Errorf("doctor does not say %q:\n%s", want, stdout)
	}
	if err := stored(t, in, "events", []string{"fine", "good", "poison 1", "poison 2"}); err != nil {
		t.Error(err)
	}
	// A client that comes with it once more adds a duplicate.
	sendMessages(t, in, []map[string]any{poisoned("poison 1")})
	instance.Eventually(t, "it is in the books", func() error {
		return examined(t, in, 0, fmt.Sprintf(ledgerForm, 8, 8, 0, 4, 1, rejected, 0, 0))
	})
}

func sameSet(t *testing.T, got, want []string) {
	t.Helper()
	seen := make(map[string]int)
	for _, s := range got {
		seen[s]++
	}
	for _, s := range want {
		seen[s]--
	}
	for s, n := range seen {
		if n != 0 {
			t.Errorf("%q: %+d in %.1000q", s, n, got)
		}
	}
}

func poisoned(id string) map[string]any {
	message := instance.Message(id)
	message["event"] = "poison"
	return message
}

// A flood of refused messages is accounted for to the last one, though its number is all that is kept of it.
func TestAFloodOfRefusedMessagesIsInTheBooks(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	in.Up(t)
	body := `{"writeKey":"wk_shop","batch":[` + strings.Repeat(`{"type":"track"},`, 4999) + `{"type":"page"}]}`
	for range 6 {
		post(t, in, "/v1/batch", body, http.StatusOK)
	}
	instance.Eventually(t, "everything is in the books", func() error {
		return examined(t, in, 0, fmt.Sprintf(ledgerForm, 6*5000, 6*5000, 0, 1, 5, fmt.Sprintf("%d invalid event", 6*4999), 0, 0))
	})
	if listed := listRejected(t, in, "--limit", "100000"); len(listed) == 0 || len(listed) > 4*4999 {
		t.Errorf("%d listed", len(listed))
	}
}

func TestRejectedTableDoesNotSteerATerminal(t *testing.T) {
	if got := printable("a\x1b[2Jb\u202ec é"); got != "a\uFFFD[2Jb\uFFFDc é" {
		t.Errorf("%q", got)
	}
	var b bytes.Buffer
	if err := rejectedTable(nil, false).write(&b, formatTable); err != nil || !strings.HasPrefix(b.String(), "received_at") {
		t.Errorf("%q, %v", b.String(), err)
	}
}
