package simulate

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// shopChannels: effect, half-life in days, and the shares of first visits, later visits, and visits of customers.
// Influencers and display introduce people, affiliates and direct visits are merely there when somebody buys.
var shopChannels = []channel{
	{name: "Organic Search", effect: 0.009, halfLife: 5, weights: []float64{28, 16, 8},
		referrers: []string{"https://www.google.com/", "https://www.google.com/", "https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/"}},
	{name: "Paid Search", effect: 0.013, halfLife: 3, weights: []float64{16, 12, 6}, referrers: []string{"https://www.google.com/"},
		source: "google", medium: "cpc", campaigns: []string{"brand", "lamps", "furniture", "sale"}, clickID: "gclid"},
	{name: "Organic Social", effect: 0.008, halfLife: 10, weights: []float64{9, 5, 3},
		referrers: []string{"https://www.facebook.com/", "https://www.instagram.com/", "https://www.pinterest.com/"}},
	{name: "Paid Social", effect: 0.009, halfLife: 7, weights: []float64{12, 7, 3}, referrers: []string{"https://www.facebook.com/"},
		source: "facebook", medium: "paid_social", campaigns: []string{"new-collection", "retargeting", "lookalike"}, clickID: "fbclid"},
	{name: "Email", effect: 0.024, halfLife: 6, weights: []float64{0, 12, 30},
		source: "newsletter", medium: "email", campaigns: []string{"weekly", "welcome", "sale", "back-in-stock"}},
	{name: "Referral", effect: 0.014, halfLife: 14, weights: []float64{5, 3, 2},
		referrers: []string{"https://livingblog.example/lamps", "https://interiors.example/best-of", "https://nordichome.example/"}},
	{name: "Affiliates", effect: 0.004, halfLife: 2, weights: []float64{4, 6, 4}, referrers: []string{"https://vouchers.example/", "https://cashback.example/"},
		source: "vouchers", medium: "affiliate", campaigns: []string{"voucher-10", "cashback"}},
	{name: "Display", effect: 0.006, halfLife: 14, weights: []float64{9, 5, 2}, referrers: []string{"https://news.example/", "https://weather.example/"},
		source: "adnetwork", medium: "display", campaigns: []string{"awareness", "retargeting"}},
	{name: "AI Assistants", effect: 0.018, halfLife: 10, weights: []float64{4, 3, 2},
		referrers: []string{"https://chatgpt.com/", "https://www.perplexity.ai/"}},
	{name: "Influencers", effect: 0.022, halfLife: 21, weights: []float64{6, 2, 1}, referrers: []string{"https://www.instagram.com/", "https://www.youtube.com/"},
		source: "lena-at-home", medium: "influencer", campaigns: []string{"autumn-living", "room-tour"}},
	{name: "Direct", effect: 0.003, halfLife: 1, weights: []float64{7, 25, 39}},
}

type product struct {
	id, name, category string
	price              float64
}

var products = []product{
	{"p-101", "Aalto Pendant Lamp", "lamps", 129}, {"p-102", "Fjord Floor Lamp", "lamps", 189},
	{"p-103", "Kite Desk Lamp", "lamps", 79.9}, {"p-104", "Moss Table Lamp", "lamps", 59.9},
	{"p-201", "Birk Side Table", "furniture", 149}, {"p-202", "Holm Lounge Chair", "furniture", 399},
	{"p-203", "Skog Shelf", "furniture", 229}, {"p-204", "Vik Stool", "furniture", 89},
	{"p-301", "Linen Cushion", "textiles", 34.9}, {"p-302", "Wool Throw", "textiles", 79},
	{"p-303", "Cotton Rug", "textiles", 119}, {"p-401", "Stoneware Vase", "decoration", 44.9},
	{"p-402", "Oak Candle Holder", "decoration", 24.9}, {"p-403", "Wall Mirror Round", "decoration", 99},
}

func (p product) page() page {
	return page{"Product", "/" + p.category + "/" + p.id, p.name + " | Nordlys"}
}

