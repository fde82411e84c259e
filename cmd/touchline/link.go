package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/link"
)

// linkCommand makes signed links. It needs the configuration and nothing that runs.
type linkCommand struct {
	Project  string `help:"Project." required:""`
	To       string `help:"Target: the absolute URL that the link leads to." required:"" placeholder:"URL"`
	Source   string `help:"Where the link is, such as newsletter."`
	Medium   string `help:"Such as email or social."`
	Campaign string `help:"Campaign."`
	Term     string `help:"Search term."`
	Content  string `help:"Variant of the mail or advertisement."`
	UID      string `name:"uid" help:"User whom the link is made for; whoever clicks counts as them." placeholder:"ID"`
	AID      string `name:"aid" help:"Device whom the link is made for." placeholder:"ID"`
	Label    string `help:"Tells links of one message apart, such as footer."`
	Expires  string `help:"How long the link works (default: 365d)." default:"365d" placeholder:"90d"`
	Base     string `help:"Address of the collector as people reach it, such as https://t.shop.example." placeholder:"URL"`
}

func (c *linkCommand) Run(g *globals) error {
	if !g.found() {
		return errors.New("there is no configuration here; name one with --config, or an installation with --data")
	}
	cfg, err := g.load()
	if err != nil {
		return err
	}
	token, err := c.token(cfg, time.Now())
	if err != nil {
		return err
	}
	base, err := c.base(cfg, g.stderr)
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Fprintln(os.Stdout, base+"/r/"+token)
	return err
}

func (c *linkCommand) token(cfg *config, now time.Time) (string, error) {
	_, project, err := cfg.project(c.Project)
	if err != nil {
		return "", usageError{err}
	}
	if len(project.LinkSecret) == 0 {
		return "", fmt.Errorf("project %s has no link_secret; set one in the configuration, such as openssl rand -hex 24 makes", c.Project)
	}
	valid, err := parseDuration(c.Expires)
	if err != nil {
		return "", usageError{fmt.Errorf("--expires %w", err)}
	}
	token, err := link.Sign(&collector.Link{
		Project: c.Project, Target: c.To,
		Source: c.Source, Medium: c.Medium, Campaign: c.Campaign, Term: c.Term, Content: c.Content,
		UserID: c.UID, AnonymousID: c.AID, Label: c.Label, Expires: now.Add(valid),
	}, project.LinkSecret)
	if err != nil {
		return "", usageError{err}
	}
	return token, nil
}

// base is what the link begins with. Without --base it is the address on this machine, to try the link.
func (c *linkCommand) base(cfg *config, stderr io.Writer) (string, error) {
	if c.Base != "" {
		u, err := url.Parse(c.Base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return "", fmt.Errorf("--base is %q; want an address like https://t.shop.example", c.Base)
		}
		return strings.TrimRight(c.Base, "/"), nil
	}
	host, port, err := net.SplitHostPort(cfg.Collector.Listen)
	if err != nil {
		return "", fmt.Errorf("--base is missing, and collector.listen says no address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	fmt.Fprintln(stderr, "note: a link to try on this machine; --base is the address that others reach")
	return "http://" + net.JoinHostPort(host, port), nil
}
