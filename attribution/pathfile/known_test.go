package pathfile

import "testing"

// Keys with the same hash are not mistaken for each other: the earlier is forgotten.
func TestKnownKeysWithOneHash(t *testing.T) {
	k := newKnown()
	a, _, ok := k.find([]byte("a > b"))
	if ok {
		t.Error("known from the start")
	}
	k.add(a, []byte("a > b"), 7)
	if _, path, ok := k.find([]byte("a > b")); !ok || path != 7 {
		t.Errorf("%d, %v, want 7", path, ok)
	}
	b, _, _ := k.find([]byte("b"))
	k.index[b] = k.index[a]
	if _, path, ok := k.find([]byte("b")); ok {
		t.Errorf("another key's path %d", path)
	}
	k.add(b, []byte("b"), 8)
	if _, path, ok := k.find([]byte("b")); !ok || path != 8 {
		t.Errorf("%d, %v, want 8", path, ok)
	}
}
