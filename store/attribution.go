package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/attribution"
)

var _ attribution.Store = (*DB)(nil)

// insertOverlap is longer than an insert can take from the moment that it notes the time to when its rows can be seen.
const insertOverlap = 10 * time.Minute

// definitions is the version of what the statements here compute: another one, and the next update starts from nothing.
const definitions = 1

// Working tables of an update. Those of changed ones get the rows that are new, of whole ones all of them.
var (
	changedTables = []string{"identities_raw", "subjects_raw", "conversions_raw", "path_stats_raw", "channel_credits_raw"}
	wholeTables   = []string{"aliases", "orders", "removal_effects", "transitions"}
	scratchTables = []string{
		"affected_devices", "affected_users", "affected_persons", "affected_accounts", "read_devices", "known_users",
		"device_events", "facts", "groups", "shares",
	}
)

// Begin finishes the update that was killed while it published, if there is one, and prepares the next.
func (db *DB) Begin(ctx context.Context, p attribution.Project, models []string) (*attribution.Update, error) {
	// What a process that was killed had asked for may still be under way.
	if err := db.exec(ctx, "KillUpdates", nil); err != nil {
		return nil, err
	}
	if err := db.finishInterrupted(ctx); err != nil {
		return nil, err
	}
	u := &attribution.Update{Project: p, Models: models, Started: time.Now()}
	var err error
	if u.AsOf, err = db.AsOf(ctx, p.ID); err != nil {
		return nil, err
	}
	if err := db.continueFrom(ctx, u); err != nil {
		return nil, err
	}
	if u.AsOf.IsZero() && milliseconds(u.OldAsOf) == 0 {
		return u, nil
	}
	for _, tables := range [][]string{changedTables, wholeTables, scratchTables} {
		for _, table := range tables {
			if err := db.conn.Exec(ctx, "TRUNCATE TABLE touchline_work."+table); err != nil {
				return nil, fmt.Errorf("empty the working table %s: %w", table, err)
			}
		}
	}
	if !u.Full {
		return u, nil
	}
	if err := db.forget(ctx, u); err != nil || !u.AsOf.IsZero() {
		return u, err
	}
	return u, db.Publish(ctx, u) // all events have expired, and so do the tables
}

// continueFrom says where the last update ended, and whether the next one can go on from there.
func (db *DB) continueFrom(ctx context.Context, u *attribution.Update) error {
	var settings string
	var begun, expired uint64
	var since, now time.Time
	err := db.query(ctx, "LastUpdate", params{"project": u.Project.ID}, func(r driver.Rows) error {
		return r.Scan(&u.Published, &settings, &u.OldAsOf, &since, &begun, &now, &expired)
	})
	if err != nil {
		return err
	}
	if u.Settings, err = dependsOn(u.Project, expired); err != nil {
		return err
	}
	u.Number = begun + 1
	u.Watermark = now.Add(-insertOverlap)
	u.Full = u.Published == 0 || begun > u.Published || settings != u.Settings || u.AsOf.Before(u.OldAsOf)
	if !u.Full {
		u.Since = since
	}
	return nil
}

// dependsOn is all that a project's tables depend on besides its events.
func dependsOn(p attribution.Project, expired uint64) (string, error) {
	text, err := json.Marshal(struct {
		Definitions int
		Timezone    string
		Expired     uint64
		Project     attribution.Project
	}{definitions, p.Location.String(), expired, p})
	return string(text), err
}

// forget drops what updates keep for themselves, before all of it is computed anew.
func (db *DB) forget(ctx context.Context, u *attribution.Update) error {
	if err := db.recordUpdate(ctx, u, "rebuilding"); err != nil {
		return err
	}
	for _, table := range []string{"device_events", "owners"} {
		err := db.conn.Exec(ctx, "ALTER TABLE touchline."+table+" DROP PARTITION {project:String}", clickhouse.Named("project", u.Project.ID))
		if err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return nil
}

// updateParams are the parameters of an update's statements. Times are in ms.
func updateParams(u *attribution.Update) params {
	p := u.Project
	kinds, values := make([]string, len(p.Conversions)), make([]string, len(p.Conversions))
	for i, c := range p.Conversions {
		kinds[i], values[i] = c.Event, c.Value
	}
	tables := "touchline_work" // where ReadEvents has put what is affected
	if u.Full {
		tables = Database
	}
	return params{
		"project": p.ID, "run": u.Number, "published": u.Published, "all": u.Full, "settings": u.Settings,
		"watermark": milliseconds(u.Since), "next": milliseconds(u.Watermark), "started": milliseconds(u.Started),
		"as_of": milliseconds(u.AsOf), "old_as_of": milliseconds(u.OldAsOf),
		"kinds": kinds, "values": values, "touches": named(p.Touches),
		"leads": named([]string{p.Milestones.Lead}), "opportunities": named([]string{p.Milestones.Opportunity}),
		"lookback": p.Lookback.Milliseconds(), "inactivity": p.Inactivity.Milliseconds(),
		"timezone": p.Location.String(), "currency": p.Currency,
		"role_trait": p.RoleTrait, "interest_trait": p.InterestTrait,
		"models": u.Models, "events": u.Events, "subjects": u.Subjects, "tables": tables,
	}
}

// named leaves out empty names, and is never nil.
func named(names []string) []string {
	list := []string{}
	for _, name := range names {
		if name != "" {
			list = append(list, name)
		}
	}
	return list
}

// milliseconds since 1970; 0 for the zero Time.
func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
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

// TakeEvents takes up the events that came since the update before.
func (db *DB) TakeEvents(ctx context.Context, u *attribution.Update) error {
	taking := ctx
	if u.Full {
		taking = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
			"final": 1, "do_not_merge_across_partitions_select_final": 1,
		}))
	}
	if err := db.exec(taking, "TakeEvents", updateParams(u)); err != nil {
		return err
	}
	return db.query(ctx, "CountFresh", updateParams(u), func(r driver.Rows) error { return r.Scan(&u.Events) })
}

