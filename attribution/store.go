package attribution

import (
	"context"
	"time"
)

// Store computes and keeps. What an Update computes is in working tables that nobody else reads until Publish, so one
// that fails or is killed changes nothing. One process updates at a time.
type Store interface {
	// Begin finishes what an update that was killed had begun to publish, empties the working tables and says where the
	// project's tables stand. An Update of a project without events has no AsOf, and there is nothing to do.
	Begin(ctx context.Context, p Project, models []string) (*Update, error)

	TakeEvents(ctx context.Context, u *Update) error
	AdoptLinks(ctx context.Context, u *Update) error
	FindOwners(ctx context.Context, u *Update) error
	Aliases(ctx context.Context, u *Update) ([]Alias, error)
	SetAliases(ctx context.Context, u *Update, canonical map[string]string) error
	FindOrders(ctx context.Context, u *Update) error
	// Affect finds whom new events touch: people and devices. Not for an update that computes everything anew.
	Affect(ctx context.Context, u *Update) error
	FindFacts(ctx context.Context, u *Update) error
	FindIdentities(ctx context.Context, u *Update) error
	GroupPersons(ctx context.Context, u *Update) error
	GroupAccounts(ctx context.Context, u *Update) error
	BuildJourneys(ctx context.Context, u *Update) error
	// Credit keeps what split makes of each journey at hand that converted and had touches. Their channels are by their
	// place among those that Channels lists.
	Credit(ctx context.Context, u *Update, channels []string, split Split) error
	FillConversions(ctx context.Context, u *Update) error
	SumPaths(ctx context.Context, u *Update) error
	SumCredits(ctx context.Context, u *Update) error

	// Channels are the names of all channels of touches at hand, sorted.
	Channels(ctx context.Context, u *Update) ([]string, error)
	// Paths are all paths of a kind and level as they will be, without the empty one, sorted.
	Paths(ctx context.Context, u *Update, kind, level string) (*Paths, error)
	// ConversionDays counts the conversions of each day in the project's time zone as they will be.
	ConversionDays(ctx context.Context, u *Update, kind, level string) ([]Day, error)
	WriteChain(ctx context.Context, u *Update, kind, level string, c Chain) error
	WriteChannelCredits(ctx context.Context, u *Update, kind, level string, rows []ChannelDay) error
	// Sums adds up what every model credits, by kind, level, model and dimension, and the conversions beside it.
	Sums(ctx context.Context, u *Update) ([]Sum, error)

	// Publish puts the working tables' rows in the place of what readers see. Killed in the middle it is finished by the
	// next Begin.
	Publish(ctx context.Context, u *Update) error
}

// Split splits one conversion and its value, in millionths, over its touches under each model of an Update: share and
// worth of touch t under model m go to place t × models + m. It may keep nothing.
type Split func(s Sequence, value int64, shares, worth []int64)

// Levels are whose journeys there are: those of single persons, and those of accounts, in which several people decide. A
// person without an account is an account of one.
const (
	Person  = "person"
	Account = "account"
)

// Levels are all of them.
var Levels = []string{Person, Account}

// Update is one turn of bringing a project's tables up to date.
type Update struct {
	Project   Project
	Models    []string // that split single journeys
	Number    uint64   // grows with each
	Published uint64   // the one before; 0: none
	Full      bool     // computes everything anew: the first one, and after a change of what the tables depend on
	Settings  string   // what they depend on besides events, a JSON object
	Started   time.Time

	AsOf, OldAsOf time.Time // of the project's newest event, and what it was in the update before
	Since         time.Time // events inserted earlier are taken up already
	Watermark     time.Time // those that this update takes up were inserted before
	Events        uint64    // that it took up
	Subjects      uint64    // people and accounts that it computed
}

// Alias says that two user ids are one user, and when each was first seen.
type Alias struct {
	User, Previous         string
	UserSeen, PreviousSeen time.Time
}

// Chain is what the Markov chain over all journeys says.
type Chain struct {
	Channels    []string
	Removal     []Credit // removal effects of each channel: of conversions and of value, each from 0 to 1
	Transitions []Transition
}

// Transition is a step of a Chain. States are called by their channels; (start), (conversion) and (null) hold none.
type Transition struct {
	From, To    string
	Probability float64
}

// Sum is what a model credits in all, and what of the conversions and their value it leaves out: zero, if all is well.
type Sum struct {
	Kind, Level, Model, Dimension string
	Credit, Missing               Credit
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
