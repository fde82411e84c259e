package handler

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// What is kept of refused messages is bounded, so that garbage cannot fill the spool: a project has an allowance of
// bytes that grows by refusedRate a second up to refusedBurst. Beyond it only their number is kept, one record a
// request and reason.
const (
	refusedRate  = 256 << 10 // bytes a second
	refusedBurst = 16 << 20  // bytes
	refusedCost  = 1 << 10   // bytes, of what is kept of a message beside the message itself
	maxPayload   = 128 << 10 // bytes of one that is kept whole
)

// refuse prepares the records of the messages of a body that were refused; keep makes them durable with the others.
func (h *Handler) refuse(ctx *fasthttp.RequestCtx, b *buffers, p *collector.Project, body []byte, rejected []collector.Rejection) {
	if len(rejected) == 0 {
		return
	}
	if !h.of(p).allows(len(body)+refusedCost*len(rejected), h.Now()) {
		h.refuseNumber(b, p, rejected)
		return
	}
	sender := h.senderOf(ctx)
	for i, sent := range h.Decode.Sent(body, rejected) {
		h.refuseMessage(ctx, b, p, &sender, &rejected[i], sent)
	}
}

// refusePixel is refuse for a pixel, whose message is the first of b.
func (h *Handler) refusePixel(ctx *fasthttp.RequestCtx, b *buffers, p *collector.Project, err error) (collector.Result, error) {
	decoded := b.messages[0]
	rejected := []collector.Rejection{{
		MessageID: decoded.Event.MessageID, Reason: err.Error(), Class: collector.ReasonOf(err), Decoded: &decoded,
	}}
	args := ctx.QueryArgs()
	if h.of(p).allows(len(args.QueryString())+refusedCost, h.Now()) {
		sender := h.senderOf(ctx)
		h.refuseMessage(ctx, b, p, &sender, &rejected[0], h.Decode.SentPixel(args, &decoded))
	} else {
		h.refuseNumber(b, p, rejected)
	}
	return collector.Result{Rejected: rejected}, h.keep(ctx, b, p, nil)
}

// refuseRequest keeps that a request was refused of which nothing could be read. When even that cannot be kept, the
// sender is told why the request was refused all the same. Whose request it was must be known: p may be nil. It counts as
// one event against the key's rate, beyond which nothing is kept: nonsense must not fill the spool faster than events may.
func (h *Handler) refuseRequest(ctx *fasthttp.RequestCtx, p *collector.Project, err error) {
	reason := requestReason(err)
	if p == nil || reason == "" || p.Admit(1, h.Now()) != 0 {
		return
	}
	m := collector.RefusedMessage{Project: p.ID, Reason: reason, ReceivedAt: h.Now().UnixMilli()}
	if body := ctx.Request.Body(); h.of(p).allows(refusedCost, h.Now()) {
		m.Detail = err.Error()
		m.Size, m.Hash = sumOf(body)
	}
	kept := h.Sink.Append([][]byte{refusedRecord(&m)})
	h.noteSink(kept)
	if kept == nil {
		h.of(p).reject(reason, 1)
	}
}

// requestReason is "" for a request that the sender will repeat, or that was not read.
func requestReason(err error) string {
	switch status(err) {
	case fasthttp.StatusForbidden:
		return "forbidden origin"
	case fasthttp.StatusUnsupportedMediaType:
		return "unknown encoding"
	case fasthttp.StatusRequestEntityTooLarge:
		return "too large"
	case fasthttp.StatusBadRequest:
		return collector.ReasonOf(err)
	default:
		return ""
	}
}

// refuseMessage adds the record of one message. What the enrichment can tell of its sender it tells, because the
// address and the user agent are not kept.
func (h *Handler) refuseMessage(ctx *fasthttp.RequestCtx, b *buffers, p *collector.Project, sender *event.Client, r *collector.Rejection, sent []byte) {
	decoded := collector.Message{}
	if r.Decoded != nil {
		decoded = *r.Decoded
	}
	c, e := &decoded.Client, &decoded.Event
	if e.Project = p.ID; e.Origin == "" && fromBrowser(ctx) {
		e.Origin = event.OriginBrowser
	}
	complete(c, sender, e.Origin)
	h.Enrich.Enrich(p, c, e)
	m := collector.RefusedMessage{
		Project: p.ID, MessageID: r.MessageID, Reason: r.Class, Detail: h.Filter.Detail(p, c, r.Reason), ReceivedAt: h.Now().UnixMilli(),
	}
	sum := sent
	if message := h.Filter.Message(p, c, sent); message != nil && len(message) <= maxPayload {
		payload := collector.RefusedPayload{Message: message, DoNotTrack: p.RespectGPC && c.DoNotTrack}
		payload.Note(e)
		sum, _ = json.Marshal(&payload) // what was read as JSON cannot fail
		m.Payload = string(sum)
	}
	m.Size, m.Hash = sumOf(sum)
	b.refuse(&m)
}

// refuseNumber adds a record for each reason.
func (h *Handler) refuseNumber(b *buffers, p *collector.Project, rejected []collector.Rejection) {
	counts := make(map[string]uint64)
	for _, r := range rejected {
		counts[r.Class]++
	}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		m := collector.RefusedMessage{
			Project: p.ID, Reason: reason, ReceivedAt: h.Now().UnixMilli(), More: counts[reason] - 1,
			Detail: "too many were refused at a time; of these only the number is kept",
		}
		b.refuse(&m)
	}
}

// refuse adds the record of a message.
func (b *buffers) refuse(m *collector.RefusedMessage) {
	b.refused = append(b.refused, refusedRecord(m))
	b.reasons = append(b.reasons, reasonCount{m.Reason, 1 + m.More})
}

func sumOf(data []byte) (size uint64, hash string) {
	sum := sha256.Sum256(data)
	return uint64(len(data)), hex.EncodeToString(sum[:])
}

func refusedRecord(m *collector.RefusedMessage) []byte {
	record, _ := m.AppendBinary([]byte{collector.RecordRefused}) // never fails
	return record
}
