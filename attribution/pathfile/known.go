package pathfile

import (
	"bytes"
	"hash/maphash"

	"github.com/touchline-hq/touchline/attribution"
)

// known are paths that were read before. Reading one again would do no harm, so of keys with the same hash it knows one
// only. It holds no pointers, which a garbage collector would have to follow, and growing it reads no keys.
type known struct {
	seed  maphash.Seed
	index map[uint64]int // of entries, by the hash of the key
	all   []entry
	keys  []byte // of all, one after the other
}

type entry struct {
	end  int // in keys; where the key before ends it begins
	path attribution.PathID
}

func newKnown() known { return known{seed: maphash.MakeSeed(), index: make(map[uint64]int)} }

// find returns the key's hash, and its path if that is known.
func (k *known) find(key []byte) (hash uint64, path attribution.PathID, ok bool) {
	hash = maphash.Bytes(k.seed, key)
	i, ok := k.index[hash]
	if !ok || !bytes.Equal(k.key(i), key) {
		return hash, 0, false
	}
	return hash, k.all[i].path, true
}

func (k *known) key(i int) []byte {
	start := 0
	if i > 0 {
		start = k.all[i-1].end
	}
	return k.keys[start:k.all[i].end]
}

// add remembers the path of a key that was not found.
func (k *known) add(hash uint64, key []byte, path attribution.PathID) {
	k.keys = append(k.keys, key...)
	k.index[hash] = len(k.all)
	k.all = append(k.all, entry{len(k.keys), path})
}
