package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/attribution"
)

var _ attribution.Store = (*DB)(nil)

// Tables that a run replaces: those of the whole project, and those of one kind of conversion in it.
var (
	projectTables = []string{"identities", "persons", "touchpoints"}
	kindTables    = []string{"conversions", "journeys", "path_stats", "credits", "channel_credits"}
)

// Begin creates the working tables anew. Those that Publish moves into the visible ones are copies of these in all but
// their rows.
func (db *DB) Begin(ctx context.Context) error {
	if err := db.conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS touchline_work"); err != nil {
		return fmt.Errorf("create the working database: %w", err)
	}
	for _, table := range append(projectTables, kindTables...) {
		err := db.conn.Exec(ctx, "CREATE OR REPLACE TABLE touchline_work."+table+" AS touchline."+table)
		if err != nil {
			return fmt.Errorf("create the working table %s: %w", table, err)
		}
	}
	if err := db.exec(ctx, "CreatePersonEvents", nil); err != nil {
		return err
	}
	return db.exec(ctx, "CreateAliases", nil)
}

// AsOf is the time of the project's newest event; the zero Time when it has none.
func (db *DB) AsOf(ctx context.Context, project string) (time.Time, error) {
	var newest time.Time
	var events uint64
	err := db.query(ctx, "AsOf", params{"project": project}, func(r driver.Rows) error { return r.Scan(&newest, &events) })
	if err != nil || events == 0 {
		return time.Time{}, err
	}
	return newest, nil
}

// LinkDevices finds which user each device belonged to, and when.
func (db *DB) LinkDevices(ctx context.Context, project string) error {
	return db.exec(ctx, "LinkDevices", params{"project": project})
}

// Aliases lists the pairs of users that alias calls joined.
func (db *DB) Aliases(ctx context.Context, project string) ([]attribution.Alias, error) {
	var aliases []attribution.Alias
	err := db.query(ctx, "Aliases", params{"project": project}, func(r driver.Rows) error {
		var a attribution.Alias
		err := r.Scan(&a.User, &a.Previous, &a.UserSeen, &a.PreviousSeen)
		aliases = append(aliases, a)
		return err
	})
	return aliases, err
}

// SetAliases keeps the canonical user of every joined one for AssignPersons.
func (db *DB) SetAliases(ctx context.Context, canonical map[string]string) error {
	if len(canonical) == 0 {
		return nil
	}
	batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO touchline_work.aliases")
	if err != nil {
		return fmt.Errorf("insert aliases: %w", err)
	}
	for user, c := range canonical {
		if err := batch.Append(user, c); err != nil {
			return fmt.Errorf("insert aliases: %w", err)
		}
	}
	return batch.Send()
}

// AssignPersons finds the person of each event, and keeps the properties of events of the given kinds.
func (db *DB) AssignPersons(ctx context.Context, project string, kinds []string) error {
	return db.exec(ctx, "AssignPersons", params{"project": project, "kinds": kinds})
}

// FindSessions makes touchpoints of the sessions.
func (db *DB) FindSessions(ctx context.Context, project string) error {
	return db.exec(ctx, "FindSessions", params{"project": project})
}

// AddExplicitTouches makes touchpoints of events that report one.
func (db *DB) AddExplicitTouches(ctx context.Context, project string) error {
	return db.exec(ctx, "AddExplicitTouches", params{"project": project})
}

// AddLinkTouches makes touchpoints of clicks on signed links that led to no session of the same person.
func (db *DB) AddLinkTouches(ctx context.Context, project string) error {
	return db.exec(ctx, "AddLinkTouches", params{"project": project})
}

// SummarisePersons makes a row of everybody.
func (db *DB) SummarisePersons(ctx context.Context, project string) error {
	return db.exec(ctx, "SummarisePersons", params{"project": project})
}

// FindConversions finds the conversions of the kind that p names.
func (db *DB) FindConversions(ctx context.Context, p attribution.Params) error {
	return db.exec(ctx, "FindConversions", params{
		"project": p.Project.ID, "kind": p.Conversion.Event, "value": p.Conversion.Value,
		"currency": p.Project.Currency, "gross": p.Gross,
	})
}

// BuildJourneys finds the touches that led to each conversion, and those that led to none.
func (db *DB) BuildJourneys(ctx context.Context, p attribution.Params, asOf time.Time) error {
	return db.exec(ctx, "BuildJourneys", params{
		"project": p.Project.ID, "kind": p.Conversion.Event, "as_of": asOf.UnixMilli(),
		"lookback": p.Project.Lookback.Milliseconds(), "inactivity": p.Project.Inactivity.Milliseconds(),
	})
}

// selection is the parameters that choose journeys.
func selection(p attribution.Params) params {
	s := params{
		"project": p.Project.ID, "kind": p.Conversion.Event, "currency": p.Project.Currency,
		"from": int64(0), "to": int64(math.MaxInt64), "timezone": p.Project.Location.String(),
	}
	if !p.From.IsZero() {
		s["from"] = p.From.UnixMilli()
	}
	if !p.To.IsZero() {
		s["to"] = p.To.UnixMilli()
	}
	return s
}

