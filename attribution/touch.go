package attribution

import "time"

// Unattributed is the channel of conversions that no touch led to. It takes no part in models.
const Unattributed = "Unattributed"

// Direct is the channel of touches of which nothing else is known.
const Direct = "Direct"

// Touch is one touchpoint in a journey.
type Touch struct {
	ID       string
	Time     time.Time
	Channel  string
	Source   string
	Medium   string
	Campaign string
}
