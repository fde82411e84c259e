package attribution

import (
	"context"
	"time"
)

// Store computes and keeps. All but Publish works on working tables that nobody reads but the job, so a run that
// fails or is killed changes nothing.
type Store interface {
	// Begin empties the working tables.
	Begin(ctx context.Context) error
	// AsOf is the time of the project's newest event; the zero Time when it has none.
	AsOf(ctx context.Context, project string) (time.Time, error)
	LinkDevices(ctx context.Context, project string) error
	Aliases(ctx context.Context, project string) ([]Alias, error)
	SetAliases(ctx context.Context, canonical map[string]string) error
	AssignPersons(ctx context.Context, project string, kinds []string) error
	FindSessions(ctx context.Context, project string) error
	AddExplicitTouches(ctx context.Context, project string) error
	AddLinkTouches(ctx context.Context, project string) error
	SummarisePersons(ctx context.Context, project string) error
	FindConversions(ctx context.Context, p Params) error
	BuildJourneys(ctx context.Context, p Params, asOf time.Time) error
	SumPaths(ctx context.Context, p Params) error

	// Coverage counts the selected journeys.
	Coverage(ctx context.Context, p Params) (Coverage, error)
	// Paths is what SumPaths made, without the empty path.
	Paths(ctx context.Context) (*Paths, error)
	// Journeys calls f with each selected journey that converted, in order of time. f may not keep the journey.
	Journeys(ctx context.Context, p Params, f func(*Journey) error) error
	// ConversionDays counts the attributed conversions of each day in the project's time zone.
	ConversionDays(ctx context.Context, p Params) ([]Day, error)

	Credits(ctx context.Context, p Params) (CreditWriter, error)
	SumCredits(ctx context.Context, p Params, models []string) error
	WriteChannelCredits(ctx context.Context, p Params, rows []ChannelDay) error

	// Publish puts the working tables in the place of what readers see of the project and kind.
	Publish(ctx context.Context, p Params) error
}

// Alias says that two user ids are one user, and when each was first seen.
type Alias struct {
	User, Previous         string
	UserSeen, PreviousSeen time.Time
}

// Params says what to attribute.
type Params struct {
	Project    Project
	Conversion Conversion
	Models     []Model
	From, To   time.Time // choose journeys by when they ended, From included and To not; zero: no bound
	Gross      bool      // value before refunds and cancellations
	Publish    bool      // replace the tables that analysts read
}

// Coverage says how much of what happened the report speaks of.
type Coverage struct {
	Conversions  int64 // all of the kind
	Unattributed int64 // of them, without any touch
	DirectOnly   int64 // of them, with Direct touches only
	Foreign      int64 // of them, with an amount in another currency, which is not in Value
	Value        int64 // of all of them, in millionths of the project's currency
	Nulls        int64 // journeys that ended without a conversion
	Pending      int64 // journeys still open, in no model

	UnattributedValue int64 // of the Unattributed ones, in millionths
}

// CreditRow is what one touch of one journey gets under one model.
type CreditRow struct {
	Journey  *Journey // of the row; may be kept only until Write returns
	Model    string
	Position int   // of the touch, from 1; 0 when the conversion is unattributed
	Credit   int64 // in units of ShareUnit
	Value    int64 // millionths of the project's currency
}

// Touch is the touch that gets the credit; one that says Unattributed when the journey has none.
func (r *CreditRow) Touch() Touch {
	if r.Position == 0 {
		return Touch{Channel: Unattributed, Time: r.Journey.Converted}
	}
	return r.Journey.Touches[r.Position-1]
}

// CreditWriter takes the rows of all journeys and models.
type CreditWriter interface {
	Write(CreditRow) error
	// Close writes what is left. It is called once, also after an error.
	Close() error
}

// Day is a day in the project's time zone, its attributed conversions, and those no touch led to.
type Day struct {
	Day               time.Time
	Conversions       int64
	Value             int64 // millionths
	Unattributed      int64
	UnattributedValue int64 // millionths
}

// ChannelDay is the credit of a channel on one day.
type ChannelDay struct {
	Model       string
	Channel     string
	Day         time.Time
	Conversions int64 // in units of ShareUnit
	Value       int64 // millionths
}
