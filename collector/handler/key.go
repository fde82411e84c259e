package handler

import (
	"encoding/base64"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
)

// basicUser returns the user name of Basic authentication, which is where Segment's clients put the write key. ok is
// false when there is none.
func basicUser(ctx *fasthttp.RequestCtx) (key string, ok bool) {
	scheme, credentials, _ := strings.Cut(string(ctx.Request.Header.Peek("Authorization")), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	if err != nil {
		return "", false
	}
	key, _, _ = strings.Cut(string(decoded), ":")
	return key, key != ""
}

func (h *Handler) project(key string) (*collector.Project, error) {
	if key == "" {
		return nil, &refusal{fasthttp.StatusUnauthorized,
			"write key is missing; send it as user name of Basic authentication, as writeKey in the body or, to /p.gif, as k"}
	}
	p := h.Projects().ByWriteKey(key)
	if p == nil {
		return nil, &refusal{fasthttp.StatusUnauthorized, "write key is unknown; compare it with write_keys of the project"}
	}
	return p, nil
}