var (
	shopHome     = page{"Home", "/", "Nordlys – lamps and furniture"}
	shopCart     = page{"Cart", "/cart", "Your cart | Nordlys"}
	shopCheckout = page{"Checkout", "/checkout", "Checkout | Nordlys"}
	shopThanks   = page{"Order Confirmation", "/checkout/thanks", "Thank you for your order | Nordlys"}
	shopPages    = []page{
		{"Category", "/lamps", "Lamps | Nordlys"}, {"Category", "/furniture", "Furniture | Nordlys"},
		{"Category", "/textiles", "Textiles | Nordlys"}, {"Category", "/decoration", "Decoration | Nordlys"},
		{"Guide", "/guides/light-for-every-room", "Light for every room | Nordlys"}, shopHome,
	}
)

func shopWorld(cfg Config) *world {
	w := newWorld(cfg, world{
		project: "shop", site: "shop.example", channels: shopChannels,
		week:       [7]float64{1, 0.95, 0.85, 0.85, 0.9, 0.75, 0.8},
		hours:      [24]float64{2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 9, 8, 8, 9, 10, 12, 14, 15, 13, 10, 6, 3},
		ease:       []float64{1.4, 2.8},
		gapDays:    []float64{5, 18},
		firstOrder: 1,
		episode: func(r *rand.Rand, steps int) int {
			if steps == 0 {
				return 1 + heavyTail(r, 0.5, 1)
			}
			return heavyTail(r, 0.9, 0.8)
		},
	}, 7500)
	w.value = func(id uint64, step int) float64 { return total(w.cart(id, step)) }
	return w
}

// Shop yields 240 days of a shop, project "shop", in time order.
func Shop(cfg Config) iter.Seq[Message] {
	w := shopWorld(cfg)
	bots := w.subjects / 40
	return inTimeOrder(w.subjects+bots, func(n uint64) []Message {
		if n < w.subjects {
			return w.shopper(n)
		}
		return w.crawl(n - w.subjects)
	})
}

// line is a product in a cart.
type line struct {
	product
	quantity int
}

// cart draws what a person's order holds.
func (w *world) cart(id uint64, order int) []line {
	r := w.stream(id, "cart", order)
	lines := make([]line, 1+min(3, int(r.ExpFloat64())))
	for i, p := range r.Perm(len(products))[:len(lines)] {
		lines[i] = line{products[p], 1 + r.IntN(5)/4}
	}
	return lines
}

// total is what a cart costs, rounded to cents.
func total(cart []line) float64 {
	sum := 0.0
	for _, l := range cart {
		sum += l.price * float64(l.quantity)
	}
	return math.Round(sum*100) / 100
}

// shopper is a person who visits the shop.
type shopper struct {
	*recorder
	id             uint64
	user           string
	known          bool // the shop has their address
	subscribes     bool
	phone, desktop *device // the same one for most
}

func (w *world) shopper(id uint64) []Message {
	rec := w.recorder(id, "shopper")
	country := home(rec.r)
	p := shopper{recorder: rec, id: id, user: fmt.Sprintf("u%06d", id)}
	p.phone, p.desktop = newDevice(rec.r, country, mobiles), newDevice(rec.r, country, desktops)
	switch x := rec.r.Float64(); {
	case x < 0.4:
		p.desktop = p.phone
	case x < 0.65:
		p.phone = p.desktop
	}
	visits := w.live(id, -1)
	p.subscribes = rec.r.Float64() < 0.1 || slices.ContainsFunc(visits, func(v visit) bool { return w.channels[v.channel].name == "Email" })
	for _, v := range visits {
		p.visit(v)
	}
	return rec.messages
}

func (p *shopper) visit(v visit) {
	s := p.open(p.device(v), v.time, p.w.channels[v.channel], p.landing())
	if p.known && (s.campaign != nil && s.campaign.Medium == "email" || p.r.Float64() < 0.3) {
		s.identify(p.user, nil) // the link in the e-mail knows them, or they log in
	}
	p.browse(s)
	switch {
	case v.step > 0:
		p.buy(s, v.step)
	case p.r.Float64() < 0.06: // leave a full cart
		s.add(line{one(p.r, products), 1})
		s.follow(shopCart)
	case p.r.Float64() < 0.02:
		s.track("File Downloaded", map[string]any{"name": "Size guide", "url": "https://shop.example/files/size-guide.pdf"})
	}
	if p.subscribes && !p.known {
		p.known = true
		s.track("Signed Up", map[string]any{"list": "newsletter"})
		s.identify(p.user, p.traits())
	}
}

