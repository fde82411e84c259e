// Package load makes events inside the database, far faster than they could be sent: a year of a shop, and single days
// after it. It is for measuring what works on events that are there already.
package load

import (
	"context"
	_ "embed" // for the statement
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// chunk is how many people one statement makes: four million events, which are one block and so one part a month.
const chunk = 400_000

// Simulation is a shop and its people. The same one has the same events, to the last byte. They are what the collector
// would store, save for client_key, which is another hash.
type Simulation struct {
	Project string
	Seed    uint64
	Events  uint64    // in the year: about as many, of a tenth as many people
	End     time.Time // of the year, exclusive
}

// People is how many there are in the year. Half of them have three events or fewer, one in a hundred has 200 or more.
func (s Simulation) People() uint64 { return s.Events / 10 }

// Year inserts the events of the year. done is called with how many of the people have theirs.
func (s Simulation) Year(ctx context.Context, conn driver.Conn, done func(people uint64)) error {
	for first := uint64(0); first < s.People(); first += chunk {
		count := min(chunk, s.People()-first)
		if err := s.insert(ctx, conn, 0, first, count); err != nil {
			return fmt.Errorf("load people from %d on: %w", first, err)
		}
		done(first + count)
	}
	return nil
}

// Day inserts what happens on a day after the year, 1 being the first: visits of about 1.3 % of the people and of a few
// new ones. Some log in for the first time, which links what they did before; some visits are reported late.
func (s Simulation) Day(ctx context.Context, conn driver.Conn, day uint32) error {
	newcomers := s.People() / 1000
	err := s.insert(ctx, conn, day, 0, s.People())
	if err == nil && newcomers > 0 {
		err = s.insert(ctx, conn, day, s.People()+uint64(day-1)*newcomers, newcomers)
	}
	if err != nil {
		return fmt.Errorf("load day %d: %w", day, err)
	}
	return nil
}

//go:embed load.sql
var statement string

func (s Simulation) insert(ctx context.Context, conn driver.Conn, day uint32, first, count uint64) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"optimize_on_insert": 0,      // there are no duplicates
		"max_block_size":     16_384, // people, of ten events each and up to 10,000
		"max_insert_threads": 2, "min_insert_block_size_rows": 4_000_000, "min_insert_block_size_bytes": 3_000_000_000,
	}))
	return conn.Exec(ctx, statement, append(wayParams(),
		clickhouse.Named("project", s.Project), clickhouse.Named("seed", s.Seed), clickhouse.Named("people", s.People()),
		clickhouse.Named("end", s.End.UnixMilli()), clickhouse.Named("day", day),
		clickhouse.Named("first", first), clickhouse.Named("count", count),
	)...)
}
