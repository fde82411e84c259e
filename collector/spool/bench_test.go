package spool

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

var durabilities = map[string]Durability{"fsync": Fsync, "os": OS}

// BenchmarkAppend appends from 64 connections at once, single records and batches of 100, while they are read and
// committed as the collector does it. Bytes are payload.
func BenchmarkAppend(b *testing.B) {
	for name, durability := range durabilities {
		for _, size := range []int{100, 500, 5000} {
			for _, batch := range []int{1, 100} {
				b.Run(fmt.Sprintf("%s/record=%d/batch=%d", name, size, batch), func(b *testing.B) {
					benchmarkAppend(b, durability, size, batch)
				})
			}
		}
	}
}

func benchmarkAppend(b *testing.B, durability Durability, size, batch int) {
	s, err := Open(Options{Dir: b.TempDir(), Durability: durability})
	if err != nil {
		b.Fatal(err)
	}
	var consumer sync.WaitGroup
	consumer.Go(func() { consume(s) })
	records := make([][]byte, batch)
	for i := range records {
		records[i] = make([]byte, size)
	}
	b.SetBytes(int64(size * batch))
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Append(records); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "records/s")
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Error(err)
	}
	consumer.Wait()
}

// consume reads and commits until the spool is closed.
func consume(s *Spool) {
	for {
		batch, err := s.Next(context.Background(), 100_000, 64<<20, time.Second)
		if err != nil || s.Commit(batch) != nil {
			return
		}
	}
}

// BenchmarkOpen reads and checks 64 MiB of pending records.
func BenchmarkOpen(b *testing.B) {
	const size, count = 500, 100_000
	opts := Options{Dir: b.TempDir()}
	s, err := Open(opts)
	if err != nil {
		b.Fatal(err)
	}
	records := make([][]byte, 1000)
	for i := range records {
		records[i] = make([]byte, size)
	}
	for range count / len(records) {
		if err := s.Append(records); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size * count)
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(opts)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
