package enrich

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

var shop = &collector.Project{ID: "shop", Origins: []string{"https://shop.example", "https://*.shop-blog.example"}}

// enriched returns what Page and Channel make of an event, without the fields that are given to them.
func enriched(e event.Event) event.Event {
	given := e
	Pipeline{Page{}, Channel{}}.Enrich(shop, &event.Client{}, &e)
	e.URL, e.Host, e.Path, e.Referrer, e.Type, e.Name, e.Properties = "", "", "", "", "", "", ""
	if e.Origin != given.Origin {
		panic("origin changed")
	}
	return e
}

func TestChannelOfVisit(t *testing.T) {
	const home = "https://www.shop.example/"
	for name, c := range map[string]struct {
		url, referrer string
		want          event.Event
	}{
		"typed in": {home, "", event.Event{Channel: Direct, ChannelReason: ReasonNone}},
		"UTM": {
			home + "?utm_source=Google&utm_medium=CPC&utm_campaign=Sommer+2024%21&utm_term=red%20shoes&utm_content=b", "",
			event.Event{
				Source: "Google", Medium: "CPC", Campaign: "Sommer 2024!", Term: "red shoes", Content: "b",
				Channel: PaidSearch, ChannelReason: ReasonUTM,
			},
		},
		"UTM before click id and referrer": {
			home + "?utm_source=newsletter&utm_medium=email&gclid=G1", "https://www.facebook.com/",
			event.Event{Source: "newsletter", Medium: "email", ClickID: "G1", ClickIDType: "gclid", Channel: Email, ChannelReason: ReasonUTM},
		},
		"UTM copied from HTML, first value counts, key in capitals": {
			home + "?a=b&amp;utm_source=fb&amp;UTM_Medium=social&utm_source=other", "",
			event.Event{Source: "fb", Medium: "social", Channel: OrganicSocial, ChannelReason: ReasonUTM},
		},
		"UTM with broken encoding": {
			home + "?utm_source=50%zz&utm_medium=email", "",
			event.Event{Source: "50%zz", Medium: "email", Channel: Email, ChannelReason: ReasonUTM},
		},
		"UTM that no rule knows": {
			home + "?utm_source=foo&utm_medium=bar", "",
			event.Event{Source: "foo", Medium: "bar", Channel: Unassigned, ChannelReason: ReasonUTM},
		},
		"UTM of an assistant": {
			home + "?utm_source=chatgpt.com", "https://chatgpt.com/",
			event.Event{Source: "chatgpt.com", Channel: AIAssistants, ChannelReason: ReasonUTM},
		},
		"UTM on an internal link": {
			home + "?utm_source=banner&utm_medium=display", home,
			event.Event{Source: "banner", Medium: "display", Channel: Display, ChannelReason: ReasonUTM},
		},
		"UTM that says direct": {
			home + "?utm_source=(direct)&utm_medium=(none)", "",
			event.Event{Channel: Direct, ChannelReason: ReasonNone},
		},
		"campaign alone": {
			home + "?utm_campaign=sale", "",
			event.Event{Campaign: "sale", Channel: Unassigned, ChannelReason: ReasonUTM},
		},
		"campaign alone from a search engine": {
			home + "?utm_campaign=sale", "https://www.bing.com/",
			event.Event{Source: "bing", Medium: "organic", Campaign: "sale", Channel: OrganicSearch, ChannelReason: ReasonReferrer},
		},
		"gclid": {
			home + "?gclid=G1", "https://www.google.com/",
			event.Event{Source: "google", Medium: "cpc", ClickID: "G1", ClickIDType: "gclid", Channel: PaidSearch, ChannelReason: ReasonClickID},
		},
		"gclid completes a source": {
			home + "?utm_source=google&gclid=G1", "",
			event.Event{Source: "google", Medium: "cpc", ClickID: "G1", ClickIDType: "gclid", Channel: PaidSearch, ChannelReason: ReasonUTM},
		},
		"gclid does not complete another": {
			home + "?utm_source=bing&gclid=G1", "",
			event.Event{Source: "bing", ClickID: "G1", ClickIDType: "gclid", Channel: OrganicSearch, ChannelReason: ReasonUTM},
		},
		"the more telling of two click ids": {
			home + "?fbclid=F1&gbraid=B1", "",
			event.Event{Source: "google", Medium: "cpc", ClickID: "B1", ClickIDType: "gbraid", Channel: PaidSearch, ChannelReason: ReasonClickID},
		},
		"gclid opened from an app": {
			home + "?gclid=G1", "https://l.instagram.com/",
			event.Event{Source: "google", Medium: "cpc", ClickID: "G1", ClickIDType: "gclid", Channel: PaidSearch, ChannelReason: ReasonClickID},
		},
		"dclid": {
			home + "?dclid=D1", "",
			event.Event{Source: "google", Medium: "display", ClickID: "D1", ClickIDType: "dclid", Channel: Display, ChannelReason: ReasonClickID},
		},
		"fbclid": {
			home + "?fbclid=F1", "https://www.example.org/",
			event.Event{Source: "facebook", Medium: "social", ClickID: "F1", ClickIDType: "fbclid", Channel: OrganicSocial, ChannelReason: ReasonClickID},
		},
		"fbclid of Instagram": {
			home + "?fbclid=F1", "https://l.instagram.com/",
			event.Event{Source: "instagram", Medium: "social", ClickID: "F1", ClickIDType: "fbclid", Channel: OrganicSocial, ChannelReason: ReasonClickID},
		},
		"ScCid": {
			home + "?ScCid=S1", "",
			event.Event{Source: "snapchat", Medium: "cpc", ClickID: "S1", ClickIDType: "sccid", Channel: PaidSocial, ChannelReason: ReasonClickID},
		},
		"no click ids":             {home + "?mc_eid=1&igshid=2&gclid=", "", event.Event{Channel: Direct, ChannelReason: ReasonNone}},
		"search":                   {home, "https://www.google.co.uk/search?q=shoes", event.Event{Source: "google", Medium: "organic", Channel: OrganicSearch, ChannelReason: ReasonReferrer}},
		"search app":               {home, "android-app://com.google.android.googlequicksearchbox/", event.Event{Source: "google", Medium: "organic", Channel: OrganicSearch, ChannelReason: ReasonReferrer}},
		"social":                   {home, "https://L.Facebook.com:443/l.php", event.Event{Source: "facebook", Medium: "social", Channel: OrganicSocial, ChannelReason: ReasonReferrer}},
		"video":                    {home, "https://www.youtube.com/", event.Event{Source: "youtube", Medium: "referral", Channel: OrganicVideo, ChannelReason: ReasonReferrer}},
		"shopping":                 {home, "https://www.idealo.de/", event.Event{Source: "idealo", Medium: "referral", Channel: OrganicShopping, ChannelReason: ReasonReferrer}},
		"web mail":                 {home, "https://mail.google.com/", event.Event{Source: "gmail", Medium: "email", Channel: Email, ChannelReason: ReasonReferrer}},
		"assistant":                {home, "https://claude.ai/chat/1", event.Event{Source: "claude", Medium: "referral", Channel: AIAssistants, ChannelReason: ReasonReferrer}},
		"forum":                    {home, "https://news.ycombinator.com/", event.Event{Source: "hackernews", Medium: "referral", Channel: Forums, ChannelReason: ReasonReferrer}},
		"review site":              {home, "https://de.trustpilot.com/", event.Event{Source: "trustpilot", Medium: "referral", Channel: ReviewSites, ChannelReason: ReasonReferrer}},
		"press":                    {home, "https://www.heise.de/", event.Event{Source: "heise", Medium: "referral", Channel: Press, ChannelReason: ReasonReferrer}},
		"another site":             {home, "https://www.example.org/x", event.Event{Source: "example.org", Medium: "referral", Channel: Referral, ChannelReason: ReasonReferrer}},
		"IPv6":                     {home, "http://[2001:db8::1]:8080/", event.Event{Source: "2001:db8::1", Medium: "referral", Channel: Referral, ChannelReason: ReasonReferrer}},
		"the site itself":          {home, "https://checkout.shop.example/cart", event.Event{Channel: Direct, ChannelReason: ReasonSelfReferral}},
		"another of the project's": {home, "https://www.shop-blog.example/", event.Event{Channel: Direct, ChannelReason: ReasonSelfReferral}},
		"no URL, own referrer":     {"", "https://www.shop.example/", event.Event{Channel: Direct, ChannelReason: ReasonSelfReferral}},
		"PayPal":                   {home + "thanks", "https://www.paypal.com/", event.Event{Channel: Direct, ChannelReason: ReasonPayment}},
		"Stripe":                   {home + "thanks", "https://checkout.stripe.com/c/pay", event.Event{Channel: Direct, ChannelReason: ReasonPayment}},
		"3-D Secure":               {home + "thanks", "https://authentication.cardinalcommerce.com/", event.Event{Channel: Direct, ChannelReason: ReasonPayment}},
		"sign-in":                  {home, "https://accounts.google.com/", event.Event{Channel: Direct, ChannelReason: ReasonLogin}},
		"garbage referrer":         {home, "://%%\x00[", event.Event{Channel: Direct, ChannelReason: ReasonNone}},
		"nothing at all":           {"", "", event.Event{Channel: Direct, ChannelReason: ReasonNone}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := enriched(event.Event{URL: c.url, Referrer: c.referrer}); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestChannelOfContextCampaign(t *testing.T) {
	got := enriched(event.Event{
		URL: "https://www.shop.example/?utm_source=bing&utm_medium=cpc&utm_term=t", Source: "partner.example", Medium: "Trade_Fair",
	})
	want := event.Event{Source: "partner.example", Medium: "Trade_Fair", Channel: TradeFairs, ChannelReason: ReasonUTM}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestExplicitChannel(t *testing.T) {
	touch := func(properties string) event.Event {
		return event.Event{
			Type: event.Track, Name: event.Touchpoint, Properties: properties, Referrer: "https://www.google.com/", Campaign: "old",
		}
	}
	long := strings.Repeat("ü", 60)
	for name, c := range map[string]struct {
		event event.Event
		want  event.Event
	}{
		"known":    {touch(`{"channel":" trade fairs "}`), event.Event{Campaign: "old", Channel: TradeFairs, ChannelReason: ReasonExplicit}},
		"campaign": {touch(`{"channel":"TV","campaign":"Super Bowl"}`), event.Event{Campaign: "Super Bowl", Channel: TV, ChannelReason: ReasonExplicit}},
		"own":      {touch(`{"channel":"Store Visit"}`), event.Event{Campaign: "old", Channel: "Store Visit", ChannelReason: ReasonExplicit}},
		"too long": {touch(`{"channel":"x` + long + `"}`), event.Event{Campaign: "old", Channel: "x" + long[:98], ChannelReason: ReasonExplicit}},
		"none":     {touch(`{"cost":5}`), event.Event{Source: "google", Medium: "organic", Campaign: "old", Channel: OrganicSearch, ChannelReason: ReasonReferrer}},
		"no text":  {touch(`{"channel":7}`), event.Event{Source: "google", Medium: "organic", Campaign: "old", Channel: OrganicSearch, ChannelReason: ReasonReferrer}},
		"no JSON":  {touch(`{`), event.Event{Source: "google", Medium: "organic", Campaign: "old", Channel: OrganicSearch, ChannelReason: ReasonReferrer}},
		"other event": {
			event.Event{Type: event.Track, Name: "Signed Up", Properties: `{"channel":"TV"}`},
			event.Event{Channel: Direct, ChannelReason: ReasonNone},
		},
		"column of an import": {
			event.Event{Type: event.Page, Channel: "radio", Source: "swr3"},
			event.Event{Source: "swr3", Channel: Radio, ChannelReason: ReasonExplicit},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := enriched(c.event); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestIsEvidence(t *testing.T) {
	var got []string
	for _, reason := range []string{
		ReasonExplicit, ReasonUTM, ReasonClickID, ReasonReferrer, ReasonSelfReferral, ReasonPayment, ReasonLogin, ReasonNone, "",
	} {
		if IsEvidence(reason) {
			got = append(got, reason)
		}
	}
	if want := []string{"explicit", "utm", "click_id", "referrer"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzChannel(f *testing.F) {
	f.Add("https://www.shop.example/?utm_source=google&utm_medium=cpc&gclid=1", "https://www.google.co.uk/")
	f.Add("https://xn--mnchen-3ya.de/?fbclid=%zz&&=&amp;", "android-app://com.google.android.gm/")
	f.Add("http://[::1]:80/?utm_campaign=shop", "https://SHOP.example.:443/")
	f.Add("?utm_source=%ff&utm_medium=(none)", "http://..google.")
	f.Fuzz(func(t *testing.T, url, referrer string) {
		e := event.Event{URL: url, Referrer: referrer}
		Pipeline{Page{}, Channel{}}.Enrich(shop, &event.Client{}, &e)
		if !slices.Contains(Channels(), e.Channel) {
			t.Fatalf("unknown channel %q", e.Channel)
		}
		if IsEvidence(e.ChannelReason) == (e.Channel == Direct) {
			t.Fatalf("channel %q with reason %q", e.Channel, e.ChannelReason)
		}
		for _, s := range []string{e.Source, e.Medium, e.Campaign, e.Term, e.Content, e.ClickID, e.Host} {
			if !utf8.ValidString(s) {
				t.Fatalf("%q is no UTF-8", s)
			}
		}
	})
}

// The decoder sees no NUL that is escaped in an address or in properties.
func TestEscapedNULIsLeftOut(t *testing.T) {
	for _, e := range []event.Event{
		{Type: event.Page, URL: "https://shop.example/?utm_source=a%00b&utm_medium=c%00&utm_campaign=%00d&gclid=%00e"},
		{Type: event.Track, Name: event.Touchpoint, Properties: `{"channel":"a\u0000b","campaign":"\u0000"}`},
	} {
		Channel{}.Enrich(shop, &event.Client{}, &e)
		if got := e.Source + e.Medium + e.Campaign + e.ClickID + e.Channel; got == "" || strings.Contains(got, "\x00") {
			t.Errorf("%q", got)
		}
	}
}
