package simulate

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// b2bChannels: effect, half-life in days, and the shares of first visits, later visits, and touches of leads, of
// opportunities and of customers. Trade fairs and webinars open doors, direct visits and paid search follow demand.
var b2bChannels = []channel{
	{name: "Organic Search", effect: 0.02, halfLife: 14, weights: []float64{30, 20, 12, 8, 10},
		referrers: []string{"https://www.google.com/", "https://www.google.com/", "https://www.bing.com/"}},
	{name: "Paid Search", effect: 0.02, halfLife: 5, weights: []float64{18, 12, 6, 4, 2}, referrers: []string{"https://www.google.com/"},
		source: "google", medium: "cpc", campaigns: []string{"brand", "category", "competitors"}, clickID: "gclid"},
	{name: "Paid Social", effect: 0.024, halfLife: 10, weights: []float64{14, 8, 5, 3, 2}, referrers: []string{"https://www.linkedin.com/"},
		source: "linkedin", medium: "paid_social", campaigns: []string{"decision-makers", "engineers"}, clickID: "li_fat_id"},
	{name: "Webinar", effect: 0.06, halfLife: 21, weights: []float64{6, 8, 8, 3, 5},
		source: "webinar", medium: "webinar", campaigns: []string{"getting-started", "customer-story"}},
	{name: "Trade Fairs", effect: 0.08, halfLife: 30, weights: []float64{8, 4, 3, 2, 2},
		campaigns: []string{"hannover-messe", "sps-nuremberg"}, cost: 240},
	{name: "Sales Calls", effect: 0.05, halfLife: 14, weights: []float64{0, 1, 18, 26, 9},
		campaigns: []string{"first-call", "demo", "negotiation"}, cost: 85},
	{name: "Email", effect: 0.024, halfLife: 7, weights: []float64{0, 10, 16, 12, 22},
		source: "newsletter", medium: "email", campaigns: []string{"nurture", "product-news"}},
	{name: "Review Sites", effect: 0.045, halfLife: 14, weights: []float64{6, 6, 8, 6, 1}, referrers: []string{"https://www.g2.com/"}},
	{name: "Partners", effect: 0.055, halfLife: 21, weights: []float64{5, 3, 3, 3, 3}, referrers: []string{"https://integrator.example/"},
		source: "integrator", medium: "partner", campaigns: []string{"referral-program"}},
	{name: "Direct", effect: 0.008, halfLife: 4, weights: []float64{13, 28, 21, 33, 44}},
}

// b2bSteps are the events of the first steps; a contract and every expansion is an order.
var b2bSteps = []string{"Lead Qualified", "Opportunity Created", "Order Completed"}

// roles: how likely a person of the role is the one who acts, before there is a lead, for leads, and from an
// opportunity on.
var roles = []struct {
	name   string
	weight []float64
}{
	{"user", []float64{5, 3, 1, 3}}, {"engineer", []float64{6, 5, 3, 3}},
	{"manager", []float64{2, 4, 5, 2}}, {"finance", []float64{0.3, 1, 4, 1}},
}

var b2bPages = []page{
	{"Home", "/", "Gridline – energy monitoring for plants"}, {"Product", "/product", "Product | Gridline"},
	{"Pricing", "/pricing", "Pricing | Gridline"}, {"Customers", "/customers/steelworks", "Steelworks saves 12 % | Gridline"},
	{"Docs", "/docs/quickstart", "Quickstart | Gridline Docs"}, {"Docs", "/docs/api", "API | Gridline Docs"},
	{"Blog", "/blog/iso-50001", "ISO 50001 without paperwork | Gridline"}, {"Security", "/security", "Security | Gridline"},
}

func b2bWorld(cfg Config) *world {
	w := newWorld(cfg, world{
		project: "b2b", site: "b2b.example", channels: b2bChannels,
		week:       [7]float64{0.12, 0.9, 1, 1, 0.95, 0.8, 0.1},
		hours:      [24]float64{0, 0, 0, 0, 0, 1, 4, 9, 13, 14, 12, 8, 11, 13, 12, 9, 6, 3, 2, 2, 1, 1, 0, 0},
		ease:       []float64{2.6, 1.7, 1.4, 0.5},
		gapDays:    []float64{6, 5, 5, 20},
		firstOrder: len(b2bSteps),
		episode: func(r *rand.Rand, steps int) int {
			return 1 + heavyTail(r, 1.3, 0.8)
		},
	}, 800)
	w.value = w.contract
	return w
}

// B2B yields 240 days of a company that sells to companies, project "b2b", in time order.
func B2B(cfg Config) iter.Seq[Message] {
	w := b2bWorld(cfg)
	return inTimeOrder(w.subjects, w.account)
}

