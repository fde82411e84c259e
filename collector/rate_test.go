package collector

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The bucket against one that counts its tokens, each worth as many nanoseconds as it takes to come.
func TestBucketIsATokenBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := RateLimit{
			Events: rapid.SampledFrom([]int{1, 2, 5, 100, 1000, 1_000_000_000}).Draw(t, "events"), // divide a second
			Burst:  rapid.IntRange(1, 2000).Draw(t, "burst"),
		}
		b := newBucket(limit)
		each := int64(time.Second) / int64(limit.Events)
		most := int64(limit.Burst) * each
		now, tokens := b.start, most
		for range rapid.IntRange(1, 50).Draw(t, "requests") {
			pause := rapid.Int64Range(0, 3*most).Draw(t, "pause")
			now, tokens = now.Add(time.Duration(pause)), min(tokens+pause, most)
			n := rapid.IntRange(1, 5000).Draw(t, "n")
			missing := int64(min(n, limit.Burst))*each - tokens
			wait := b.take(n, now)
			if want := time.Duration(max(missing, 0)); wait != want {
				t.Fatalf("%d of %d tokens: wait %v, want %v", n, tokens/each, wait, want)
			}
			if wait == 0 {
				tokens -= int64(n) * each
				continue
			}
			if again := b.take(n, now.Add(wait-1)); again != 1 {
				t.Fatalf("a nanosecond before the wait of %v is over: wait %v", wait, again)
			}
		}
	})
}

func TestBucketIsSharedWithoutLoss(t *testing.T) {
	b := newBucket(RateLimit{Events: 1, Burst: 500})
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if b.take(1, b.start) == 0 {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if passed.Load() != 500 {
		t.Errorf("%d events passed, want 500", passed.Load())
	}
}

func TestEveryKeyHasItsOwnLimit(t *testing.T) {
	projects := NewProjects([]Project{
		{ID: "shop", WriteKeys: []string{"a", "b"}, RateLimit: RateLimit{Events: 1, Burst: 1}},
		{ID: "open", WriteKeys: []string{"c"}},
	})
	now := time.Now()
	for range 2 {
		for key, want := range map[string]string{"a": "shop", "b": "shop", "c": "open"} {
			if got := projects.ByWriteKey(key); got == nil || got.ID != want {
				t.Errorf("key %s finds %+v", key, got)
			}
		}
	}
	for _, c := range []struct {
		key  string
		want time.Duration
	}{{"a", 0}, {"b", 0}, {"a", time.Second}, {"b", time.Second}, {"c", 0}, {"c", 0}} {
		if wait := projects.ByWriteKey(c.key).Admit(1, now); wait.Round(time.Millisecond) != c.want {
			t.Errorf("key %s: wait %v, want %v", c.key, wait, c.want)
		}
	}
}

func TestReloadKeepsBuckets(t *testing.T) {
	slow, fast := RateLimit{Events: 1, Burst: 1}, RateLimit{Events: 2, Burst: 1}
	former := NewProjects([]Project{
		{ID: "same", WriteKeys: []string{"same"}, RateLimit: slow},
		{ID: "other", WriteKeys: []string{"changed"}, RateLimit: slow},
		{ID: "freed", WriteKeys: []string{"freed"}, RateLimit: slow},
	})
	now := time.Now()
	for _, key := range []string{"same", "changed", "freed"} {
		if wait := former.ByWriteKey(key).Admit(1, now); wait != 0 {
			t.Fatalf("key %s: wait %v", key, wait)
		}
	}
	next := NewProjects([]Project{
		{ID: "renamed", WriteKeys: []string{"same", "new"}, RateLimit: slow},
		{ID: "other", WriteKeys: []string{"changed"}, RateLimit: fast},
		{ID: "freed", WriteKeys: []string{"freed"}},
	})
	next.Inherit(former)
	for key, passes := range map[string]bool{"same": false, "new": true, "changed": true, "freed": true} {
		if wait := next.ByWriteKey(key).Admit(1, now); (wait == 0) != passes {
			t.Errorf("key %s: wait %v, want it to pass: %v", key, wait, passes)
		}
	}
}

// What finds a project is the hash of a key, so the time of a lookup cannot tell how much of a key is right; and
// nothing but the key itself is one.
func TestKeysAreComparedAsHashes(t *testing.T) {
	projects := NewProjects([]Project{{ID: "shop", WriteKeys: []string{"wk_shop"}}})
	for _, key := range []string{"", "wk_sho", "wk_shop ", "WK_SHOP", "wk_shop\x00"} {
		if p := projects.ByWriteKey(key); p != nil {
			t.Errorf("%q finds %s", key, p.ID)
		}
	}
}
