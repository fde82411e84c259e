package importer

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzImport imports anything as a log, plain or compressed: the ledger adds up, whatever the file is.
func FuzzImport(f *testing.F) {
	text := request200("/") + request200("/a.zip") + "rubbish\n" + strings.Repeat("x", maxLine+1) + "\n" + request200("/a.css")
	gz, zst := gzipped(f, text), zstandard(f, text)
	for _, seed := range [][]byte{{}, []byte(text), gz, gz[:len(gz)-9], zst, zst[:len(zst)/2]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var sink memory
		a := newLog(&sink)
		a.Stdin = bytes.NewReader(file)
		l, err := a.Run(t.Context(), []string{"-"})
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Fatalf("the error is not one line: %q", err)
		}
		sum := l.Imported + l.AlreadyThere + len(l.Malformed) + l.MoreMalformed
		for _, n := range l.Skipped {
			sum += n
		}
		if l.Lines != sum || l.Pages+l.Downloads != l.Imported+l.AlreadyThere || len(sink.events) != l.Imported {
			t.Fatalf("%+v with %d events", l, len(sink.events))
		}
		for i := range sink.events {
			if err := sink.events[i].Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
