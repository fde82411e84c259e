package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/handler"
	"github.com/touchline-hq/touchline/collector/link"
)

// config is the configuration file. Its zero value, with defaults filled in, is what runs without a file.
type config struct {
	Data       string           `yaml:"data"`
	Collector  collectorConfig  `yaml:"collector"`
	Dashboards dashboardsConfig `yaml:"dashboards"`
	ClickHouse clickhouseConfig `yaml:"clickhouse"`
	GeoIP      geoConfig        `yaml:"geoip"`
	Jobs       jobsConfig       `yaml:"jobs"`
	Projects   []projectConfig  `yaml:"projects"`

	file       string // absolute path; empty without a file
	spoolLimit int64  // bytes
	proxies    handler.Proxies
	cookie     handler.Cookie
	limits     limits
	every      time.Duration // between scheduled runs of attribution; 0: none
	collecting []collector.Project
	attributed []attribution.Project
	warnings   []string
}

type collectorConfig struct {
	Listen     string       `yaml:"listen"`
	Admin      string       `yaml:"admin"`
	Durability string       `yaml:"durability"`
	SpoolLimit string       `yaml:"spool_limit"`
	Limits     limitsConfig `yaml:"limits"`

	TrustedProxies []string          `yaml:"trusted_proxies"`
	Paths          map[string]string `yaml:"paths"`
	Cookie         cookieConfig      `yaml:"cookie"`
}

type dashboardsConfig struct {
	Listen string `yaml:"listen"`
}

type clickhouseConfig struct {
	DSN     string `yaml:"dsn"`
	Binary  string `yaml:"binary"`
	Cluster string `yaml:"cluster"`
}

type geoConfig struct {
	Database string `yaml:"database"`
}

type projectConfig struct {
	ID          string             `yaml:"id"`
	WriteKeys   []string           `yaml:"write_keys"`
	ReadTokens  []string           `yaml:"read_tokens"`
	Origins     []string           `yaml:"origins"`
	LinkSecret  string             `yaml:"link_secret"`
	Timezone    string             `yaml:"timezone"`
	Currency    string             `yaml:"currency"`
	Privacy     privacyConfig      `yaml:"privacy"`
	Conversions []conversionConfig `yaml:"conversions"`
	Milestones  milestonesConfig   `yaml:"milestones"`
	Touches     []string           `yaml:"touches"`
	Traits      traitsConfig       `yaml:"traits"`
	Models      modelsConfig       `yaml:"models"`
	Lookback    string             `yaml:"lookback"`
	Inactivity  string             `yaml:"inactivity"`
	StageModel  string             `yaml:"stage_model"`
	RateLimit   rateConfig         `yaml:"rate_limit"`
	Channels    []channelConfig    `yaml:"channels"`
}

type privacyConfig struct {
	Mode       string `yaml:"mode"`
	IP         string `yaml:"ip"`
	RespectGPC *bool  `yaml:"respect_gpc"`
	Retention  string `yaml:"retention"`
}

type conversionConfig struct {
	Event string `yaml:"event"`
	Value string `yaml:"value"`
}

const (
	defaultData       = "./data"
	defaultLookback   = 90 * 24 * time.Hour
	maxLookback       = 730 * 24 * time.Hour
	defaultInactivity = 30 * 24 * time.Hour
	defaultSpoolLimit = 10 << 30
)

// configError says which setting is wrong and what would be right. path is the setting's place in the file.
type configError struct {
	path string // "projects[0].privacy.mode"
	want string
}

func (e *configError) Error() string { return e.path + ": " + e.want }

// loadConfig reads a configuration file. Every error is one line that begins with FILE:LINE:COLUMN.
func loadConfig(name string) (*config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return parseConfig(name, data)
}

// parseConfig reads the text of the configuration file called name.
func parseConfig(name string, data []byte) (*config, error) {
	c := &config{}
	err := unmarshalYAML(data, c)
	if err != nil {
		return nil, yamlError(name, err)
	}
	if c.file, err = filepath.Abs(name); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	err = c.expand(os.LookupEnv)
	if err == nil {
		err = c.complete()
	}
	if err == nil && len(c.Projects) == 0 {
		err = &configError{"projects", "is missing; name at least one project"}
	}
	if bad := (*configError)(nil); errors.As(err, &bad) {
		line, column := position(data, bad.path)
		return nil, fmt.Errorf("%s:%d:%d: %w", name, line, column, err)
	}
	return c, err
}

// unmarshalYAML is strict about keys. The library panics over some files, such as one with a tag before nothing; a reload
// of such a file must not end what is running.
func unmarshalYAML(data []byte, c *config) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("cannot be read as YAML; look for a tag (!), anchor (&) or alias (*) that is out of place")
		}
	}()
	return yaml.UnmarshalWithOptions(data, c, yaml.Strict())
}

