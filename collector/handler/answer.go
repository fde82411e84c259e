package handler

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
)

// refusal is why nothing of a request was taken, and the status that says so.
type refusal struct {
	status int
	reason string // for the sender
}

func (r *refusal) Error() string { return r.reason }

// status returns the status for the error of a request.
func status(err error) int {
	var r *refusal
	var over *overRate
	switch {
	case errors.As(err, &r):
		return r.status
	case errors.As(err, &over):
		return fasthttp.StatusTooManyRequests
	case errors.Is(err, collector.ErrTooLarge):
		return fasthttp.StatusRequestEntityTooLarge
	default:
		return fasthttp.StatusBadRequest
	}
}

// retryAfter is in seconds: long enough to spare a spool that is full, short enough that clients' queues can wait.
const retryAfter = "5"

type reply struct {
	Success  bool                  `json:"success"`
	Error    string                `json:"error,omitempty"`
	Rejected []collector.Rejection `json:"rejected,omitempty"`
}

// answer says what became of the request's messages.
func answer(ctx *fasthttp.RequestCtx, result collector.Result, err error) {
	switch {
	case err != nil:
		setRetryAfter(ctx, err)
		AnswerError(ctx, status(err), err.Error())
	case len(result.Rejected) == 0:
		ctx.SetContentType("application/json")
		ctx.SetBodyString(`{"success":true}`)
	case len(result.Messages) == 0:
		answerJSON(ctx, fasthttp.StatusBadRequest, reply{Error: "no message could be taken", Rejected: result.Rejected})
	default:
		answerJSON(ctx, fasthttp.StatusOK, reply{Success: true, Rejected: result.Rejected})
	}
}

// AnswerError answers that nothing of a request was taken, and why.
func AnswerError(ctx *fasthttp.RequestCtx, code int, reason string) {
	if code == fasthttp.StatusServiceUnavailable {
		ctx.Response.Header.Set("Retry-After", retryAfter)
	}
	answerJSON(ctx, code, reply{Error: reason})
}

func answerJSON(ctx *fasthttp.RequestCtx, code int, r reply) {
	body, _ := json.Marshal(r) // strings and numbers cannot fail
	ctx.SetStatusCode(code)
	ctx.SetContentType("application/json")
	ctx.Response.SetBodyRaw(body)
}

// allow answers 405 and returns false unless the request's method is one of methods.
func allow(ctx *fasthttp.RequestCtx, methods ...string) bool {
	if slices.Contains(methods, string(ctx.Method())) {
		return true
	}
	allowed := strings.Join(methods, ", ")
	ctx.Response.Header.Set("Allow", allowed)
	AnswerError(ctx, fasthttp.StatusMethodNotAllowed, "method is not allowed here; use "+allowed)
	return false
}