// AdoptLinks gives pages the campaign of the signed link that led to them.
func (db *DB) AdoptLinks(ctx context.Context, u *attribution.Update) error {
	return db.exec(ctx, "AdoptLinks", updateParams(u))
}

// FindOwners notes which devices users were named with.
func (db *DB) FindOwners(ctx context.Context, u *attribution.Update) error {
	if err := db.exec(ctx, "FindOwners", updateParams(u)); err != nil {
		return err
	}
	return db.exec(ctx, "FindKnownUsers", updateParams(u))
}

// Aliases lists the pairs of users that alias calls joined.
func (db *DB) Aliases(ctx context.Context, u *attribution.Update) ([]attribution.Alias, error) {
	var aliases []attribution.Alias
	err := db.query(ctx, "Aliases", updateParams(u), func(r driver.Rows) error {
		var a attribution.Alias
		err := r.Scan(&a.User, &a.Previous, &a.UserSeen, &a.PreviousSeen)
		aliases = append(aliases, a)
		return err
	})
	return aliases, err
}

// SetAliases keeps the canonical user of every joined one.
func (db *DB) SetAliases(ctx context.Context, u *attribution.Update, canonical map[string]string) error {
	if len(canonical) == 0 {
		return nil
	}
	batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO touchline_work.aliases")
	if err != nil {
		return fmt.Errorf("insert aliases: %w", err)
	}
	for user, c := range canonical {
		if err := batch.Append(u.Project.ID, user, c); err != nil {
			return fmt.Errorf("insert aliases: %w", err)
		}
	}
	return batch.Send()
}

// FindOrders finds all conversions, whoever they belong to.
func (db *DB) FindOrders(ctx context.Context, u *attribution.Update) error {
	return db.exec(ctx, "FindOrders", updateParams(u))
}

// Affect finds the people that new events touch, and the devices whose events they may own.
func (db *DB) Affect(ctx context.Context, u *attribution.Update) error {
	if err := db.exec(ctx, "AffectDevices", updateParams(u)); err != nil {
		return err
	}
	if err := db.exec(ctx, "AffectUsers", updateParams(u)); err != nil {
		return err
	}
	if err := db.exec(ctx, "AffectPersons", updateParams(u)); err != nil {
		return err
	}
	if err := db.exec(ctx, "ReadDevices", updateParams(u)); err != nil {
		return err
	}
	return db.exec(ctx, "ReadEvents", updateParams(u))
}

// FindFacts finds whose events are, sessions, and what else of the events later steps need.
func (db *DB) FindFacts(ctx context.Context, u *attribution.Update) error {
	return db.exec(ctx, "FindFacts", updateParams(u))
}

// FindIdentities finds which user each device belonged to, and when.
func (db *DB) FindIdentities(ctx context.Context, u *attribution.Update) error {
	if err := db.exec(ctx, "FindIdentities", updateParams(u)); err != nil {
		return err
	}
	return db.exec(ctx, "BuryIdentities", updateParams(u))
}

// GroupPersons gathers what each person did.
func (db *DB) GroupPersons(ctx context.Context, u *attribution.Update) error {
	return db.exec(ctx, "GroupPersons", updateParams(u))
}

// GroupAccounts gathers what the people of each account did.
func (db *DB) GroupAccounts(ctx context.Context, u *attribution.Update) error {
	if !u.Full {
		if err := db.exec(ctx, "AffectAccounts", updateParams(u)); err != nil {
			return err
		}
	}
	return db.exec(ctx, "GroupAccounts", updateParams(u))
}

// BuildJourneys finds the touches that led to each conversion, and those that led to none.
func (db *DB) BuildJourneys(ctx context.Context, u *attribution.Update) error {
	if err := db.exec(ctx, "BuildJourneys", updateParams(u)); err != nil {
		return err
	}
	err := db.query(ctx, "CountSubjects", nil, func(r driver.Rows) error { return r.Scan(&u.Subjects) })
	if err != nil || u.Full {
		return err
	}
	return db.exec(ctx, "BuryPersons", updateParams(u))
}

// FillConversions makes a row of each conversion, with its journey and credit.
func (db *DB) FillConversions(ctx context.Context, u *attribution.Update) error {
	if err := db.exec(ctx, "FillConversions", updateParams(u)); err != nil || u.Full {
		return err
	}
	return db.exec(ctx, "BuryConversions", updateParams(u))
}

// SumPaths adds up journeys by their path.
func (db *DB) SumPaths(ctx context.Context, u *attribution.Update) error {
	return db.exec(ctx, "SumPaths", updateParams(u))
}

// SumCredits adds up credit by dimension and day.
func (db *DB) SumCredits(ctx context.Context, u *attribution.Update) error {
	return db.exec(ctx, "SumCredits", updateParams(u))
}

// Sums adds up what every model credits.
func (db *DB) Sums(ctx context.Context, u *attribution.Update) ([]attribution.Sum, error) {
	var sums []attribution.Sum
	err := db.query(ctx, "Sums", updateParams(u), func(r driver.Rows) error {
		var s attribution.Sum
		err := r.Scan(&s.Kind, &s.Level, &s.Model, &s.Dimension, &s.Credit.Conversions, &s.Credit.Value,
			&s.Missing.Conversions, &s.Missing.Value)
		sums = append(sums, s)
		return err
	})
	return sums, err
}
