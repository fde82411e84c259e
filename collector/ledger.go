package collector

import "github.com/touchline-hq/touchline/event"

// Outcome is what became of an event.
type Outcome string

// The outcomes that the ledger books. What is stored is what was delivered and imported, less duplicates and what
// expired.
const (
	Delivered Outcome = "delivered" // taken from a spool and sent to the database, which may have had it already
	Refused   Outcome = "rejected"  // taken from a spool; refused at the door or by the database
	Unkept    Outcome = "unkept"    // rejected too, beyond what is kept of a flood: one record of a spool stands for them
	Replayed  Outcome = "replayed"  // no longer rejected: brought in after all; the database may have had it already
	Imported  Outcome = "imported"  // brought in by an importer; the database may have had it already
	Expired   Outcome = "expired"   // deleted, because its project keeps it no longer
)

// Entry books the events of one project in a batch that had one outcome.
type Entry struct {
	Project string
	Outcome Outcome
	Reason  string // of Refused, Unkept and Replayed: a word or two of which there are few
	Events  uint64
}

// RefusedEvent is an event that the database will not take, however often it is tried.
type RefusedEvent struct {
	Event  *event.Event
	Reason string // as in Entry
	Detail string // what the database said
}
