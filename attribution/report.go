package attribution

import (
	"context"
	"time"
)

// Reporter answers questions about journeys as the last update has left them.
type Reporter interface {
	// Select prepares for questions about s: journeys with another lookback than the project's are built for it, in
	// working tables, so one process at a time may ask about such a Selection.
	Select(ctx context.Context, s *Selection) error
	// Coverage counts the selected journeys.
	Coverage(ctx context.Context, s *Selection) (Coverage, error)
	// SelectedPaths are the paths of the selected journeys, without the empty one.
	SelectedPaths(ctx context.Context, s *Selection) (*Paths, error)
	// SelectedJourneys calls f with each selected journey that converted and had touches. f may keep nothing.
	SelectedJourneys(ctx context.Context, s *Selection, f func(SelectedJourney) error) error
}

// Selection chooses journeys.
type Selection struct {
	Project   Project
	Kind      string    // of conversion
	Level     string    // one of Levels
	By        string    // what of a touch gets the credit: one of Dimensions
	From, To  time.Time // when journeys ended, From included and To not; zero: no bound
	Customers Customers
	Gross     bool          // value before refunds and cancellations
	Lookback  time.Duration // the project's, which 0 means, too; or another one

	// SkipDirect leaves touches whose channel is Direct out of journeys that have others.
	SkipDirect bool

	Built bool // by Select, in working tables
}

// Dimensions are what of a touch can get the credit.
var Dimensions = []string{"channel", "source", "medium", "campaign", "landing_page", "country", "device"}

// SelectedJourney is one conversion and the touches that led to it.
type SelectedJourney struct {
	Names             []string  // of the touches' Dimension
	Hours             []float64 // of each touch, before the conversion
	Lead, Opportunity int       // as in Sequence
	Value             int64     // millionths of the project's currency
}

// Coverage says how much of what happened a report speaks of.
type Coverage struct {
	AsOf         time.Time
	Conversions  int64 // all that are selected
	Unattributed int64 // of them, without any touch
	DirectOnly   int64 // of them, with Direct touches only
	Unrated      int64 // of them, with an amount in another currency and no rate for its day: they have no Value
	Value        int64 // of all of them, in millionths of the project's currency
	Nulls        int64 // journeys that ended without a conversion
	Pending      int64 // journeys still open, in no model

	UnattributedValue int64 // of the Unattributed ones, in millionths
	DirectOnlyValue   int64 // of those with Direct touches only, in millionths
}
