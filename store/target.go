package store

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/touchline-hq/touchline/store/embedded"
)

// Database is where the tables are, on every server.
const Database = "touchline"

// ch-go's own limits of one and three seconds are too short for a busy server. An answer to an insert comes as one
// packet when all is written.
const (
	dialTimeout = 10 * time.Second
	readTimeout = 5 * time.Minute
)

// Target says where ClickHouse is and who we are there.
type Target struct {
	options clickhouse.Options
	analyst clickhouse.Options
}

// ServerTarget is a server that is there already, named by clickhouse://user:password@host:9000.
func ServerTarget(dsn string) (Target, error) {
	switch scheme, _, _ := strings.Cut(dsn, "://"); scheme {
	case "clickhouse", "tcp":
	default:
		return Target{}, errors.New("clickhouse.dsn: must be clickhouse://user:password@host:9000 (the native protocol, not HTTP)")
	}
	parsed, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		var inURL *url.Error // repeats the whole of it
		if errors.As(err, &inURL) {
			err = inURL.Err
		}
		return Target{}, fmt.Errorf("clickhouse.dsn: %w", err)
	}
	options := *parsed
	port := "9000"
	if options.TLS != nil {
		port = "9440"
	}
	for i, addr := range options.Addr {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			options.Addr[i] = net.JoinHostPort(strings.Trim(addr, "[]"), port)
		}
	}
	if named := options.Auth.Database; named != "" && named != Database {
		return Target{}, fmt.Errorf("clickhouse.dsn: names database %q, but the tables are in %q: leave it out", named, Database)
	}
	options.Auth.Database = Database
	if options.Compression == nil {
		options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	// The server's administrator made one user for us: reading only is the session's promise then. 1, not 2, because
	// that user may create temporary tables, and with 2 so may whoever reads by it.
	analyst := with(options, "readonly", 1)
	return Target{options: product(options), analyst: analyst}, nil
}

// EngineTarget is an embedded engine, ours or that of a running instance.
func EngineTarget(addr string, us, analyst embedded.Credentials) Target {
	options := func(user embedded.Credentials) clickhouse.Options {
		return clickhouse.Options{
			Addr: []string{addr},
			Auth: clickhouse.Auth{Database: Database, Username: user.User, Password: user.Password},
		}
	}
	return Target{options: product(options(us)), analyst: options(analyst)}
}

// native is one server of the target for ch-go, which the insert path uses.
func (t Target) native(addr string) ch.Options {
	options := ch.Options{
		Address:     addr,
		Database:    t.options.Auth.Database,
		User:        t.options.Auth.Username,
		Password:    t.options.Auth.Password,
		TLS:         t.options.TLS,
		DialTimeout: dialTimeout,
		ReadTimeout: readTimeout,
	}
	if t.options.Compression != nil {
		options.Compression = ch.CompressionLZ4
	}
	return options
}

// longestStatement is until when a statement's whole answer must have come: what clickhouse-go calls a read timeout is a
// deadline, of five minutes unless it is set. The lock on attribution is a query that runs as long as what it guards.
const longestStatement = 30 * 24 * time.Hour

// product are the options of the product's own sessions. Compiling a statement takes longer than running it does, and an
// update's are never the same: they name the run. To merge what is inserted at once costs wide tables three times as much
// as the insert, and readers see rows merged anyway.
func product(options clickhouse.Options) clickhouse.Options {
	options.ReadTimeout = longestStatement
	for _, name := range []string{
		"async_insert", "optimize_on_insert", "compile_expressions", "compile_aggregate_expressions", "compile_sort_description",
	} {
		options = with(options, name, 0)
	}
	return options
}

// with is a copy of options with one more setting.
func with(options clickhouse.Options, name string, value any) clickhouse.Options {
	settings := clickhouse.Settings{name: value}
	for n, v := range options.Settings {
		settings[n] = v
	}
	options.Settings = settings
	return options
}
