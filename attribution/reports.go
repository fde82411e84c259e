package attribution

import "time"

// Customers chooses between those who convert for the first time and those who come back.
type Customers string

// New and Returning are told by the number of the conversion. A journey without one is a returning customer's if its
// person or account has converted before. Any is both.
const (
	Any       Customers = ""
	New       Customers = "new"
	Returning Customers = "returning"
)

// PathKey says what the journeys of a PathGroup have in common.
type PathKey string

// What paths are grouped by, and the group's key. Unattributed conversions have an empty path.
const (
	WholePath    PathKey = "path"    // all channels
	PathLength   PathKey = "length"  // the number of touches
	PathEnds     PathKey = "ends"    // the first and the last channel; both empty for Unattributed
	PathChannels PathKey = "channel" // a channel, "closes" or "" (it is the last), "assists" or "" (it comes before the last); a journey is in the group of each of its channels
	PathPairs    PathKey = "pair"    // a channel; or two, the one whose first touch is earlier first. A journey is in the group of each of its channels and pairs
)

// PathGroup is journeys whose paths have something in common.
type PathGroup struct {
	Key         []string
	Groups      int64 // 1; of the last row more when it stands for all groups that are not shown
	Conversions int64
	Value       int64 // millionths of the project's currency
	Nulls       int64
}

// LagDay is the conversions that came so many whole days (of 24 hours) after the first touch.
type LagDay struct {
	Days        int64 // -1: Unattributed
	Conversions int64
	Value       int64 // millionths
}

// CustomerCredit is a channel's credit for first conversions and for later ones.
type CustomerCredit struct {
	Channel        string
	New, Returning Credit
}

// CreditChange is a channel's credit in a period and in the one before.
type CreditChange struct {
	Channel                 string
	Now, Before, Difference Credit
}

// CohortMonth is what the people or accounts of a cohort, those with the same first channel in the same month, brought in a month.
type CohortMonth struct {
	Month       time.Time // first day of the month of the first touch; of people without one, of their first event
	Channel     string    // of the first touch, or Unattributed
	After       int64     // months from Month to the conversions; 0 also for what came before the first touch. -1: the row says how many People
	People      int64
	Conversions int64
	Value       int64 // millionths
}

// Subject is by what tables know a person or an account.
type Subject struct {
	Key  uint64
	Slot uint8
}

// PublishedConversion is one conversion, what it is worth, and what led to it.
type PublishedConversion struct {
	Subject      Subject // whose journey it is
	Kind         string
	ConversionID string
	Person       string // empty: the event names nobody
	Account      string // whose journey it is; empty: that of the person
	Time         time.Time
	OrderID      string
	Number       int64  // of this kind by this person or account, from 1
	Amount       int64  // before refunds, in millionths of Currency
	Refunded     int64  // in millionths of Currency
	Currency     string // of the amount
	Value        int64  // that is attributed, in millionths of the project's currency
	Rated        bool   // Amount is in the project's currency, or there is a rate for its day

	Touches           []Touch // in order of time
	Lead, Opportunity int64   // places of the last touch up to the milestone, from 1; 0 without
}

// PublishedCredit is what a model gives the touches of one conversion.
type PublishedCredit struct {
	Model  string
	Shares []int64 // of each touch, in units of ShareUnit; one for Unattributed
	Values []int64 // likewise, in millionths of the project's currency
}

// PublishedPerson is somebody that events belong to.
type PublishedPerson struct {
	ID         string   // user id, or the device of somebody who never identified
	Identified bool     // ID is a user id
	Accounts   []string // that something of theirs counts for
}

// HistoryStep is one thing that is known of a person or account: what happened or became known when.
type HistoryStep struct {
	Time    time.Time
	What    string // person, account, link, journey, touch or conversion
	Name    string // of a touch its channel, of journey and conversion their kind, of an account its id
	Details string
	Value   float64 // of a conversion and its journey, in the project's currency
	ID      string  // touch_id, or conversion_id of conversion and journey
	Person  string
	Account string // whose journey it is, or what a touch or conversion counts for
	Device  string
}
