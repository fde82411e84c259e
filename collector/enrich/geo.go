package enrich

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/oschwald/geoip2-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Geo fills Country, and Region and City (English names) where the file has them, from a database in MaxMind's format:
// GeoIP2, GeoLite2 and DB-IP files in their schema, any other type in the flat one of the npm packages @ip-location-db,
// whose records are {country_code, state1, city}.
//
// The file is read into memory instead of mapped: a mapped file that is overwritten in place would end the process.
type Geo struct {
	path string
	file atomic.Pointer[geoFile] // nil after Close
}

// geoFile is one version of the file. It is immutable, so that a reload swaps the whole of it.
type geoFile struct {
	info   fs.FileInfo
	lookup func(netip.Addr) (place, error)
}

type place struct{ country, region, city string }

// OpenGeo reads the database at path. An error says that it cannot be read or is no such database.
func OpenGeo(path string) (*Geo, error) {
	g := &Geo{path: path}
	if _, err := g.Reload(); err != nil {
		return nil, err
	}
	return g, nil
}

// Reload reads the file again when its size or time of change is another, and reports whether it did. It costs one
// stat otherwise, so it may be called every few seconds. After an error the old version stays in use.
func (g *Geo) Reload() (bool, error) {
	info, err := os.Stat(g.path)
	if err != nil {
		return false, fmt.Errorf("geo database: %w", err)
	}
	if old := g.file.Load(); old != nil && old.info.Size() == info.Size() && old.info.ModTime().Equal(info.ModTime()) {
		return false, nil
	}
	data, err := os.ReadFile(g.path)
	if err != nil {
		return false, fmt.Errorf("geo database: %w", err)
	}
	lookup, err := openLookup(data)
	if err != nil {
		return false, fmt.Errorf("geo database %s: %w; want a MaxMind DB file (.mmdb)", g.path, err)
	}
	g.file.Store(&geoFile{info, lookup})
	return true, nil
}

// Modified is when the file in use was last changed; zero after Close.
func (g *Geo) Modified() time.Time {
	if file := g.file.Load(); file != nil {
		return file.info.ModTime()
	}
	return time.Time{}
}

// Close forgets the database; Enrich then does nothing.
func (g *Geo) Close() error {
	g.file.Store(nil)
	return nil
}

// Enrich looks the client's address up, unless the event already says its country. What a damaged record holds is left
// out: it is no reason to refuse an event.
func (g *Geo) Enrich(_ *collector.Project, c *event.Client, e *event.Event) {
	file := g.file.Load()
	if file == nil || e.Country != "" || !c.IP.IsValid() {
		return
	}
	at, err := file.lookup(c.IP.Unmap())
	if err != nil {
		return
	}
	e.Country, e.Region, e.City = at.country, at.region, at.city
}

func openLookup(data []byte) (func(netip.Addr) (place, error), error) {
	nested, err := geoip2.OpenBytes(data)
	if err == nil {
		return nestedLookup(nested), nil
	}
	if other := (geoip2.UnknownDatabaseTypeError{}); !errors.As(err, &other) {
		return nil, err
	}
	flat, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, err
	}
	return flatLookup(flat), nil
}

func nestedLookup(db *geoip2.Reader) func(netip.Addr) (place, error) {
	return func(ip netip.Addr) (place, error) {
		record, err := db.City(ip) // a country file's records decode, too, and have no city
		if err != nil {
			return place{}, err
		}
		at := place{country: record.Country.ISOCode, city: record.City.Names.English}
		if len(record.Subdivisions) > 0 {
			at.region = record.Subdivisions[0].Names.English
		}
		return at, nil
	}
}

func flatLookup(db *maxminddb.Reader) func(netip.Addr) (place, error) {
	return func(ip netip.Addr) (place, error) {
		var record struct {
			Country string `maxminddb:"country_code"`
			Region  string `maxminddb:"state1"`
			City    string `maxminddb:"city"`
		}
		err := db.Lookup(ip).Decode(&record)
		return place{record.Country, record.Region, record.City}, err
	}
}
