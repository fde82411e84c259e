package enrich

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct{ source, medium, campaign, want string }{
		// Google's own definitions, one rule after the other.
		{"google", "cpc", "my Cross-network", CrossNetwork},
		{"amazon", "cpc", "", PaidShopping},
		{"google", "cpc", "eshop", PaidShopping},
		{"google", "cpc", "workshop", PaidSearch},
		{"google", "cpc", "shopping_de", PaidShopping},
		{"bing", "ppc", "", PaidSearch},
		{"google", "cpm", "", PaidSearch},
		{"www.google.de", "paid-search", "", PaidSearch},
		{"facebook", "paid_social", "", PaidSocial},
		{"ig", "cpc", "", PaidSocial},
		{"linkedin.com", "retargeting", "", PaidSocial},
		{"youtube", "cpv", "", PaidVideo},
		{"example.org", "banner", "", Display},
		{"example.org", "cpm", "", Display},
		{"taboola", "cpc", "", PaidOther},
		{"etsy.com", "", "", OrganicShopping},
		{"foo", "bar", "my-shop", OrganicShopping},
		{"pinterest", "", "", OrganicSocial},
		{"foo", "Social_Media", "", OrganicSocial},
		{"facebook", "email", "", OrganicSocial},
		{"vimeo.com", "", "", OrganicVideo},
		{"foo", "video-ad", "", OrganicVideo},
		{"duckduckgo", "", "", OrganicSearch},
		{"foo", "organic", "", OrganicSearch},
		{"foo", "referral", "", Referral},
		{"foo", "app", "", Referral},
		{"foo", "e mail", "", Email},
		{"e-mail", "", "", Email},
		{"foo", "affiliate", "", Affiliates},
		{"foo", "audio", "", Audio},
		{"sms", "", "", SMS},
		{"foo", "sms", "", SMS},
		{"foo", "webpush", "", MobilePush},
		{"foo", "mobile-app", "", MobilePush},
		{"foo", "notification", "", MobilePush},
		{"firebase", "", "", MobilePush},
		{"foo", "bar", "", Unassigned},
		{"foo", "", "", Unassigned},
		{"", "", "sale", Unassigned},
		// What a customer's journey has beyond them.
		{"perplexity", "referral", "", AIAssistants},
		{"foo", "llm", "", AIAssistants},
		{"chatgpt.com", "cpc", "", PaidOther},
		{"stackoverflow.com", "referral", "", Forums},
		{"foo", "forum", "", Forums},
		{"g2.com", "", "", ReviewSites},
		{"foo", "Review", "", ReviewSites},
		{"instagram", "influencer", "", Influencers},
		{"foo", "press release", "", Press},
		{"intercom", "chat", "", LiveChat},
		{"zoom", "webinar", "", Webinar},
		{"zendesk", "", "", Support},
		{"foo", "direct_mail", "", DirectMail},
		{"foo", "billboard", "", OutOfHome},
		{"foo", "Radio", "", Radio},
		{"foo", "tv", "", TV},
		{"hannover", "trade-show", "", TradeFairs},
		{"foo", "cold-call", "", SalesCalls},
		{"acme", "partner", "", Partners},
		{"foo", "refer-a-friend", "", WordOfMouth},
		{"foo", "newsletter", "", Email},
		{"newsletter", "", "", Email},
		{"billboard", "qr", "", OutOfHome},
		{"podcast", "", "", Audio},
	} {
		if got := classify(c.source, c.medium, c.campaign); got != c.want {
			t.Errorf("%s / %s / %s: got %s, want %s", c.source, c.medium, c.campaign, got, c.want)
		}
	}
}

// As Google publishes them, so with a "^" that is not at the beginning.
var (
	ga4Paid = regexp.MustCompile(`^(.*cp.*|ppc|retargeting|paid.*)$`)
	ga4Shop = regexp.MustCompile(`^(.*(([^a-df-z]|^)shop|shopping).*)$`) //nolint:gocritic // see above
)

func TestPatternsAreGoogles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`([a-z _-]{0,2}(cp|ppc|retargeting|paid|shop|shopping|e|x)){0,4}`).Draw(t, "word")
		if got, want := namesPayment(word), ga4Paid.MatchString(word); got != want {
			t.Errorf("%q: paid %v, want %v", word, got, want)
		}
		if got, want := namesShop(word), ga4Shop.MatchString(word); got != want {
			t.Errorf("%q: shop %v, want %v", word, got, want)
		}
	})
}
