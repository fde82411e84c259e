package attribution

import (
	"slices"
	"strconv"
)

// Transform changes journeys before models see them. A Transform is a plain value that any number of goroutines may use.
type Transform interface {
	// Name is the transform's name on the command line.
	Name() string
	// Steps returns what is left of a journey's touches, in their order: something, if there is any. The touches are
	// indices of names. Either all steps of a Transform have tags, or none has. The result uses the memory of dst, which
	// is empty, if that is large enough.
	Steps(dst []Step, touches []Channel, names []string) []Step
}

// Step is a touch that a Transform has left.
type Step struct {
	Touch int // its index in the journey as it was
	Tag   int // tells touches of one channel apart, from 1; 0 for a Transform that does not
}

// Transformed are paths after a Transform, and the way back to their channels.
type Transformed struct {
	Paths *Paths // what models are to learn from

	transform Transform
	names     []string           // channels as they were
	states    map[tagged]Channel // those of Paths
	channels  []Channel          // as it was, of each state
}

// tagged is a channel as it was, and the tag of a Step.
type tagged struct {
	channel Channel
	tag     int
}

// Transform returns the paths as t makes them, equal ones added up. Conversions, value and nulls stay as they are.
func (p *Paths) Transform(t Transform) *Transformed {
	r := &Transformed{transform: t, names: p.Channels, states: make(map[tagged]Channel)}
	var b Builder
	var steps []Step
	var touches []Channel
	var hours []float64
	for _, row := range p.Rows {
		steps = t.Steps(steps[:0], row.Touches, p.Channels)
		touches, hours = touches[:0], hours[:0]
		for _, s := range steps {
			touches = append(touches, r.introduce(&b, tagged{row.Touches[s.Touch], s.Tag}))
			if row.Hours != nil {
				hours = append(hours, row.Hours[s.Touch])
			}
		}
		b.addRow(touches, hours, row)
	}
	introduced := b.names
	r.Paths = b.Paths()
	r.renumber(introduced, p)
	return r
}

// introduce returns the Builder's channel for a state.
func (r *Transformed) introduce(b *Builder, s tagged) Channel {
	state, ok := r.states[s]
	if !ok {
		name := r.names[s.channel]
		if s.tag > 0 {
			name += "(" + strconv.Itoa(s.tag) + ")"
		}
		state = b.Channel(name)
		r.states[s] = state
	}
	return state
}

// renumber turns the Builder's channels, which had these names, into those of Paths.
func (r *Transformed) renumber(names []string, from *Paths) {
	r.channels = make([]Channel, len(names))
	r.Paths.Origins = make([]string, len(names))
	for s, state := range r.states {
		i, _ := slices.BinarySearch(r.Paths.Channels, names[state])
		r.states[s] = Channel(i) //nolint:gosec // as in Channel
		r.channels[i] = s.channel
		r.Paths.Origins[i] = from.Origin(s.channel)
	}
}

// Fold returns a model that has learnt from Paths as one that has learnt from what they were: its totals are those of
// the channels, its shares those of a journey's touches as they were, for journeys that are among the paths. A milestone
// counts for the last touch up to it that is left.
func (r *Transformed) Fold(f Fitted) Fitted {
	folded := folded{r, f, make([]Credit, len(r.names))}
	for state, credit := range f.Totals() {
		total := &folded.totals[r.channels[state]]
		total.Conversions += credit.Conversions
		total.Value += credit.Value
	}
	if _, separate := f.(SeparateTotals); separate {
		return separatelyFolded{folded}
	}
	return folded
}

type folded struct {
	of     *Transformed
	fitted Fitted
	totals []Credit
}

type separatelyFolded struct{ folded }

func (separatelyFolded) SeparateTotals() {}

func (f folded) Totals() []Credit { return f.totals }

func (f folded) Shares(dst []int64, s Sequence) []int64 {
	steps := f.of.transform.Steps(nil, s.Channels, f.of.names)
	shares := f.fitted.Shares(nil, f.of.sequence(s, steps))
	dst = slices.Grow(dst[:0], len(s.Channels))[:len(s.Channels)]
	clear(dst)
	for i, step := range steps {
		dst[step.Touch] = shares[i]
	}
	return dst
}

// sequence is what the steps leave of one.
func (r *Transformed) sequence(s Sequence, steps []Step) Sequence {
	left := Sequence{Channels: make([]Channel, 0, len(steps))}
	for i, step := range steps {
		left.Channels = append(left.Channels, r.states[tagged{s.Channels[step.Touch], step.Tag}])
		if s.Hours != nil {
			left.Hours = append(left.Hours, s.Hours[step.Touch])
		}
		if step.Touch < s.Lead {
			left.Lead = i + 1
		}
		if step.Touch < s.Opportunity {
			left.Opportunity = i + 1
		}
	}
	return left
}
