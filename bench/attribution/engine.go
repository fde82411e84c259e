package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/store"
)

// statement is what one of the job's statements took, by the engine's own account.
type statement struct {
	name      string
	durations []time.Duration // in each of the jobs
	peak      uint64          // bytes of memory, of any run of it
}

// heaviest lists the statements of the jobs, longest first, by how they begin: the engine's log leaves out the comments
// of those that have parameters.
func heaviest(ctx context.Context, conn driver.Conn, jobs []job) ([]statement, error) {
	if err := conn.Exec(ctx, "SYSTEM FLUSH LOGS"); err != nil {
		return nil, err
	}
	found := map[string]*statement{}
	var list []*statement
	for i, j := range jobs {
		rows, err := conn.Query(ctx, `
			SELECT left(replaceRegexpAll(replaceRegexpOne(query, '^(-- .*\n)+', ''), '\\s+', ' '), 60) AS name,
				sum(query_duration_ms), toUInt64(max(memory_usage))
			FROM system.query_log
			WHERE type = 'QueryFinish' AND is_initial_query
				AND toUnixTimestamp64Milli(query_start_time_microseconds::DateTime64(3)) BETWEEN $1 AND $2
			GROUP BY name`, j.begun.UnixMilli(), j.begun.Add(j.duration).UnixMilli())
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var name string
			var ms, peak uint64
			if err := rows.Scan(&name, &ms, &peak); err != nil {
				return nil, err
			}
			s := found[name]
			if s == nil {
				s = &statement{name: name, durations: make([]time.Duration, len(jobs))}
				found[name], list = s, append(list, s)
			}
			s.durations[i], s.peak = time.Duration(ms)*time.Millisecond, max(s.peak, peak) //nolint:gosec // a duration
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b *statement) int { return int(b.durations[0] - a.durations[0]) })
	statements := make([]statement, len(list))
	for i, s := range list {
		statements[i] = *s
	}
	return statements, nil
}

// answers are the times that one of the dashboards' questions took.
type answers struct {
	name      string
	durations []time.Duration // in order
}

// Each question is asked some times, but not for long.
const (
	askedTimes = 20
	askedFor   = 3 * time.Second
)

// ask asks the dashboards' questions as the analyst.
func ask(ctx context.Context, db *store.DB, folder string) ([]answers, error) {
	conn, err := db.Analyst(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	files, _ := filepath.Glob(filepath.Join(folder, "*.sql"))
	var all []answers
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		a := answers{name: strings.TrimSuffix(filepath.Base(file), ".sql")}
		for begun := time.Now(); len(a.durations) < askedTimes && time.Since(begun) < askedFor; {
			start := time.Now()
			rows, err := conn.Query(ctx, string(text))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			for rows.Next() { // only how long it takes counts
			}
			if err := rows.Err(); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			a.durations = append(a.durations, time.Since(start))
		}
		slices.Sort(a.durations)
		all = append(all, a)
	}
	return all, nil
}

// quantile of durations in order.
func quantile(durations []time.Duration, q float64) time.Duration {
	return durations[int(q*float64(len(durations)-1)+0.5)]
}

// table is what one of the tables has come to.
type table struct {
	name        string
	rows, bytes uint64
}

func sizes(ctx context.Context, conn driver.Conn) (tables []table, err error) {
	rows, err := conn.Query(ctx, `SELECT table, sum(rows) AS n, sum(bytes_on_disk) FROM system.parts
		WHERE database = currentDatabase() AND active GROUP BY table ORDER BY n DESC, table`)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var t table
		if err := rows.Scan(&t.name, &t.rows, &t.bytes); err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, rows.Err()
}
