package pathfile

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/touchline-hq/touchline/attribution"
)

// piece is one of a file, counted from 0.
type piece struct {
	source
	number int
}

// pooled is a reader in a pool.
type pooled struct {
	reader
	err    error
	number int // of the piece with the error
}

// rows reads what follows the header in first, and then the other pieces of the file, each on whatever core is free. Sums
// are exact, so it does not matter where. The error is that of the first line that has one.
func (l *layout) rows(file *blocks, first source) (*attribution.Paths, error) {
	pool := make([]pooled, runtime.GOMAXPROCS(0))
	pieces := make(chan piece)
	var failed atomic.Bool
	var readers sync.WaitGroup
	for i := range pool {
		rd := &pool[i]
		rd.reader = reader{layout: l, known: newKnown()}
		readers.Go(func() {
			for p := range pieces {
				if rd.err != nil {
					continue
				}
				if rd.err, rd.number = rd.rows(p.source), p.number; rd.err != nil {
					failed.Store(true)
				}
			}
		})
	}
	err := feed(pieces, file, first, &failed)
	close(pieces)
	readers.Wait()
	if broken := firstError(pool); broken != nil {
		return nil, broken
	}
	if err != nil {
		return nil, err
	}
	return merge(pool)
}

// feed sends pieces until there are no more, or reading one has failed: then all pieces before that are under way.
func feed(pieces chan<- piece, file *blocks, next source, failed *atomic.Bool) error {
	for number := 0; !failed.Load(); number++ {
		pieces <- piece{next, number}
		var err error
		if next, err = file.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// firstError is the error of the earliest piece that has one.
func firstError(pool []pooled) error {
	var first *pooled
	for i := range pool {
		if rd := &pool[i]; rd.err != nil && (first == nil || rd.number < first.number) {
			first = rd
		}
	}
	if first == nil {
		return nil
	}
	return first.err
}

func merge(pool []pooled) (*attribution.Paths, error) {
	all := &pool[0].builder
	for i := range pool[1:] {
		if err := all.Merge(&pool[1+i].builder); err != nil {
			return nil, err
		}
	}
	return all.Paths(), nil
}
