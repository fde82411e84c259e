package store

import (
	"context"
	"embed"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Statements live in files of their own and say the file's name in their first line, so that system.query_log leads back to
// the code.
//
//go:embed query/*.sql
var queries embed.FS

func statement(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(fmt.Sprintf("store: no statement %s", name)) // a test holds files and callers one to one
	}
	return string(text)
}

// params are the values of a statement's parameters, {name:Type}.
type params map[string]any

func (p params) args() []any {
	args := make([]any, 0, len(p))
	for name, value := range p {
		args = append(args, clickhouse.Named(name, value))
	}
	return args
}

func (db *DB) exec(ctx context.Context, name string, p params) error {
	if err := db.conn.Exec(ctx, statement(name), p.args()...); err != nil {
		return fmt.Errorf("statement %s: %w", name, err)
	}
	return nil
}

// query calls f for each row of the answer.
func (db *DB) query(ctx context.Context, name string, p params, f func(driver.Rows) error) error {
	rows, err := db.conn.Query(ctx, statement(name), p.args()...)
	if err != nil {
		return fmt.Errorf("statement %s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("statement %s: %w", name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("statement %s: %w", name, err)
	}
	return nil
}
