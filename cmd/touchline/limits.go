package main

import (
	"fmt"
	"log/slog"
	"math"
	"syscall"
	"time"

	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/handler"
)

// limitsConfig is collector.limits. What is empty or 0 has its default.
type limitsConfig struct {
	Event            string      `yaml:"event"`
	Batch            string      `yaml:"batch"`
	Messages         wholeNumber `yaml:"messages"`
	Header           string      `yaml:"header"`
	Connections      wholeNumber `yaml:"connections"`
	ConnectionsPerIP wholeNumber `yaml:"connections_per_ip"`
	ReadTimeout      string      `yaml:"read_timeout"`
	WriteTimeout     string      `yaml:"write_timeout"`
	IdleTimeout      string      `yaml:"idle_timeout"`
}

// limits are the bounds of requests and connections.
type limits struct {
	event, batch int // bytes, decompressed
	messages     int // of a batch
	body         int // bytes as they arrive
	header       int // bytes

	connections, connectionsPerIP int // at once; per IP 0: no bound

	read  time.Duration // for a request to arrive
	write time.Duration // for a client to take the answer
	idle  time.Duration // between requests
}

const (
	defaultHeader      = 16 << 10
	defaultConnections = 5000
	defaultArrival     = 15 * time.Second
	defaultIdle        = 75 * time.Second
	leastBody          = 1 << 20
)

// complete checks the settings and fills in the defaults.
func (c *limitsConfig) complete() (l limits, err error) {
	check := func(key string, problem error) {
		if err == nil && problem != nil {
			err = &configError{"collector.limits." + key, problem.Error()}
		}
	}
	size := func(key, text string, unset, least, most int) int {
		n, problem := sizeWithin(text, unset, least, most)
		check(key, problem)
		return n
	}
	number := func(key string, n wholeNumber, unset, most int) int {
		if n < 0 || int(n) > most {
			check(key, fmt.Errorf("is %d; want at most %d, or 0 for the default", n, most))
		}
		if n == 0 {
			return unset
		}
		return int(n)
	}
	pause := func(key, text string, unset time.Duration) time.Duration {
		d, problem := timeWithin(text, unset)
		check(key, problem)
		return d
	}
	l.event = size("event", c.Event, handler.DefaultMaxEvent, 1<<10, 16<<20)
	l.batch = size("batch", c.Batch, max(handler.DefaultMaxBatch, l.event), l.event, 64<<20)
	l.messages = number("messages", c.Messages, decode.DefaultMaxMessages, 100_000)
	l.header = size("header", c.Header, defaultHeader, 4<<10, 1<<20)
	l.connections = number("connections", c.Connections, defaultConnections, math.MaxInt32)
	l.connectionsPerIP = number("connections_per_ip", c.ConnectionsPerIP, 0, math.MaxInt32)
	l.read = pause("read_timeout", c.ReadTimeout, defaultArrival)
	l.write = pause("write_timeout", c.WriteTimeout, defaultArrival)
	l.idle = pause("idle_timeout", c.IdleTimeout, defaultIdle)
	// A batch that is a little too large is told so by its own limit, after it was read.
	l.body = max(leastBody, 2*l.batch)
	return l, err
}

func sizeWithin(text string, unset, least, most int) (int, error) {
	n, err := parseSize(text, int64(unset))
	if err != nil {
		return 0, err
	}
	if n < int64(least) || n > int64(most) {
		return 0, fmt.Errorf("is %q; want a size between %d and %d bytes", text, least, most)
	}
	return int(n), nil
}

func timeWithin(text string, unset time.Duration) (time.Duration, error) {
	const most = time.Hour
	if text == "" {
		return unset, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Millisecond || d > most {
		return 0, fmt.Errorf("is %q; want a duration like 15s, at most 1h", text)
	}
	return d, nil
}

// decoder has the limits of the configuration, for what comes in and for what is replayed.
func (l *limits) decoder() *decode.Decoder {
	return &decode.Decoder{MaxEvent: l.event, MaxMessages: l.messages}
}

// spareFiles are the file descriptors that are not for clients: spool, database, metrics.
const spareFiles = 256

// withinFiles returns the connections that the process may have open, which are fewer than configured when the system
// lets it have fewer files.
func (l *limits) withinFiles(log *slog.Logger) int {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil {
		return l.connections
	}
	room := int(min(files.Cur, math.MaxInt32)) - spareFiles
	if room >= l.connections {
		return l.connections
	}
	room = max(room, 1)
	log.Warn("the system lets this process open fewer files than it may have connections; raise the limit (ulimit -n)",
		"files", files.Cur, "collector.limits.connections", l.connections, "connections", room)
	return room
}

// rateConfig is projects[].rate_limit.
type rateConfig struct {
	Events wholeNumber `yaml:"events"`
	Burst  wholeNumber `yaml:"burst"`
}

const maxRate = 1_000_000_000

// complete checks the settings; a burst that is not set is what comes in a second.
func (r *rateConfig) complete(path string) error {
	for _, setting := range [...]struct {
		key string
		n   wholeNumber
	}{{"events", r.Events}, {"burst", r.Burst}} {
		if setting.n < 0 || setting.n > maxRate {
			return &configError{path + ".rate_limit." + setting.key, fmt.Sprintf("is %d; want at most %d, or 0 for none", setting.n, maxRate)}
		}
	}
	if r.Events == 0 && r.Burst > 0 {
		return &configError{path + ".rate_limit.events", "is missing; a burst alone is no limit"}
	}
	if r.Burst == 0 {
		r.Burst = r.Events
	}
	return nil
}
