package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/valyala/fasthttp"
)

// bareEnv makes this program the bare server.
const bareEnv = "TOUCHLINE_BENCH_BARE"

// gif is the image that the collector answers.
const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00" +
	",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// serveBare answers every request with the image until stdin ends. It prints its address first.
func serveBare() error {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = listener.Close()
	}()
	fmt.Println(listener.Addr())
	server := &fasthttp.Server{Name: "bare", NoDefaultServerHeader: true, NoDefaultContentType: true, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("image/gif")
		ctx.Response.Header.Set("Cache-Control", "no-store")
		ctx.SetBodyString(gif)
	}}
	return server.Serve(listener)
}

// bare is that server as a process.
type bare struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

func startBare(ctx context.Context) (*bare, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, executable)
	cmd.Env = append(os.Environ(), bareEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err = cmd.Start(); err != nil {
		return nil, err
	}
	b := &bare{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.stop()
		return nil, fmt.Errorf("bare server: did not print its address: %w", err)
	}
	b.addr = strings.TrimSpace(line)
	return b, nil
}

func (b *bare) stop() {
	_ = b.stdin.Close()
	_ = b.cmd.Wait() // how it ends does not matter
}
