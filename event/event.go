// Package event is the domain: what a touchpoint event is, the rules it must keep, and the errors that say which
// rule it broke. It imports the standard library only; everything else in the project may import it.
package event

import "net/netip"

// Type is a message type of the Segment spec.
type Type string

// The message types a client can send.
const (
	Track    Type = "track"
	Page     Type = "page"
	Screen   Type = "screen"
	Identify Type = "identify"
	Group    Type = "group"
	Alias    Type = "alias"
)

// Origin says by which door an event came in.
type Origin string

// The doors.
const (
	OriginBrowser Origin = "browser"
	OriginServer  Origin = "server"
	OriginPixel   Origin = "pixel"
	OriginLink    Origin = "link"
	OriginImport  Origin = "import"
)

// LibraryAccessLog is the Library of events that were lines of a web server's log: hits of a browser, though imported.
const LibraryAccessLog = "accesslog"

// Names of events with a meaning of their own.
const (
	OrderCompleted = "Order Completed"
	OrderRefunded  = "Order Refunded"
	OrderCancelled = "Order Cancelled"
	FileDownloaded = "File Downloaded"
	LinkClicked    = "Link Clicked"
	Touchpoint     = "Touchpoint"
)

// Event is one message as it is stored: a row of table events. Times are Unix milliseconds, UTC; 0 means absent.
// Strings own their bytes: nothing of a request's buffer is kept.
type Event struct {
	Project   string
	MessageID string
	Type      Type
	Name      string // the event's name for track, the page's or screen's for page and screen; column `event`

	AnonymousID string
	UserID      string
	AccountID   string
	PreviousID  string

	// Timestamp is the best estimate of when it happened. ClientTimestamp is what the client's clock said.
	Timestamp       int64
	ClientTimestamp int64
	SentAt          int64
	ReceivedAt      int64
	// TimeReplaced reports that Timestamp would have been later than MaxFuture after receipt and is ReceivedAt instead.
	TimeReplaced bool
	// Seq is the event's position in its batch or file.
	Seq uint32

	// ClientDay and ClientKey decide where the row is stored. They come only from what a client's retry repeats, so
	// that two copies of a message always meet. See StorageKey.
	ClientDay int32  // days since 1970-01-01; 0 when the client sent no time, or an absurd one
	ClientKey uint64 // keyless hash of the ids that the client sent; 0 of who objects to tracking, whatever was sent

	URL      string
	Host     string
	Path     string
	Title    string
	Referrer string

	Source        string
	Medium        string
	Campaign      string
	Term          string
	Content       string
	ClickID       string
	ClickIDType   string
	Channel       string
	ChannelReason string

	Country string // ISO 3166-1 alpha-2
	Region  string
	City    string

	Browser        string
	BrowserVersion string
	OS             string
	OSVersion      string
	Device         string // desktop, mobile, tablet, tv, console or ""

	IsBot     bool
	BotReason string

	Language string
	Timezone string
	Screen   string // "WIDTHxHEIGHT" in CSS pixels

	Value    int64  // millionths of Currency; 0 when none was sent
	Currency string // ISO 4217, upper case
	OrderID  string

	Properties string // JSON object or ""
	Traits     string // JSON object or ""
	Context    string // JSON object or "", without what has a column of its own

	Consent string
	Library string // "name/version" of the client
	Origin  Origin
}

// Client is what is known of the sender besides the message. It feeds the enrichment and is never stored as it is.
type Client struct {
	IP         netip.Addr // of the person; the zero Addr when unknown
	UserAgent  string
	Hints      Hints
	DoNotTrack bool // the request carried Sec-GPC: 1 or DNT: 1
}

// Hints are the User-Agent Client Hints of a request, as sent: quoted, or "" when absent.
type Hints struct {
	Brands   string // Sec-CH-UA
	Platform string // Sec-CH-UA-Platform
	Mobile   string // Sec-CH-UA-Mobile: ?0 or ?1
}
