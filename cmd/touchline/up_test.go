package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestRefuse(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("body: %w", fasthttp.ErrBodyTooLarge), `413 {"success":false,"error":"body is too large; at most 1048576 bytes are read"}`},
		{&fasthttp.ErrSmallBuffer{}, `431 {"success":false,"error":"header is too large; at most 16384 bytes are read"}`},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, `408 {"success":false,"error":"request did not arrive in time"}`},
		{errors.New("nonsense"), `400 {"success":false,"error":"request cannot be read as HTTP"}`},
	} {
		var ctx fasthttp.RequestCtx
		refuse(&ctx, tt.err)
		got := fmt.Sprintf("%d %s", ctx.Response.StatusCode(), ctx.Response.Body())
		if got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}