// contract draws what an account signs for: the first contract by its size, expansions a part of that.
func (w *world) contract(id uint64, step int) float64 {
	value := 400 * math.Pow(float64(w.employees(id)), 0.7)
	if step > w.firstOrder {
		value *= 0.2 + 0.4*w.stream(id, "expansion", step).Float64()
	}
	return math.Round(value/100) * 100
}

func (w *world) employees(id uint64) int {
	return int(30 * math.Exp(1.2*math.Abs(w.stream(id, "employees", 0).NormFloat64())))
}

// account is a company that might buy.
type account struct {
	*recorder
	number uint64
	id     string
	traits map[string]any
	people []*contact
	steps  int // taken so far
}

// contact is a person of an account.
type contact struct {
	user           string
	role           int
	traits         map[string]any
	laptop, mobile *device
	known          bool // in the company's CRM
}

func (w *world) account(number uint64) []Message {
	rec := w.recorder(number, "account")
	a := account{recorder: rec, number: number, id: fmt.Sprintf("acct-%05d", number)}
	a.traits = map[string]any{
		"name": fmt.Sprintf("Plant %d GmbH", number), "employees": w.employees(number),
		"industry": one(rec.r, []string{"steel", "chemicals", "food", "automotive", "paper"}),
	}
	country := home(rec.r)
	for i := range 2 + rec.r.IntN(5) {
		a.people = append(a.people, a.contact(i, country))
	}
	for _, v := range w.live(number, -1) {
		a.touch(v)
	}
	return rec.messages
}

// contact draws a person: an account has at least a user or engineer, and a manager.
func (a *account) contact(i int, c country) *contact {
	role := a.r.IntN(len(roles))
	switch i {
	case 0:
		role = a.r.IntN(2)
	case 1:
		role = 2
	}
	user := fmt.Sprintf("%s-p%d", a.id, i)
	return &contact{
		user: user, role: role, laptop: newDevice(a.r, c, desktops), mobile: newDevice(a.r, c, mobiles),
		traits: map[string]any{
			"email": user + "@plants.example", "role": roles[role].name,
			"interest": one(a.r, []string{"cost", "reporting", "integration", "security"}),
		},
	}
}

func (a *account) touch(v visit) {
	c := a.w.channels[v.channel]
	who := a.people[pick(a.r, len(a.people), func(i int) float64 { return at(roles[a.people[i].role].weight, a.steps) })]
	end := v.time
	if c.cost > 0 {
		a.report(end, who, "Touchpoint", map[string]any{
			"channel": c.name, "campaign": one(a.r, c.campaigns), "cost": c.cost, "currency": "EUR"})
	} else {
		end = a.browse(who, v, c)
	}
	if v.step > 0 {
		a.steps = v.step
		a.progress(end.Add(milliseconds(a.r, 5*time.Minute, time.Hour)), who)
	}
}

// browse visits the site and returns when that ended.
func (a *account) browse(who *contact, v visit, c channel) time.Time {
	d := who.laptop
	if a.r.Float64() < 0.2 {
		d = who.mobile
	}
	s := a.open(d, v.time, c, one(a.r, b2bPages))
	for range min(9, int(a.r.ExpFloat64()*2)) {
		s.follow(one(a.r, b2bPages))
	}
	if a.r.Float64() < 0.08 {
		s.track("File Downloaded", map[string]any{"name": "White paper", "url": "https://b2b.example/files/white-paper.pdf"})
	}
	if d.user == "" && (c.medium == "webinar" || a.r.Float64() < 0.2+0.2*float64(a.steps)) {
		s.identify(who.user, who.traits) // a form, a registration or a log-in
		s.group(a.id, a.traits)
	}
	return s.now
}

// progress reports the step just taken; contracts are signed by a manager or by finance, if there is one.
func (a *account) progress(t time.Time, who *contact) {
	event := b2bSteps[min(a.steps, len(b2bSteps))-1]
	if a.steps < a.w.firstOrder {
		a.report(t, who, event, nil)
		return
	}
	buyer := a.people[pick(a.r, len(a.people), func(i int) float64 { return roles[a.people[i].role].weight[2] })]
	a.report(t, buyer, event, map[string]any{
		"order_id": fmt.Sprintf("C%05d-%d", a.number, a.steps-a.w.firstOrder+1),
		"revenue":  a.w.value(a.number, a.steps), "currency": "EUR",
	})
}

// report is a message of the CRM about a person; of somebody new it says first who that is.
func (a *account) report(t time.Time, who *contact, event string, properties map[string]any) {
	if !who.known {
		who.known = true
		a.server(t, a.id, message{Type: "identify", UserID: who.user, Traits: who.traits})
		a.server(t, a.id, message{Type: "group", UserID: who.user, GroupID: a.id, Traits: a.traits})
	}
	a.server(t.Add(time.Second), a.id, message{Type: "track", UserID: who.user, Event: event, Properties: properties})
}