// SumPaths adds up the selected journeys by their path.
func (db *DB) SumPaths(ctx context.Context, p attribution.Params) error {
	return db.exec(ctx, "SumPaths", selection(p))
}

// Coverage counts the selected journeys.
func (db *DB) Coverage(ctx context.Context, p attribution.Params) (attribution.Coverage, error) {
	var c attribution.Coverage
	var value, unattributed decimal.Decimal
	err := db.query(ctx, "Coverage", selection(p), func(r driver.Rows) error {
		return r.Scan(&c.Conversions, &c.Unattributed, &c.DirectOnly, &value, &unattributed, &c.Nulls, &c.Pending, &c.Foreign)
	})
	c.Value, c.UnattributedValue = micros(value), micros(unattributed)
	return c, err
}

func micros(d decimal.Decimal) int64 { return d.Shift(6).IntPart() }

// Paths is what SumPaths made, without the empty path.
func (db *DB) Paths(ctx context.Context) (*attribution.Paths, error) {
	var b attribution.Builder
	var touches []attribution.Channel
	err := db.query(ctx, "Paths", nil, func(r driver.Rows) error {
		var path []string
		var conversions, nulls uint64
		var value float64
		if err := r.Scan(&path, &conversions, &value, &nulls); err != nil {
			return err
		}
		touches = touches[:0]
		for _, name := range path {
			touches = append(touches, b.Channel(name))
		}
		id, err := b.Path(touches)
		if err != nil {
			return err
		}
		return b.Add(id, float64(conversions), value, float64(nulls))
	})
	return b.Paths(), err
}

// Journeys calls f with each selected journey that converted, in order of time. f may not keep the journey.
func (db *DB) Journeys(ctx context.Context, p attribution.Params, f func(*attribution.Journey) error) error {
	return db.query(ctx, "Journeys", selection(p), func(r driver.Rows) error {
		var j attribution.Journey
		var value decimal.Decimal
		var ids, channels, sources, mediums, campaigns []string
		var times []time.Time
		err := r.Scan(&j.ConversionID, &j.Converted, &j.Person, &value, &ids, &times, &channels, &sources, &mediums, &campaigns)
		if err != nil {
			return err
		}
		j.Value = micros(value)
		for i := range ids {
			j.Touches = append(j.Touches, attribution.Touch{
				ID: ids[i], Time: times[i], Channel: channels[i], Source: sources[i], Medium: mediums[i], Campaign: campaigns[i],
			})
		}
		return f(&j)
	})
}

// ConversionDays counts the conversions of each day in the project's time zone.
func (db *DB) ConversionDays(ctx context.Context, p attribution.Params) ([]attribution.Day, error) {
	var days []attribution.Day
	err := db.query(ctx, "ConversionDays", selection(p), func(r driver.Rows) error {
		var d attribution.Day
		var value, unattributed decimal.Decimal
		err := r.Scan(&d.Day, &d.Conversions, &value, &d.Unattributed, &unattributed)
		d.Value, d.UnattributedValue = micros(value), micros(unattributed)
		days = append(days, d)
		return err
	})
	return days, err
}

// SumCredits adds up what Credits wrote, by channel and day.
func (db *DB) SumCredits(ctx context.Context, p attribution.Params, models []string) error {
	s := selection(p)
	s["models"] = models
	return db.exec(ctx, "SumCredits", s)
}

// WriteChannelCredits keeps credit of models whose totals are not sums over conversions.
func (db *DB) WriteChannelCredits(ctx context.Context, p attribution.Params, rows []attribution.ChannelDay) error {
	batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO touchline_work.channel_credits")
	if err != nil {
		return fmt.Errorf("insert channel credits: %w", err)
	}
	for _, r := range rows {
		err := batch.Append(p.Project.ID, p.Conversion.Event, "person", r.Model, "channel", r.Channel, r.Day,
			decimal.New(r.Conversions, -12), decimal.New(r.Value, -6))
		if err != nil {
			return fmt.Errorf("insert channel credits: %w", err)
		}
	}
	return batch.Send()
}

// Publish replaces the partitions of the project and the kind by the working tables'. Each table changes in one
// moment; a partition without rows becomes empty.
func (db *DB) Publish(ctx context.Context, p attribution.Params) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"allow_replace_partition_from_empty_source": 1}))
	partition := params{"project": p.Project.ID, "kind": p.Conversion.Event}.args()
	for _, table := range projectTables {
		err := db.conn.Exec(ctx, "ALTER TABLE touchline."+table+
			" REPLACE PARTITION {project:String} FROM touchline_work."+table, partition...)
		if err != nil {
			return fmt.Errorf("publish %s: %w", table, err)
		}
	}
	for _, table := range kindTables {
		err := db.conn.Exec(ctx, "ALTER TABLE touchline."+table+
			" REPLACE PARTITION tuple({project:String}, {kind:String}) FROM touchline_work."+table, partition...)
		if err != nil {
			return fmt.Errorf("publish %s: %w", table, err)
		}
	}
	return nil
}
