package store

import (
	"testing"
	"time"

	"github.com/touchline-hq/touchline/store/embedded"
)

func TestNoStatementEndsForTakingLong(t *testing.T) {
	server, err := ServerTarget("clickhouse://touchline@db.example:9000?read_timeout=10s")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []Target{server, EngineTarget("127.0.0.1:9000", embedded.Credentials{}, embedded.Credentials{})} {
		if got := target.options.ReadTimeout; got < 24*time.Hour {
			t.Errorf("an answer must have come within %v", got)
		}
	}
}
