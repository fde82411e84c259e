package decode

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/valyala/fastjson"

	"github.com/touchline-hq/touchline/event"
)

// newID makes the id of message v, which has none. Nothing within v may have been looked at.
//
// Without Request.NewID it is a hash of what a retry repeats, so that a message sent twice is stored once. Messages of
// one batch that are equal to the byte are different events: all but the first have their number appended.
func (b *batch) newID(v *fastjson.Value, typ event.Type) string {
	if b.req.NewID != nil {
		return b.req.NewID()
	}
	b.scratch = append(b.scratch[:0], typ...)
	b.scratch = append(b.scratch, b.contextRaw...)
	v.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		if changesOnRetry(key) {
			return
		}
		b.scratch = append(appendString(append(b.scratch, ','), key), ':')
		b.scratch = v.MarshalTo(b.scratch)
	})
	sum := sha256.Sum256(b.scratch)
	id := hex.EncodeToString(sum[:16])
	if b.hashes == nil {
		b.hashes = make(map[string]int)
	}
	n := b.hashes[id]
	b.hashes[id]++
	if n > 0 {
		return id + "-" + strconv.Itoa(n)
	}
	return id
}

// changesOnRetry reports whether a client sends another value under key when it repeats a message, or may leave it out.
// _metadata holds the number of the attempt.
func changesOnRetry(key []byte) bool {
	switch string(key) {
	case "messageId", "sentAt", "writeKey", "_metadata":
		return true
	}
	return false
}
