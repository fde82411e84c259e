package decode

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/event"
)

// Sent returns the refused messages of a body, which Batch or Single has decoded, as they were sent: a JSON value each, or
// nil where that cannot be told; into objects their batch's context and sentAt are merged. It parses the body anew, which
// only refused messages cost, because the decoder keeps nothing of it and has changed what it looked at.
func (*Decoder) Sent(body []byte, rejected []Rejection) [][]byte {
	body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	messages := []json.RawMessage{body}
	var top map[string]json.RawMessage
	if len(rejected) > 0 && !rejected[0].Alone {
		top, messages = object(body), nil
		_ = json.Unmarshal(top["batch"], &messages) // Batch has read it
	}
	sent := make([][]byte, len(rejected))
	for i, r := range rejected {
		if r.Index < len(messages) {
			sent[i] = complete(messages[r.Index], top, r.Decoded)
		}
	}
	return sent
}

// SentPixel is Sent for the query of a pixel: it returns the message that the query is the short form of.
func (*Decoder) SentPixel(args *fasthttp.Args, decoded *Message) []byte {
	page, campaign, bag := map[string]string{}, map[string]string{}, map[string]string{}
	message := map[string]any{"context": map[string]any{"page": page, "campaign": campaign}}
	for key, value := range args.All() {
		text := string(value)
		switch name := string(key); name {
		case "uid":
			message["userId"] = text
		case "aid":
			message["anonymousId"] = text
		case "url":
			page["url"] = text
		case "ref":
			page["referrer"] = text
		case "utm_campaign":
			campaign["name"] = text
		case "utm_source", "utm_medium", "utm_term", "utm_content":
			campaign[name[len("utm_"):]] = text
		default:
			if property, ok := strings.CutPrefix(name, "p."); ok {
				bag[property] = text
			}
		}
	}
	message["properties"] = bag
	switch decoded.Event.Type {
	case event.Identify, event.Group:
		message["traits"] = bag
		delete(message, "properties")
	case event.Track:
		message["event"] = string(args.Peek("e"))
	}
	return complete(marshal(message), nil, decoded)
}

// complete adds to a message what its batch says of all, the type that its endpoint has and the id that it was given.
func complete(raw []byte, top map[string]json.RawMessage, decoded *Message) []byte {
	message := object(raw)
	if message == nil {
		return raw
	}
	if _, ok := message["sentAt"]; !ok && top["sentAt"] != nil {
		message["sentAt"] = top["sentAt"]
	}
	shared, own := object(top["context"]), object(message["context"])
	if own == nil && shared != nil && isNull(message["context"]) {
		own = map[string]json.RawMessage{}
	}
	if own != nil {
		for key, value := range shared {
			if _, ok := own[key]; !ok {
				own[key] = value
			}
		}
		message["context"] = marshal(own)
	}
	if decoded != nil && decoded.Event.MessageID != "" {
		message["messageId"] = marshal(decoded.Event.MessageID)
	}
	if decoded != nil && decoded.Event.Type != "" {
		message["type"] = marshal(decoded.Event.Type)
	}
	return marshal(message)
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// object is nil for what is none.
func object(raw json.RawMessage) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	return members
}

// marshal writes what was read as JSON, or a string.
func marshal(v any) []byte {
	text, _ := json.Marshal(v) // cannot fail
	return text
}
