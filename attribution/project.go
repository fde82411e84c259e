package attribution

import "time"

// Project is what attribution must know of a project.
type Project struct {
	ID          string
	Location    *time.Location // days are whole days here
	Currency    string         // ISO 4217; amounts in others are converted, or have no value without a rate
	Conversions []Conversion   // the first is the default kind
	Milestones  Milestones
	Touches     []string      // names of events that are touches because the project says so, such as e-mail opens
	Lookback    time.Duration // a touch older than this led to nothing
	Inactivity  time.Duration // silence after which a journey without conversion has ended; at most Lookback

	RoleTrait, InterestTrait string // traits, of the top level, that are a person's role and interest; may be empty

	Position [3]float64    // parts of 1 that model position gives the first touch, those in between and the last one
	HalfLife time.Duration // age at which model time_decay gives half
}

// Conversion says which event is a conversion. The event's name is the conversion's kind.
type Conversion struct {
	Event string
	Value string // property that holds the value; empty, revenue, total or value: the value as the collector read it
}

// Milestones are events on the way to a conversion. Without one, the models that ask for it do without.
type Milestones struct {
	Lead, Opportunity string
}