// yamlError puts the place of an error in front of it and keeps it on one line.
func yamlError(name string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%s:1:1: %s", name, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	p := at.GetToken().Position
	if wrong := (*yaml.TypeError)(nil); errors.As(err, &wrong) { // whose message speaks of the program's types
		want := "a text"
		if wrong.DstType.Kind() == reflect.Bool {
			want = "true or false"
		}
		return fmt.Errorf("%s:%d:%d: is not %s", name, p.Line, p.Column, want)
	}
	return fmt.Errorf("%s:%d:%d: %s", name, p.Line, p.Column, strings.Replace(at.GetMessage(), "unknown field", "unknown key", 1))
}

// position finds a setting in the file, or the nearest one around it.
func position(data []byte, path string) (line, column int) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil || len(file.Docs) == 0 {
		return 1, 1
	}
	for path != "" {
		if node := find(file, path); node != nil {
			p := node.GetToken().Position
			return p.Line, p.Column
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1, 1
}

func find(file *ast.File, path string) ast.Node {
	p, err := yaml.PathString("$." + path)
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(file)
	if err != nil {
		return nil
	}
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key // the token of a mapping is its first colon
	}
	return node
}

// complete checks the settings, fills in defaults and derives what the parts of the program are given.
func (c *config) complete() error {
	setDefault(&c.Data, defaultData)
	setDefault(&c.Collector.Listen, ":8080")
	setDefault(&c.Collector.Admin, "127.0.0.1:8081")
	setDefault(&c.Collector.Durability, "fsync")
	if d := c.Collector.Durability; d != "fsync" && d != "os" {
		return &configError{"collector.durability", fmt.Sprintf("is %q; want fsync or os", d)}
	}
	var err error
	if c.spoolLimit, err = parseSize(c.Collector.SpoolLimit, defaultSpoolLimit); err != nil {
		return &configError{"collector.spool_limit", err.Error()}
	}
	if c.proxies, err = c.Collector.proxies(); err != nil {
		return err
	}
	if err = c.Collector.checkPaths(); err != nil {
		return err
	}
	if c.cookie, err = c.Collector.Cookie.complete(); err != nil {
		return err
	}
	if c.limits, err = c.Collector.Limits.complete(); err != nil {
		return err
	}
	if c.every, err = c.Jobs.complete(); err != nil {
		return err
	}
	if c.ClickHouse.Binary != "" {
		return &configError{"clickhouse.binary", "is not supported by this version; leave it empty for the embedded engine, or set clickhouse.dsn"}
	}
	if c.ClickHouse.Cluster != "" {
		return &configError{"clickhouse.cluster", "is not supported by this version; leave it empty"}
	}
	c.warn(c.Dashboards.Listen != "", "dashboards.listen")
	return c.completeProjects()
}

// warn notes a setting that this version accepts and does nothing with.
func (c *config) warn(set bool, path string) {
	if set {
		c.warnings = append(c.warnings, path+" has no effect in this version")
	}
}

func (c *config) completeProjects() error {
	ids, keys := map[string]bool{}, map[string]bool{}
	for i := range c.Projects {
		p, path := &c.Projects[i], fmt.Sprintf("projects[%d]", i)
		if err := p.complete(path); err != nil {
			return err
		}
		if ids[p.ID] {
			return &configError{path + ".id", fmt.Sprintf("%q is there twice", p.ID)}
		}
		ids[p.ID] = true
		for k, key := range p.WriteKeys {
			if keys[key] || key == "" {
				return &configError{fmt.Sprintf("%s.write_keys[%d]", path, k), "is empty, or there twice; every key belongs to one project"}
			}
			keys[key] = true
		}
		c.warn(len(p.ReadTokens) > 0, path+".read_tokens")
		c.warn(p.StageModel != "", path+".stage_model")
		c.collecting = append(c.collecting, p.collector())
		project, err := p.attribution(path)
		if err != nil {
			return err
		}
		c.attributed = append(c.attributed, project)
	}
	return nil
}

