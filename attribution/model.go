package attribution

// ShareUnit is one whole conversion in fixed-point shares.
const ShareUnit = 1_000_000_000_000

// Credit is what a channel gets.
type Credit struct {
	Conversions float64
	Value       float64
}

// Model is a rule by which touches get credit for conversions. A Model is a plain value whose zero value works; it
// keeps nothing from one Fit to the next.
type Model interface {
	// Name is the model's name on the command line and in tables.
	Name() string
	// Fit learns from paths. Paths without any row are no error: every credit is zero. An error says which of the
	// model's settings, or which limit, the paths do not fit.
	Fit(paths *Paths) (Fitted, error)
}

// Fitted is a model that has learnt from paths. Any number of goroutines may use it at once.
type Fitted interface {
	// Totals is the credit of each channel, in the order of Paths.Channels. No credit is negative; they add up to the
	// paths' conversions and value. The slice belongs to the Fitted: read only.
	Totals() []Credit
	// Shares splits one conversion over the touches of its journey, in units of ShareUnit. Shares are never negative and
	// add up to ShareUnit exactly; what rounding leaves over is on one touch. No touches, no shares. The result uses dst's
	// memory if it is large enough, and belongs to the caller.
	Shares(dst []int64, s Sequence) []int64
}

// Sequence is what a model needs to know of one journey.
type Sequence struct {
	Channels []Channel // of the touches, first to last, as in the Paths that the model has learnt from
	Hours    []float64 // of each touch, before the end, as in Row; nil when unknown, which a model that is Timed cannot do with

	// The place, from 1, of the last touch up to the milestone; 0: the journey has no such milestone, as far as is known.
	Lead, Opportunity int
}

// Timed marks a Model that needs to know when touches were: its Fit refuses paths without hours. Whoever wants nothing
// but Shares lets it learn from Paths that have channels and no rows.
type Timed interface {
	Model
	Timed()
}

// Milestoned marks a Model whose credit depends on a journey's milestones. Paths do not tell them, so its Totals are those
// of journeys without any; whoever knows milestones adds up Shares.
type Milestoned interface {
	Model
	Milestoned()
}

// SeparateTotals marks a Fitted whose Totals are not the sums of its Shares over the journeys: they come from all
// journeys together, and single conversions are split by a rule of their own. Those of any other Fitted are the sums.
type SeparateTotals interface {
	Fitted
	SeparateTotals()
}
