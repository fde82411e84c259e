package instance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"time"
)

// Answer is what the collector says to a batch.
type Answer struct {
	Status int
	Body   string
}

// Acknowledged is the answer to a batch of which every message was taken.
var Acknowledged = Answer{http.StatusOK, `{"success":true}`}

// Send posts messages as one batch. After an error it is not known whether they were taken.
func (in *Installation) Send(ctx context.Context, client *http.Client, writeKey string, messages []map[string]any) (Answer, error) {
	body, err := json.Marshal(map[string]any{
		"batch": messages, "writeKey": writeKey, "sentAt": time.Now().UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+in.Addr+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close() // read to its end
	answer, err := io.ReadAll(response.Body)
	return Answer{response.StatusCode, strings.TrimSpace(string(answer))}, err
}

// Message is a message of which all but the id follows from the id, so that a retry repeats it: one of a thousand
// devices, on one of 90 days.
func Message(id string) map[string]any {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // never fails
	at := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, int(hash.Sum32()%90))
	return map[string]any{
		"type": "track", "event": "Tested", "messageId": id,
		"anonymousId": fmt.Sprintf("device %d", hash.Sum32()%1000),
		"timestamp":   at.Format(time.RFC3339),
	}
}