func (p *projectConfig) complete(path string) error {
	if p.ID == "" {
		return &configError{path + ".id", "is missing"}
	}
	if len(p.WriteKeys) == 0 {
		return &configError{path + ".write_keys", "is missing; a project needs at least one key"}
	}
	if n := len(p.LinkSecret); n > 0 && n < link.MinSecret {
		return &configError{path + ".link_secret", fmt.Sprintf("has %d bytes; want at least %d, such as openssl rand -hex 24 makes", n, link.MinSecret)}
	}
	if err := p.completeOrigins(path); err != nil {
		return err
	}
	switch p.Privacy.Mode {
	case "full":
	case "consent", "cookieless":
		return &configError{path + ".privacy.mode", fmt.Sprintf("%q is not supported by this version; it knows full", p.Privacy.Mode)}
	case "":
		return &configError{path + ".privacy.mode", "must be chosen; this version knows full"}
	default:
		return &configError{path + ".privacy.mode", fmt.Sprintf("is %q; this version knows full", p.Privacy.Mode)}
	}
	setDefault(&p.Privacy.IP, string(collector.IPTruncate))
	switch collector.IPMode(p.Privacy.IP) {
	case collector.IPDrop, collector.IPTruncate, collector.IPKeep:
	default:
		return &configError{path + ".privacy.ip", fmt.Sprintf("is %q; want drop, truncate or keep", p.Privacy.IP)}
	}
	if p.Privacy.Retention != "" {
		if _, err := parseDuration(p.Privacy.Retention); err != nil {
			return &configError{path + ".privacy.retention", err.Error()}
		}
	}
	if err := p.RateLimit.complete(path); err != nil {
		return err
	}
	setDefault(&p.Currency, "EUR")
	if len(p.Currency) != 3 || strings.ToUpper(p.Currency) != p.Currency {
		return &configError{path + ".currency", fmt.Sprintf("is %q; want an ISO 4217 code like EUR", p.Currency)}
	}
	if len(p.Conversions) == 0 {
		p.Conversions = []conversionConfig{{Event: "Order Completed", Value: "revenue"}}
	}
	for i, conversion := range p.Conversions {
		if conversion.Event == "" {
			return &configError{fmt.Sprintf("%s.conversions[%d].event", path, i), "is missing"}
		}
	}
	return checkChannels(p.Channels, path+".channels")
}

func (p *projectConfig) collector() collector.Project {
	return collector.Project{
		ID: p.ID, WriteKeys: p.WriteKeys, Origins: p.Origins, Currency: p.Currency, IP: collector.IPMode(p.Privacy.IP),
		RespectGPC: p.Privacy.RespectGPC == nil || *p.Privacy.RespectGPC, LinkSecret: []byte(p.LinkSecret),
		RateLimit: collector.RateLimit{Events: int(p.RateLimit.Events), Burst: int(p.RateLimit.Burst)}, Channels: channelRules(p.Channels),
	}
}

func (p *projectConfig) attribution(path string) (attribution.Project, error) {
	project := attribution.Project{ID: p.ID, Currency: p.Currency, Lookback: defaultLookback, Inactivity: defaultInactivity}
	var err error
	setDefault(&p.Timezone, "UTC")
	if project.Location, err = time.LoadLocation(p.Timezone); err != nil || p.Timezone == "Local" {
		return project, &configError{path + ".timezone", fmt.Sprintf("is %q; want an IANA name like Europe/Berlin", p.Timezone)}
	}
	if p.Lookback != "" {
		if project.Lookback, err = parseDuration(p.Lookback); err != nil {
			return project, &configError{path + ".lookback", err.Error()}
		}
	}
	if project.Lookback > maxLookback {
		return project, &configError{path + ".lookback", "is longer than 730d, the most there is"}
	}
	project.Inactivity = min(project.Inactivity, project.Lookback)
	if p.Inactivity != "" {
		if project.Inactivity, err = parseDuration(p.Inactivity); err != nil {
			return project, &configError{path + ".inactivity", err.Error()}
		}
	}
	if project.Inactivity > project.Lookback {
		return project, &configError{path + ".inactivity", "is longer than the lookback; a journey cannot stay open longer than that"}
	}
	if err = p.attributionParts(&project, path); err != nil {
		return project, err
	}
	if retention, err := parseDuration(p.Privacy.Retention); err == nil && project.Lookback > retention {
		return project, &configError{path + ".lookback", "is longer than privacy.retention; touches would be gone before they count"}
	}
	for _, c := range p.Conversions {
		project.Conversions = append(project.Conversions, attribution.Conversion(c))
	}
	return project, nil
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// project finds a project by its id.
func (c *config) project(id string) (*attribution.Project, *collector.Project, error) {
	var known []string
	for i := range c.attributed {
		if c.attributed[i].ID == id {
			return &c.attributed[i], &c.collecting[i], nil
		}
		known = append(known, c.attributed[i].ID)
	}
	if c.file == "" {
		return nil, nil, fmt.Errorf("unknown project %q; without a configuration file there is only %s: name the file with --config", id, known[0])
	}
	return nil, nil, fmt.Errorf("unknown project %q; this installation has %s", id, strings.Join(known, ", "))
}
