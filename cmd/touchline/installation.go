package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
	"github.com/touchline-hq/touchline/store/embedded"
)

// installation is a data directory, its configuration and its database.
type installation struct {
	dir string
	cfg *config
	db  *store.DB
	log *slog.Logger

	lock   *datadir.Lock    // nil when another process holds the directory
	engine *embedded.Engine // nil when that process, or a server, runs the database
}

// dataDir is --data, else what the configuration says.
func (g *globals) dataDir(cfg *config) string { return cmp.Or(g.Data, cfg.Data) }

// load finds the configuration: --config, else that of the instance in the data directory, else touchline.yaml there,
// else touchline.yaml here. Without any there is one project, called default.
func (g *globals) load() (*config, error) {
	file := g.Config
	if file == "" {
		dir := cmp.Or(g.Data, defaultData)
		instance, running, err := datadir.FindInstance(dir)
		switch beside := filepath.Join(dir, defaultConfigFile); {
		case err != nil:
			return nil, err
		case running:
			file = instance.Config
		case fileExists(beside):
			file = beside
		case fileExists(defaultConfigFile):
			file = defaultConfigFile
		}
	}
	if file != "" {
		return loadConfig(file)
	}
	return g.defaultConfig()
}

// found tells whether there is an installation or a configuration to look at: load makes what is missing.
func (g *globals) found() bool {
	dir := cmp.Or(g.Data, defaultData)
	return g.Config != "" || fileExists(defaultConfigFile) || fileExists(filepath.Join(dir, defaultConfigFile)) || isInstallation(dir)
}

// isInstallation tells whether something was ever started in a data directory.
func isInstallation(dir string) bool { return fileExists(filepath.Join(dir, "lock")) }

// defaultKeys are the keys of the project that there is without a configuration.
type defaultKeys struct {
	WriteKey string `json:"write_key"`
}

// defaultConfig has one project in mode full, whose key is made once and kept in the data directory.
func (g *globals) defaultConfig() (*config, error) {
	c := &config{Data: g.Data}
	setDefault(&c.Data, defaultData)
	var keys defaultKeys
	name := filepath.Join(c.Data, "keys.json")
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		keys.WriteKey = "wk_" + randomHex(16)
		if data, err = json.MarshalIndent(keys, "", "  "); err == nil {
			err = errors.Join(os.MkdirAll(c.Data, 0o700), datadir.WriteFile(name, append(data, '\n')))
		}
	case err == nil:
		if err = json.Unmarshal(data, &keys); err != nil || keys.WriteKey == "" {
			err = fmt.Errorf("%s: no write key in it; delete the file to have a new one made", name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("keys of the default project: %w", err)
	}
	c.Projects = []projectConfig{{
		ID: "default", WriteKeys: []string{keys.WriteKey}, Privacy: privacyConfig{Mode: "full"},
	}}
	err = c.complete()
	return c, err
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// open finds the running instance, or starts the engine when there is none.
func (g *globals) open(ctx context.Context) (*installation, error) {
	cfg, err := g.load()
	if err != nil {
		return nil, err
	}
	in := &installation{dir: g.dataDir(cfg), cfg: cfg, log: g.logger()}
	instance, running, err := datadir.FindInstance(in.dir)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.ClickHouse.DSN != "":
		err = in.start(ctx)
	case running && instance.Addr != "":
		err = in.join(ctx, instance.Addr)
	default:
		if in.lock, err = datadir.Acquire(in.dir); err == nil {
			err = in.start(ctx)
		}
	}
	return in, err
}

// join connects to the engine of the running instance.
func (in *installation) join(ctx context.Context, addr string) error {
	product, analyst, err := embedded.ReadCredentials(in.dir)
	if err != nil {
		return err
	}
	in.db, err = store.Open(ctx, store.EngineTarget(addr, product, analyst))
	return err
}

// rejoin follows an instance that another process runs to where its engine is now: started again, it has another address.
func (in *installation) rejoin(ctx context.Context) error {
	if in.lock != nil || in.cfg.ClickHouse.DSN != "" {
		return nil
	}
	instance, running, err := datadir.FindInstance(in.dir)
	if err != nil {
		return err
	}
	if !running || instance.Addr == "" {
		return fmt.Errorf("no instance with an engine runs in %s", in.dir)
	}
	former := in.db
	if err = in.join(ctx, instance.Addr); err != nil {
		in.db = former
		return err
	}
	return former.Close()
}

// start starts the engine, or connects to the server that the configuration names, and brings the tables up to date.
// For the engine the caller holds the data directory.
func (in *installation) start(ctx context.Context) error {
	var target store.Target
	var err error
	if in.cfg.ClickHouse.DSN != "" {
		target, err = store.ServerTarget(in.cfg.ClickHouse.DSN)
	} else if in.engine, err = embedded.Start(ctx, embedded.Options{Dir: in.dir, Log: in.log}); err == nil {
		target = store.EngineTarget(in.engine.Addr(), in.engine.Product(), in.engine.Analyst())
	}
	if err == nil {
		err = in.connect(ctx, target)
	}
	if err != nil {
		in.close()
	}
	return err
}

func (in *installation) connect(ctx context.Context, target store.Target) error {
	var err error
	if in.db, err = store.Open(ctx, target); err != nil {
		return err
	}
	return in.db.Migrate(ctx)
}

// engineStop is how long the engine may take to end.
const engineStop = 15 * time.Second

// close gives up what the installation holds. The engine ends with it.
func (in *installation) close() {
	if in.db != nil {
		_ = in.db.Close()
	}
	if in.engine != nil {
		ctx, cancel := context.WithTimeout(context.Background(), engineStop)
		defer cancel()
		if err := in.engine.Stop(ctx); err != nil {
			in.log.Warn("the engine did not end by itself", "error", err)
		}
	}
	if in.lock != nil {
		_ = in.lock.Release()
	}
}

// geoFile is the configured geo file, else the one beside the program.
func (in *installation) geoFile() (string, error) {
	if file := in.cfg.GeoIP.Database; file != "" {
		return file, nil
	}
	program, err := os.Executable()
	return filepath.Join(filepath.Dir(program), "dbip-country.mmdb"), err
}

// openGeo opens the geo file. It is nil when none is configured and none beside the program.
func (in *installation) openGeo() (*enrich.Geo, error) {
	file, err := in.geoFile()
	if err != nil {
		return nil, err
	}
	if in.cfg.GeoIP.Database == "" && !fileExists(file) {
		in.log.Warn("no geo file: countries stay empty; run make build, or set geoip.database", "file", file)
		return nil, nil
	}
	geo, err := enrich.OpenGeo(file)
	if err != nil {
		return nil, fmt.Errorf("geoip.database: %w", err)
	}
	return geo, nil
}

// spoolDir is where the collector keeps what is not stored yet.
func (in *installation) spoolDir() string { return filepath.Join(in.dir, "spool") }

// visitorKey is the secret that hides visitors of imported logs. It is made once: with another key the same visitor
// would be another.
func (in *installation) visitorKey() ([]byte, error) {
	name := filepath.Join(in.dir, "visitor.key")
	key, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = []byte(randomHex(32))
	return key, datadir.WriteFile(name, key)
}
