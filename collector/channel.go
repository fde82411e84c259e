package collector

// ChannelRule is a project's own rule for a channel. All of its patterns that are not empty must match; * stands for any
// characters, or none, of a value that is there. Patterns are in lower case and are compared without regard to case.
type ChannelRule struct {
	Channel string

	Source   string // utm_source, or the source that the click id or the referrer stands for
	Medium   string
	Campaign string
	Term     string
	Content  string
	Referrer string // host
	ClickID  string // type of the click id: gclid
}