// device draws what they use: the phone to look around, the desktop to buy.
func (p *shopper) device(v visit) *device {
	phone := 0.65
	if v.step > 0 {
		phone = 0.3
	}
	if p.r.Float64() < phone {
		return p.phone
	}
	return p.desktop
}

func (p *shopper) landing() page {
	switch x := p.r.Float64(); {
	case x < 0.3:
		return shopHome
	case x < 0.65:
		return one(p.r, shopPages)
	}
	return one(p.r, products).page()
}

// browse looks at further pages; a third of the visits ends on the first.
func (p *shopper) browse(s *session) {
	if p.r.Float64() < 0.35 {
		return
	}
	for range 1 + min(9, int(p.r.ExpFloat64()*1.6)) {
		if p.r.Float64() < 0.5 {
			s.follow(one(p.r, products).page())
		} else {
			s.follow(one(p.r, shopPages))
		}
	}
}

func (p *shopper) buy(s *session, step int) {
	cart := p.w.cart(p.id, step)
	for _, l := range cart {
		s.follow(l.page())
		s.add(l)
	}
	s.follow(shopCart)
	s.follow(shopCheckout)
	p.known = true
	s.identify(p.user, p.traits())
	if p.r.Float64() < 0.33 {
		s.arrive(shopThanks, "https://www.paypal.com/")
	} else {
		s.follow(shopThanks)
	}
	order := orderProperties(fmt.Sprintf("S%06d-%d", p.id, step), cart)
	s.track("Order Completed", order)
	if p.r.Float64() < 0.1 { // the back end reports the same order once more
		p.server(s.now.Add(milliseconds(p.r, time.Second, time.Minute)), "", message{
			Type: "track", UserID: p.user, Event: "Order Completed", Properties: order})
	}
	p.afterSale(s.now, order)
}

// afterSale is what the back end reports in the weeks after an order.
func (p *shopper) afterSale(t time.Time, order map[string]any) {
	report := func(share float64, event string, properties map[string]any) {
		at := t.Add(milliseconds(p.r, 3*day, 21*day))
		if p.r.Float64() < share {
			p.server(at, "", message{Type: "track", UserID: p.user, Event: event, Properties: properties})
		}
	}
	report(0.05, "Order Refunded", map[string]any{
		"order_id": order["order_id"], "revenue": order["revenue"], "total": order["revenue"], "currency": "EUR"})
	report(0.2, "Survey Answered", map[string]any{"kind": "nps", "score": min(10, 5+p.r.IntN(7))})
	report(0.05, "Referral Invited", map[string]any{"order_id": order["order_id"]})
}

func (p *shopper) traits() map[string]any {
	return map[string]any{"email": p.user + "@mail.example", "newsletter": p.subscribes}
}

func (s *session) add(l line) { s.track("Product Added", l.properties()) }

func (l line) properties() map[string]any {
	return map[string]any{"product_id": l.id, "name": l.name, "category": l.category, "price": l.price, "quantity": l.quantity}
}

func orderProperties(id string, cart []line) map[string]any {
	lines := make([]map[string]any, len(cart))
	for i, l := range cart {
		lines[i] = l.properties()
	}
	return map[string]any{"order_id": id, "revenue": total(cart), "currency": "EUR", "products": lines}
}

// crawl is one round of a crawler through the shop.
func (w *world) crawl(id uint64) []Message {
	rec := w.recorder(id, "crawler")
	bot := one(rec.r, crawlers)
	d := &device{anonymousID: uuid(rec.r), userAgent: bot.userAgent, ip: address(rec.r, bot.network), country: countries[3]}
	s := rec.open(d, w.start.Add(milliseconds(rec.r, 0, w.end.Sub(w.start))), channel{}, shopHome)
	for range 2 + rec.r.IntN(8) {
		s.follow(one(rec.r, products).page())
	}
	return rec.messages
}
