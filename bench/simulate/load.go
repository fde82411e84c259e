package simulate

import (
	"context"
	_ "embed" // for the statement
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// chunk is how many people one statement makes: four million events, as many as one block may hold, are few parts.
const chunk = 400_000

// way is how people come to the site: what the collector makes of the address and the referrer of their first page.
type way struct {
	percent         int // of all visits
	persuasion      float64
	channel, reason string
	source, medium  string
	campaign        string // what the names of its campaigns begin with
	campaigns       uint16
	click           string // parameter with the id of the click
	referrer        string
}

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

// Load makes events inside the database, far faster than they could be sent: those of a year, and of single days after
// it. It is for measuring what works on events that are there; how they come in is not measured. client_key is another
// hash than the collector's.
type Load struct {
	Project string
	Seed    uint64
	Events  uint64    // about as many in the year, of a tenth as many people
	End     time.Time // of the year, exclusive
}

//go:embed load.sql
var loadSQL string

// people of the year: ten events each in the mean.
func (l Load) people() uint64 { return l.Events / 10 }

// Year inserts the events of the year. progress is called with the share that is done.
func (l Load) Year(ctx context.Context, conn driver.Conn, progress func(float64)) error {
	for first := uint64(0); first < l.people(); first += chunk {
		count := min(chunk, l.people()-first)
		if err := l.insert(ctx, conn, 0, first, count); err != nil {
			return err
		}
		progress(float64(first+count) / float64(l.people()))
	}
	return nil
}

// Day inserts what happens on a day after the year, 1 being the first: visits of about 1.3 % of the people and of a few
// new ones. Some log in for the first time, which links what they did before; some visits are reported late.
func (l Load) Day(ctx context.Context, conn driver.Conn, day uint32) error {
	if err := l.insert(ctx, conn, day, 0, l.people()); err != nil {
		return err
	}
	newcomers := l.people() / 1000
	return l.insert(ctx, conn, day, l.people()+uint64(day-1)*newcomers, newcomers)
}

func (l Load) insert(ctx context.Context, conn driver.Conn, day uint32, first, count uint64) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"optimize_on_insert": 0, "max_insert_threads": 2, "max_block_size": 16384,
		"min_insert_block_size_rows": 4_000_000, "min_insert_block_size_bytes": 3_000_000_000,
	}))
	args := []any{
		clickhouse.Named("project", l.Project), clickhouse.Named("seed", l.Seed), clickhouse.Named("people", l.people()),
		clickhouse.Named("end", l.End.UnixMilli()), clickhouse.Named("day", day),
		clickhouse.Named("first", first), clickhouse.Named("count", count),
	}
	if err := conn.Exec(ctx, loadSQL, append(args, wayArgs()...)...); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}

// wayArgs are the columns of ways, and for each of a hundred visits its way.
func wayArgs() []any {
	n := len(ways)
	var index []uint16
	persuasion, campaigns := make([]float64, n), make([]uint16, n)
	channel, reason, source, medium := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	campaign, click, referrer := make([]string, n), make([]string, n), make([]string, n)
	for i, w := range ways {
		for range w.percent {
			index = append(index, uint16(i+1))
		}
		persuasion[i], campaigns[i] = w.persuasion, w.campaigns
		channel[i], reason[i], source[i], medium[i] = w.channel, w.reason, w.source, w.medium
		campaign[i], click[i], referrer[i] = w.campaign, w.click, w.referrer
	}
	return []any{
		clickhouse.Named("way", index), clickhouse.Named("persuasion", persuasion), clickhouse.Named("campaigns", campaigns),
		clickhouse.Named("channel", channel), clickhouse.Named("reason", reason), clickhouse.Named("source", source),
		clickhouse.Named("medium", medium), clickhouse.Named("campaign", campaign), clickhouse.Named("click", click),
		clickhouse.Named("referrer", referrer),
	}
}
