package embedded

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"text/template"

	"github.com/touchline-hq/touchline/store/datadir"
)

// layout names the engine's files. All paths are absolute, because the engine reads relative ones in its own ways.
type layout struct {
	dir    string // of everything here
	data   string // the engine's own
	config string
	users  string
	log    string // the engine's log, which it rotates
	output string // stdout and stderr of the last child
}

func engineDir(dataDir string) string { return filepath.Join(dataDir, "engine") }

func newLayout(dataDir string) (layout, error) {
	dir, err := filepath.Abs(engineDir(dataDir))
	if err != nil {
		return layout{}, err
	}
	return layout{
		dir:    dir,
		data:   filepath.Join(dir, "data"),
		config: filepath.Join(dir, "config.xml"),
		users:  filepath.Join(dir, "users.xml"),
		log:    filepath.Join(dir, "server.log"),
		output: filepath.Join(dir, "output.log"),
	}, nil
}

//go:embed config.xml.tmpl
var configTemplate string

//go:embed users.xml.tmpl
var usersTemplate string

// functionFile stands before the built-in function of that name. Run this way the engine takes itself for a tool of
// the local user: file('/any/path') reads for everybody, also for the analyst, what the process may read.
//
//go:embed function_file.sql
var functionFile []byte

// writeConfig writes all that the engine reads when it starts.
func (l layout) writeConfig(memoryLimit uint64, product, analyst Credentials) error {
	config, err := render("config.xml", configTemplate, map[string]any{
		"Users":       l.users,
		"Log":         l.log,
		"MemoryLimit": memoryLimit,
		"MarkCache":   memoryLimit / 16,
		"Threads":     min(max(runtime.NumCPU(), 2), 16), // that merge
	})
	if err != nil {
		return err
	}
	users, err := render("users.xml", usersTemplate, map[string]any{
		"ProductHash":   hash(product.Password),
		"AnalystHash":   hash(analyst.Password),
		"AnalystMemory": memoryLimit / 2,
	})
	if err != nil {
		return err
	}
	functions := filepath.Join(l.data, "user_defined")
	if err := os.MkdirAll(functions, 0o700); err != nil {
		return err
	}
	for path, content := range map[string][]byte{
		l.config: config,
		l.users:  users,
		filepath.Join(functions, "function_file.sql"): functionFile,
	} {
		if err := datadir.WriteFile(path, content); err != nil {
			return err
		}
	}
	return nil
}

// render fills a template of XML. Values are escaped where they are marked with {{xml .}}.
func render(name, text string, values any) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"xml": escape}).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, values); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return out.Bytes(), nil
}

func escape(value string) (string, error) {
	var out bytes.Buffer
	err := xml.EscapeText(&out, []byte(value))
	return out.String(), err
}

func hash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}
