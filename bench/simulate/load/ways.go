package load

import "github.com/ClickHouse/clickhouse-go/v2"

// way is one by which people come to the site: what their first page's address and referrer say, and what the collector
// makes of it.
type way struct {
	percent         int     // of all visits
	persuasion      float64 // how much likelier than others such a visit ends with an order
	channel, reason string
	source, medium  string
	campaign        string // what the names of its campaigns begin with
	campaigns       uint16
	click           string // parameter that carries the id of the click
	referrer        string
}

// ways add up to a hundred percent, twelve channels and fifty campaigns. The first one is that of events which say nothing.
var ways = []way{
	{30, 1.2, "Direct", "none", "", "", "", 0, "", ""},
	{17, 0.9, "Organic Search", "referrer", "google", "organic", "", 0, "", "https://www.google.com/"},
	{3, 0.9, "Organic Search", "referrer", "bing", "organic", "", 0, "", "https://www.bing.com/"},
	{2, 0.9, "Organic Search", "referrer", "duckduckgo", "organic", "", 0, "", "https://duckduckgo.com/"},
	{8, 1.3, "Paid Search", "utm", "google", "cpc", "search", 12, "gclid", "https://www.google.com/"},
	{4, 1.1, "Paid Search", "click_id", "google", "cpc", "", 0, "gclid", "https://www.google.com/"},
	{8, 0.7, "Paid Social", "utm", "facebook", "paid_social", "social", 12, "fbclid", "https://www.facebook.com/"},
	{3, 0.6, "Organic Social", "referrer", "instagram", "social", "", 0, "", "https://www.instagram.com/"},
	{2, 0.6, "Organic Social", "referrer", "facebook", "social", "", 0, "", "https://www.facebook.com/"},
	{1, 0.6, "Organic Social", "referrer", "pinterest", "social", "", 0, "", "https://www.pinterest.com/"},
	{9, 1.5, "Email", "utm", "newsletter", "email", "issue", 12, "", ""},
	{4, 0.4, "Display", "utm", "adnetwork", "display", "banner", 6, "", "https://news.example/"},
	{3, 1.4, "Affiliates", "utm", "vouchers", "affiliate", "voucher", 4, "", "https://vouchers.example/"},
	{2, 0.9, "Referral", "referrer", "livingblog.example", "referral", "", 0, "", "https://livingblog.example/lamps"},
	{1, 0.9, "Referral", "referrer", "nordichome.example", "referral", "", 0, "", "https://nordichome.example/"},
	{1, 1.2, "AI Assistants", "referrer", "chatgpt", "referral", "", 0, "", "https://chatgpt.com/"},
	{1, 1.0, "Influencers", "utm", "lena-at-home", "influencer", "room-tour", 3, "", "https://www.youtube.com/"},
	{1, 1.0, "SMS", "utm", "sms", "sms", "sale", 1, "", ""},
}

// wayParams are the statement's parameters that hold the columns of ways, and {way}: of each percent, which way it is.
func wayParams() []any {
	var percents, campaigns []uint16
	var persuasion []float64
	var channel, reason, source, medium, campaign, click, referrer []string
	for i, w := range ways {
		for range w.percent {
			percents = append(percents, uint16(i+1)) //nolint:gosec // there are 18
		}
		campaigns, persuasion = append(campaigns, w.campaigns), append(persuasion, w.persuasion)
		channel, reason = append(channel, w.channel), append(reason, w.reason)
		source, medium = append(source, w.source), append(medium, w.medium)
		campaign, click, referrer = append(campaign, w.campaign), append(click, w.click), append(referrer, w.referrer)
	}
	return []any{
		clickhouse.Named("way", percents), clickhouse.Named("campaigns", campaigns), clickhouse.Named("persuasion", persuasion),
		clickhouse.Named("channel", channel), clickhouse.Named("reason", reason),
		clickhouse.Named("source", source), clickhouse.Named("medium", medium),
		clickhouse.Named("campaign", campaign), clickhouse.Named("click", click), clickhouse.Named("referrer", referrer),
	}
}
