package enrich

import (
	"net/url"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// The reasons for a channel: the evidence it was drawn from. All but the first four come with the channel Direct.
const (
	ReasonExplicit     = "explicit"      // the sender named the channel
	ReasonUTM          = "utm"           // context.campaign or utm_* in the URL
	ReasonClickID      = "click_id"      // an advertising platform's click id in the URL
	ReasonReferrer     = "referrer"      // the site that led here
	ReasonSelfReferral = "self_referral" // the referrer is the site itself, or another of the project's
	ReasonPayment      = "payment"       // back from a payment provider or the bank's confirmation page
	ReasonLogin        = "login"         // back from a sign-in page elsewhere
	ReasonNone         = "none"          // no evidence at all
)

const maxChannel = 100 // bytes of a channel's name that a sender gives

// IsEvidence reports whether an event with this ChannelReason shows how the person came here, and so may start a
// touchpoint.
func IsEvidence(reason string) bool {
	switch reason {
	case ReasonExplicit, ReasonUTM, ReasonClickID, ReasonReferrer:
		return true
	}
	return false
}

// Channel fills Source, Medium, Campaign, Term, Content, ClickID, ClickIDType, Channel and ChannelReason. The evidence
// counts in this order: a channel that the sender names, campaign parameters, a click id, the referrer. Source and
// Medium stay as they were written and are compared without regard to case; a direct visit has neither.
type Channel struct{}

// Enrich reads the event's URL, Host, Referrer, Properties and what context.campaign has put into Source to Content.
func (Channel) Enrich(p *collector.Project, _ *event.Client, e *event.Event) {
	forgetDirect(e)
	adoptQuery(e, scanQuery(splitURL(e.URL).query))
	if named := explicitChannel(e); named != "" {
		e.Channel, e.ChannelReason = named, ReasonExplicit
		return
	}
	e.ChannelReason = findEvidence(p, e)
	if own := ownChannel(p, e); own != "" {
		e.Channel = own
		return
	}
	if IsEvidence(e.ChannelReason) {
		e.Channel = classify(e.Source, e.Medium, e.Campaign)
	} else {
		e.Channel = Direct
	}
}

// forgetDirect clears what Google Analytics writes for "nothing known": it is no campaign.
func forgetDirect(e *event.Event) {
	if strings.EqualFold(e.Source, "(direct)") || strings.EqualFold(e.Source, "(not set)") {
		e.Source = ""
	}
	if strings.EqualFold(e.Medium, "(none)") || strings.EqualFold(e.Medium, "(not set)") {
		e.Medium = ""
	}
}

// adoptQuery takes the campaign from the URL, unless the sender already gave one: the two are never mixed.
func adoptQuery(e *event.Event, q urlCampaign) {
	if e.Source == "" && e.Medium == "" && e.Campaign == "" {
		e.Source, e.Medium, e.Campaign = q.source, q.medium, q.campaign
		e.Term, e.Content = or(e.Term, q.term), or(e.Content, q.content)
		forgetDirect(e)
	}
	if e.ClickID == "" && q.clickID != "" {
		e.ClickID, e.ClickIDType = q.clickID, q.click.parameter
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// findEvidence completes Source and Medium and returns the reason for the channel. A campaign's name alone says less
// than a click id or a referrer, but more than nothing.
func findEvidence(p *collector.Project, e *event.Event) string {
	click := knownClickIDs[e.ClickIDType]
	switch {
	case e.Medium != "":
		return ReasonUTM
	case e.Source != "":
		if knownSources.named(e.Source).name == click.source {
			e.Medium = click.medium // utm_source=google and a gclid: an advertisement, if half labelled
		}
		return ReasonUTM
	}
	referrer := splitURL(e.Referrer).host
	if click.source != "" {
		e.Source, e.Medium = click.source, click.medium
		if from := knownSources.host(referrer); click.medium == "social" && from.category == social {
			e.Source = from.name // Instagram appends fbclid, too
		}
		return ReasonClickID
	}
	reason := readReferrer(p, e, referrer)
	if reason != ReasonReferrer && e.Campaign != "" {
		return ReasonUTM
	}
	return reason
}

// readReferrer fills Source and Medium from the referrer's host, if that is where the person comes from.
func readReferrer(p *collector.Project, e *event.Event, host string) string {
	if host == "" {
		return ReasonNone
	}
	if isOwn(p, e.Host, host) {
		return ReasonSelfReferral
	}
	from := knownSources.host(host)
	switch from.category {
	case payment:
		return ReasonPayment
	case login:
		return ReasonLogin
	case search:
		e.Source, e.Medium = from.name, "organic"
	case social:
		e.Source, e.Medium = from.name, "social"
	case "email":
		e.Source, e.Medium = from.name, "email"
	default:
		e.Source, e.Medium = or(from.name, strings.TrimPrefix(host, "www.")), "referral"
	}
	return ReasonReferrer
}

// isOwn reports whether a referrer's host belongs to the site itself or to another one that sends to the project.
func isOwn(p *collector.Project, own, referrer string) bool {
	if collector.SameSite(own, referrer) {
		return true
	}
	for _, origin := range p.Origins { // "https://shop.example" or "https://*.shop.example"
		_, authority, _ := strings.Cut(origin, "://")
		if collector.SameSite(hostname(strings.TrimPrefix(authority, "*.")), referrer) {
			return true
		}
	}
	return false
}

// explicitChannel returns the channel that the sender named: in the column of an import, or in a Touchpoint's
// properties, whose campaign it adopts. A known channel gets its exact spelling.
func explicitChannel(e *event.Event) string {
	if e.Channel == "" && e.Type == event.Track && e.Name == event.Touchpoint {
		readTouchpoint(e)
	}
	name := strings.TrimSpace(e.Channel)
	if name == "" {
		return ""
	}
	for _, known := range Channels() {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return clip(name, maxChannel)
}

func readTouchpoint(e *event.Event) {
	parser := parsers.Get()
	defer parsers.Put(parser)
	properties, err := parser.Parse(e.Properties)
	if err != nil {
		return
	}
	e.Channel = withoutNUL(string(properties.GetStringBytes("channel")))
	e.Campaign = or(withoutNUL(string(properties.GetStringBytes("campaign"))), e.Campaign)
}

// clip cuts s to at most n bytes, without leaving half a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// urlCampaign is what a URL's query says of where its visitor comes from.
type urlCampaign struct {
	source, medium, campaign, term, content string

	clickID string
	click   clickID
}

// scanQuery reads a raw query, once and without building a map. Of a parameter that is repeated the first value counts.
func scanQuery(query string) (c urlCampaign) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if value == "" {
			continue
		}
		key = strings.TrimPrefix(strings.ToLower(key), "amp;") // "&amp;" copied from HTML
		if click, ok := knownClickIDs[key]; ok && (c.clickID == "" || click.rank < c.click.rank) {
			c.clickID, c.click = unescape(value), click
			continue
		}
		if field := c.field(key); field != nil && *field == "" {
			*field = unescape(value)
		}
	}
	return c
}

func (c *urlCampaign) field(key string) *string {
	switch key {
	case "utm_source":
		return &c.source
	case "utm_medium":
		return &c.medium
	case "utm_campaign":
		return &c.campaign
	case "utm_term":
		return &c.term
	case "utm_content":
		return &c.content
	}
	return nil
}

// unescape undoes percent-encoding; what is not well encoded stays as it is.
func unescape(value string) string {
	if !strings.ContainsAny(value, "%+") {
		return strings.ToValidUTF8(value, "")
	}
	plain, err := url.QueryUnescape(value)
	if err != nil {
		plain = value
	}
	return strings.TrimSpace(strings.ToValidUTF8(withoutNUL(plain), ""))
}

// withoutNUL is for texts that were escaped: the decoder, which has replaced NUL everywhere else, has not seen it there.
func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

var parsers fastjson.ParserPool
