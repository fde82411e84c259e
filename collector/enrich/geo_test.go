package enrich

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/event"
)

// database returns a MaxMind DB of the type that says where 192.0.2.0/24 is, and nothing of other addresses.
func database(databaseType string, record []byte) []byte {
	network, bits := netip.MustParseAddr("192.0.2.0").As4(), 24
	var tree bytes.Buffer
	for i := range bits {
		nothing, next := uint32(bits), uint32(i+1)
		if i == bits-1 {
			next = uint32(bits + 16) // the start of the data
		}
		branches := [2]uint32{next, nothing}
		if network[i/8]>>(7-i%8)&1 == 1 {
			branches = [2]uint32{nothing, next}
		}
		for _, branch := range branches {
			tree.Write(binary.BigEndian.AppendUint32(nil, branch)[1:])
		}
	}
	return bytes.Join([][]byte{
		tree.Bytes(), make([]byte, 16), record, []byte("\xab\xcd\xefMaxMind.com"),
		mmdbMap(
			"binary_format_major_version", []byte{5<<5 | 1, 2},
			"binary_format_minor_version", []byte{5 << 5},
			"build_epoch", []byte{4, 2, 0x65, 0x53, 0xf1, 0},
			"database_type", mmdbString(databaseType),
			"description", mmdbMap(),
			"ip_version", []byte{5<<5 | 1, 4},
			"languages", []byte{0, 4},
			"node_count", []byte{6<<5 | 1, byte(bits)},
			"record_size", []byte{5<<5 | 1, 24},
		),
	}, nil)
}

func mmdbString(s string) []byte {
	if len(s) < 29 {
		return append([]byte{2<<5 | byte(len(s))}, s...)
	}
	return append([]byte{2<<5 | 29, byte(len(s) - 29)}, s...)
}

// mmdbMap takes keys and encoded values in turn.
func mmdbMap(members ...any) []byte {
	encoded := []byte{7<<5 | byte(len(members)/2)}
	for _, member := range members {
		switch member := member.(type) {
		case string:
			encoded = append(encoded, mmdbString(member)...)
		case []byte:
			encoded = append(encoded, member...)
		}
	}
	return encoded
}

func mmdbNames(name string) []byte {
	return mmdbMap("names", mmdbMap("en", mmdbString(name), "de", mmdbString("falsch")))
}

var (
	flatCountry = database("country ipvAll", mmdbMap("country_code", mmdbString("TH")))
	flatCity    = database("city ipv4", mmdbMap(
		"country_code", mmdbString("US"), "state1", mmdbString("Oregon"), "city", mmdbString("Portland")))
	geoLite = database("GeoLite2-Country", mmdbMap("country", mmdbMap("iso_code", mmdbString("DE"))))
	geoCity = database("GeoIP2-City", mmdbMap(
		"country", mmdbMap("iso_code", mmdbString("DE")),
		"subdivisions", append([]byte{1, 4}, mmdbNames("Bavaria")...),
		"city", mmdbNames("Munich")))
)

func writeFile(t *testing.T, path string, data []byte, modified time.Time) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

func openGeo(t *testing.T, data []byte) *Geo {
	t.Helper()
	path := filepath.Join(t.TempDir(), "geo.mmdb")
	writeFile(t, path, data, time.Unix(1000, 0))
	g, err := OpenGeo(path)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGeo(t *testing.T) {
	known := netip.MustParseAddr("192.0.2.7")
	for name, c := range map[string]struct {
		data   []byte
		ip     netip.Addr
		before event.Event
		want   event.Event
	}{
		"flat country":         {flatCountry, known, event.Event{}, event.Event{Country: "TH"}},
		"flat city":            {flatCity, known, event.Event{}, event.Event{Country: "US", Region: "Oregon", City: "Portland"}},
		"GeoLite2 country":     {geoLite, known, event.Event{}, event.Event{Country: "DE"}},
		"GeoIP2 city":          {geoCity, known, event.Event{}, event.Event{Country: "DE", Region: "Bavaria", City: "Munich"}},
		"mapped address":       {flatCountry, netip.MustParseAddr("::ffff:192.0.2.7"), event.Event{}, event.Event{Country: "TH"}},
		"other address":        {flatCountry, netip.MustParseAddr("192.0.3.7"), event.Event{}, event.Event{}},
		"IPv6 in an IPv4 file": {flatCountry, netip.MustParseAddr("2001:db8::1"), event.Event{}, event.Event{}},
		"no address":           {flatCountry, netip.Addr{}, event.Event{}, event.Event{}},
		"already known":        {flatCity, known, event.Event{Country: "FR"}, event.Event{Country: "FR"}},
		"another schema":       {database("GeoIP2-City", mmdbMap("country", mmdbString("DE"))), known, event.Event{}, event.Event{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.before
			openGeo(t, c.data).Enrich(nil, &event.Client{IP: c.ip}, &got)
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestGeoReload(t *testing.T) {
	g := openGeo(t, flatCountry)
	country := func() string {
		var e event.Event
		g.Enrich(nil, &event.Client{IP: netip.MustParseAddr("192.0.2.7")}, &e)
		return e.Country
	}
	reload := func(wantChanged bool, wantErr, wantCountry string) {
		t.Helper()
		changed, err := g.Reload()
		if changed != wantChanged || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("got %v, %v; want %v, %q", changed, err, wantChanged, wantErr)
		}
		if got := country(); got != wantCountry {
			t.Errorf("country %q, want %q", got, wantCountry)
		}
	}
	reload(false, "", "TH")
	writeFile(t, g.path, geoCity, time.Unix(2000, 0))
	reload(true, "", "DE")
	writeFile(t, g.path, flatCity[:300], time.Unix(3000, 0)) // half copied
	reload(false, "want a MaxMind DB file", "DE")
	reload(false, "want a MaxMind DB file", "DE")
	writeFile(t, g.path, flatCity, time.Unix(3000, 0))
	reload(true, "", "US")
	if err := os.Remove(g.path); err != nil {
		t.Fatal(err)
	}
	reload(false, "no such file", "US")
	if err := g.Close(); err != nil || country() != "" {
		t.Errorf("closed: %v, country %q", err, country())
	}
}

func TestOpenGeoErrors(t *testing.T) {
	if _, err := OpenGeo(filepath.Join(t.TempDir(), "absent.mmdb")); err == nil || !strings.HasPrefix(err.Error(), "geo database: ") {
		t.Errorf("absent file: %v", err)
	}
}

func FuzzOpenGeo(f *testing.F) {
	for _, data := range [][]byte{flatCountry, flatCity, geoLite, geoCity, nil, []byte("\xab\xcd\xefMaxMind.com")} {
		f.Add(data)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		lookup, err := openLookup(data)
		if err != nil {
			return
		}
		for _, ip := range []string{"192.0.2.7", "2001:db8::1"} {
			_, _ = lookup(netip.MustParseAddr(ip)) // whatever it says, it must not panic
		}
	})
}
