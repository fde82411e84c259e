package enrich

import (
	"slices"
	"strings"
)

// The channels: GA4's default channel groups under their names, and what a customer's journey has beyond them.
const (
	Direct          = "Direct"
	CrossNetwork    = "Cross-network"
	PaidShopping    = "Paid Shopping"
	PaidSearch      = "Paid Search"
	PaidSocial      = "Paid Social"
	PaidVideo       = "Paid Video"
	Display         = "Display"
	PaidOther       = "Paid Other"
	OrganicShopping = "Organic Shopping"
	OrganicSocial   = "Organic Social"
	OrganicVideo    = "Organic Video"
	OrganicSearch   = "Organic Search"
	Referral        = "Referral"
	Email           = "Email"
	Affiliates      = "Affiliates"
	Audio           = "Audio"
	SMS             = "SMS"
	MobilePush      = "Mobile Push Notifications"
	AIAssistants    = "AI Assistants"
	Forums          = "Forums"
	ReviewSites     = "Review Sites"
	Influencers     = "Influencers"
	Press           = "Press"
	LiveChat        = "Live Chat"
	Webinar         = "Webinar"
	Support         = "Support"
	DirectMail      = "Direct Mail"
	OutOfHome       = "Out-of-Home"
	Radio           = "Radio"
	TV              = "TV"
	TradeFairs      = "Trade Fairs"
	SalesCalls      = "Sales Calls"
	Partners        = "Partners"
	WordOfMouth     = "Word of Mouth"
	Unassigned      = "Unassigned" // a campaign that no rule fits
)

// Channels returns the names of all channels that the rules can assign.
func Channels() []string {
	return []string{
		Direct, CrossNetwork, PaidShopping, PaidSearch, PaidSocial, PaidVideo, Display, PaidOther, OrganicShopping,
		OrganicSocial, OrganicVideo, OrganicSearch, Referral, Email, Affiliates, Audio, SMS, MobilePush, AIAssistants,
		Forums, ReviewSites, Influencers, Press, LiveChat, Webinar, Support, DirectMail, OutOfHome, Radio, TV,
		TradeFairs, SalesCalls, Partners, WordOfMouth, Unassigned,
	}
}

// traffic is what a rule judges, in lower case.
type traffic struct {
	source   string
	medium   string
	campaign string
	kind     category // of the source
	paid     bool     // by the medium
	shop     bool     // by the source or the campaign's name
}

// classify returns the channel of a source and a campaign, however they are spelled in upper and lower case. The rules
// are GA4's, in GA4's order, so that the figures of both can be compared: cpm from a search engine is Paid Search, a
// medium email from a social network is Organic Social. The channels beyond GA4's come after the paid ones and before
// the organic ones; what GA4 leaves unassigned gets a second chance by the words in its source.
func classify(from, medium, campaign string) string {
	t := traffic{source: strings.ToLower(from), medium: strings.ToLower(medium), campaign: strings.ToLower(campaign)}
	t.kind = knownSources.named(t.source).category
	t.paid = namesPayment(t.medium)
	t.shop = t.kind == shopping || namesShop(t.campaign)
	for _, rule := range [...]func(*traffic) string{paidChannel, extendedChannel, organicChannel, ownedChannel} {
		if channel := rule(&t); channel != "" {
			return channel
		}
	}
	if channel := knownMediums[hyphenated(t.source)]; channel != "" {
		return channel
	}
	return Unassigned
}

func paidChannel(t *traffic) string {
	switch {
	case strings.Contains(t.campaign, "cross-network"):
		return CrossNetwork
	case t.paid && t.shop:
		return PaidShopping
	case t.paid && t.kind == search:
		return PaidSearch
	case t.paid && t.kind == social:
		return PaidSocial
	case t.paid && t.kind == video:
		return PaidVideo
	case oneOf(t.medium, "display", "banner", "expandable", "interstitial", "cpm"):
		return Display
	case t.paid:
		return PaidOther
	}
	return ""
}

// extendedChannel knows what GA4 does not: by the word that somebody chose as medium, then by the kind of the source.
func extendedChannel(t *traffic) string {
	if channel := knownMediums[hyphenated(t.medium)]; channel != "" {
		return channel
	}
	switch t.kind {
	case "ai":
		return AIAssistants
	case "forum":
		return Forums
	case "review":
		return ReviewSites
	case "press":
		return Press
	case "webinar":
		return Webinar
	case "support":
		return Support
	case "chat":
		return LiveChat
	case "email":
		return Email
	}
	return ""
}

func organicChannel(t *traffic) string {
	switch {
	case t.shop:
		return OrganicShopping
	case t.kind == social || oneOf(hyphenated(t.medium), "social", "social-network", "social-media", "sm"):
		return OrganicSocial
	case t.kind == video || strings.Contains(t.medium, "video"):
		return OrganicVideo
	case t.kind == search || t.medium == "organic":
		return OrganicSearch
	case oneOf(t.medium, "referral", "app", "link"):
		return Referral
	}
	return ""
}

func ownedChannel(t *traffic) string {
	switch {
	case oneOf(hyphenated(t.source), "email", "e-mail") || oneOf(hyphenated(t.medium), "email", "e-mail"):
		return Email
	case t.medium == "affiliate":
		return Affiliates
	case t.medium == "audio":
		return Audio
	case t.source == "sms" || t.medium == "sms":
		return SMS
	case strings.HasSuffix(t.medium, "push") || strings.Contains(t.medium, "mobile") ||
		strings.Contains(t.medium, "notification") || t.source == "firebase":
		return MobilePush
	}
	return ""
}

// namesPayment is GA4's ^(.*cp.*|ppc|retargeting|paid.*)$.
func namesPayment(medium string) bool {
	return strings.Contains(medium, "cp") || medium == "ppc" || medium == "retargeting" || strings.HasPrefix(medium, "paid")
}

// namesShop is GA4's ^(.*(([^a-df-z]|^)shop|shopping).*)$: "eshop" and "my-shop" do, "workshop" does not.
func namesShop(campaign string) bool {
	if strings.Contains(campaign, "shopping") {
		return true
	}
	for rest := campaign; ; {
		i := strings.Index(rest, "shop")
		if i < 0 {
			return false
		}
		before := len(campaign) - len(rest) + i - 1
		if before < 0 || campaign[before] == 'e' || campaign[before] < 'a' || campaign[before] > 'z' {
			return true
		}
		rest = rest[i+len("shop"):]
	}
}

func oneOf(s string, words ...string) bool { return slices.Contains(words, s) }

// hyphenated makes the spellings "social media", "social_media" and "social-media" one.
func hyphenated(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' {
			return '-'
		}
		return r
	}, s)
}
