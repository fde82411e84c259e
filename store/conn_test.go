package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/embedded"
	"github.com/touchline-hq/touchline/store/storetest"
)

func serverTarget(t *testing.T, dsn string) store.Target {
	t.Helper()
	target, err := store.ServerTarget(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// engineDSN reaches the test's engine as if it were a server.
func engineDSN(t *testing.T) string {
	t.Helper()
	engine := storetest.Engine(t)
	return fmt.Sprintf("clickhouse://%s:%s@%s", engine.Product().User, engine.Product().Password, engine.Addr())
}

func TestServerTargetRefuses(t *testing.T) {
	const form = "clickhouse.dsn: must be clickhouse://user:password@host:9000 (the native protocol, not HTTP)"
	for dsn, want := range map[string]string{
		"":                              form,
		"localhost:9000":                form,
		"http://localhost:8123":         form,
		"clickhouse://":                 "clickhouse.dsn: parse dsn address failed",
		"clickhouse://h?dial_timeout=x": `clickhouse.dsn: clickhouse [dsn parse]: dial timeout: time: invalid duration "x"`,
		"clickhouse://h/default":        `clickhouse.dsn: names database "default", but the tables are in "touchline": leave it out`,
	} {
		if _, err := store.ServerTarget(dsn); err == nil || err.Error() != want {
			t.Errorf("ServerTarget(%q): %v, want %q", dsn, err, want)
		}
	}
	if _, err := store.ServerTarget("clickhouse://u:geheim%zz@h"); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("error %v, want one without the password", err)
	}
}

func TestOpenByDSN(t *testing.T) {
	for _, suffix := range []string{"", "/touchline", "?compress=lz4"} {
		db, err := store.Open(t.Context(), serverTarget(t, engineDSN(t)+suffix))
		if err != nil {
			t.Fatal(err)
		}
		var database, async string
		if err := db.Conn().QueryRow(t.Context(), "SELECT currentDatabase(), toString(getSetting('async_insert'))").Scan(&database, &async); err != nil {
			t.Error(err)
		}
		if database != "touchline" || async != "0" && async != "false" {
			t.Errorf("%s: database %s, async_insert %s", suffix, database, async)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What waiting cannot mend is said at once, in one line, and without the password.
func TestOpenFailsAtOnce(t *testing.T) {
	addr := storetest.Engine(t).Addr()
	web := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	for _, test := range []struct{ dsn, want string }{
		{"clickhouse://touchline:geheim@" + addr, "clickhouse at " + addr + `: wrong password, or no user "touchline"`},
		{"clickhouse://nobody:geheim@" + addr, "clickhouse at " + addr + `: wrong password, or no user "nobody"`},
		{"clickhouse://touchline:geheim@host.invalid:9000", "clickhouse: unknown host host.invalid"},
		{"clickhouse://touchline:geheim@" + web, "clickhouse at " + web + ": does not speak the native protocol: is that its port, usually 9000 or 9440?"},
	} {
		db, err := store.Open(t.Context(), serverTarget(t, test.dsn))
		if err == nil {
			_ = db.Close()
		}
		if err == nil || err.Error() != test.want {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}

func TestOpenWaitsForAServer(t *testing.T) {
	reserved, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := reserved.Addr().String()
	if err := reserved.Close(); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = store.Open(ctx, serverTarget(t, "clickhouse://"+addr))
	want := "clickhouse at " + addr + " does not answer: "
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("nobody there: %v, want one line that begins with %q", err, want)
	}

	opened := make(chan error, 1)
	engine := storetest.Engine(t)
	go func() {
		db, err := store.Open(t.Context(), store.EngineTarget(addr, engine.Product(), engine.Analyst()))
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	forward(t, addr, engine.Addr())
	if err := <-opened; err != nil {
		t.Errorf("once the server is there: %v", err)
	}
}

// listen serves each connection with f and returns the address.
func listen(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	return listenOn(t, "127.0.0.1:0", f)
}

func listenOn(t *testing.T, addr string, f func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				f(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func forward(t *testing.T, from, to string) {
	t.Helper()
	listenOn(t, from, func(conn net.Conn) {
		server, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		go func() { _, _ = io.Copy(server, conn) }()
		_, _ = io.Copy(conn, server)
	})
}

// analysts are the two ways to be one.
func analysts(t *testing.T) map[string]driver.Conn {
	t.Helper()
	engine := storetest.Engine(t)
	conns := map[string]driver.Conn{}
	for name, target := range map[string]store.Target{
		"engine": store.EngineTarget(engine.Addr(), engine.Product(), engine.Analyst()),
		"server": serverTarget(t, engineDSN(t)),
	} {
		db, err := store.Open(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		conn, err := db.Analyst(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conns[name] = conn
	}
	return conns
}

func sharedTable(t *testing.T) *store.DB {
	t.Helper()
	db := storetest.Open(t)
	for _, statement := range []string{
		"CREATE OR REPLACE TABLE readable (n UInt64) ENGINE = MergeTree ORDER BY n",
		"INSERT INTO readable SELECT number FROM numbers(10)",
	} {
		if err := db.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := db.Conn().Exec(context.Background(), "DROP TABLE readable"); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestAnalystReads(t *testing.T) {
	sharedTable(t)
	for name, conn := range analysts(t) {
		for query, want := range map[string]string{
			"SELECT toString(sum(n)) FROM readable":                                               "45",
			"SELECT toString(count()) FROM touchline.readable WHERE n IN (1, 2)":                  "2",
			"SELECT toString(sum(number)) FROM numbers(5)":                                        "10",
			"SELECT name FROM system.columns WHERE database = 'touchline' AND table = 'readable'": "n",
		} {
			var got string
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // which sets max_execution_time
			err := conn.QueryRow(ctx, query).Scan(&got)
			cancel()
			if err != nil || got != want {
				t.Errorf("%s: %s: %q, %v, want %q", name, query, got, err, want)
			}
		}
	}
}

func TestEngineAnalystSetsFormats(t *testing.T) {
	conn := analysts(t)["engine"]
	var got string
	query := "SELECT formatRow('CSV', true) SETTINGS bool_true_representation = 'yes', max_execution_time = 100"
	if err := conn.QueryRow(t.Context(), query).Scan(&got); err != nil || got != "yes\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAnalystIsRefused(t *testing.T) {
	db := sharedTable(t)
	password := storetest.Engine(t).Product().Password
	for name, conn := range analysts(t) {
		for _, statement := range []string{
			"INSERT INTO readable VALUES (99)",
			"INSERT INTO readable SELECT 99",
			"CREATE TABLE touchline.other (n UInt8) ENGINE = Memory",
			"CREATE TEMPORARY TABLE other (n UInt8)",
			"CREATE DATABASE other",
			"CREATE FUNCTION other AS x -> x",
			"DROP TABLE readable",
			"DROP FUNCTION file",
			"TRUNCATE TABLE readable",
			"ALTER TABLE readable DELETE WHERE true",
			"OPTIMIZE TABLE readable",
			"RENAME TABLE readable TO other",
			"GRANT ALL ON *.* TO analyst",
			"SYSTEM FLUSH LOGS",
			"SYSTEM STOP LISTEN TCP",
			"SET readonly = 0",
			"SELECT 1 SETTINGS readonly = 0",
			"SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'n UInt8')",
			"SELECT * FROM file('/etc/hostname', 'LineAsString')",
			"INSERT INTO FUNCTION file('/tmp/touchline-analyst', 'CSV', 'n UInt8') VALUES (1)",
			"SELECT * FROM remote('" + storetest.Engine(t).Addr() + "', 'touchline.readable', 'touchline', '" + password + "')",
			"SELECT * FROM executable('id', 'CSV', 'a String')",
			"SELECT file('/etc/hostname')",
			"SELECT file('/etc/hostname', NULL)",
			"SELECT `file`('/etc/hostname')",
			"SELECT arrayMap(file, ['/etc/hostname'])",
			"SELECT arrayMap(x -> file(x), ['/etc/hostname'])",
			"SELECT * APPLY(file) FROM (SELECT '/etc/hostname')",
			"SELECT * FROM format(LineAsString, file('/etc/hostname'))",
			"SELECT n FROM readable SETTINGS additional_table_filters = {'readable': 'file(\\'/etc/hostname\\') != \\'\\''}",
			"SELECT file('/etc/hostname') SETTINGS enable_analyzer = 0",
		} {
			err := conn.Exec(t.Context(), statement)
			var answer *clickhouse.Exception
			if !errors.As(err, &answer) {
				t.Errorf("%s: %s: %v, want it refused", name, statement, err)
			}
		}
	}
	engine := analysts(t)["engine"]
	for _, statement := range []string{
		"KILL QUERY WHERE true SYNC",
		"SELECT * FROM system.query_log",
		"SELECT * FROM system.users",
		"SELECT 1 SETTINGS max_memory_usage_for_user = 0",
		"SELECT 1 SETTINGS max_execution_time = 0",
		"SELECT 1 SETTINGS max_execution_time = 10000",
		"SELECT 1 SETTINGS format_schema = '/etc/hostname'",
	} {
		if err := engine.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s: done, want it refused", statement)
		}
	}
	var sum uint64
	if err := db.Conn().QueryRow(t.Context(), "SELECT sum(n) FROM readable").Scan(&sum); err != nil || sum != 45 {
		t.Errorf("sum %d, %v afterwards", sum, err)
	}
}

// A query that may take no more memory leaves the engine to the inserts.
func TestAnalystsMemoryIsBounded(t *testing.T) {
	conn := analysts(t)["engine"]
	err := conn.Exec(t.Context(), "SELECT count() FROM (SELECT groupArray(number) FROM numbers(1e9)) SETTINGS max_memory_usage = 0")
	var answer *clickhouse.Exception
	if !errors.As(err, &answer) || answer.Code != 241 {
		t.Errorf("%v, want the memory limit's error", err)
	}
}

func TestCredentialsOfAForeignInstance(t *testing.T) {
	if _, _, err := embedded.ReadCredentials(t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "password of engine user touchline: ") {
		t.Errorf("%v", err)
	}
}
