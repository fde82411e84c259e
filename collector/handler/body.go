package handler

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
)

// body returns the decompressed body, which has at most limit bytes. It lives in the request or in buf.
func (h *Handler) body(ctx *fasthttp.RequestCtx, buf *bytes.Buffer, limit int) ([]byte, error) {
	raw := ctx.Request.Body()
	coding := contentCoding(ctx)
	if coding == "" || coding == "identity" {
		if len(raw) > limit {
			return nil, tooLarge(limit)
		}
		return raw, nil
	}
	pool := h.inflate[coding]
	if pool == nil {
		return nil, &refusal{fasthttp.StatusUnsupportedMediaType, "Content-Encoding is unknown; use one of gzip, deflate, br and zstd, or none"}
	}
	in, _ := pool.Get().(*inflater) // the pools hold nothing else
	defer pool.Put(in)
	buf.Reset()
	err := in.inflate(buf, raw, limit)
	if buf.Len() > limit {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, fmt.Errorf("body is not in Content-Encoding %s: %w", coding, err)
	}
	return buf.Bytes(), nil
}

// contentCoding returns the codings of the body in lower case; several are a list, which is none that is known.
func contentCoding(ctx *fasthttp.RequestCtx) string {
	header := &ctx.Request.Header
	if len(header.ContentEncoding()) == 0 {
		return ""
	}
	return string(bytes.ToLower(bytes.Join(header.PeekAll(fasthttp.HeaderContentEncoding), []byte(", "))))
}

func tooLarge(limit int) error {
	return &refusal{fasthttp.StatusRequestEntityTooLarge, fmt.Sprintf("body is too large; at most %d bytes are taken, decompressed", limit)}
}

// inflater undoes one content coding.
type inflater struct {
	src bytes.Reader
	r   resetReader
}

type resetReader interface {
	io.Reader
	Reset(src io.Reader) error
}

// inflate writes what raw holds to dst, and stops one byte beyond limit, however much raw would become. It keeps
// nothing of raw.
func (in *inflater) inflate(dst *bytes.Buffer, raw []byte, limit int) error {
	in.src.Reset(raw)
	defer in.src.Reset(nil)
	if err := in.r.Reset(&in.src); err != nil {
		return err
	}
	_, err := dst.ReadFrom(io.LimitReader(in.r, int64(limit)+1))
	return err
}

func newInflaters() map[string]*sync.Pool {
	pool := func(newReader func() resetReader) *sync.Pool {
		return &sync.Pool{New: func() any { return &inflater{r: newReader()} }}
	}
	return map[string]*sync.Pool{
		"gzip":    pool(func() resetReader { return new(gzip.Reader) }),
		"deflate": pool(newDeflate),
		"br":      pool(func() resetReader { return new(brotli.Reader) }),
		"zstd":    pool(newZstd),
	}
}

// newZstd bounds the window to what RFC 9659 lets a sender use, for it is allocated before a byte is decoded. One
// decoder runs in the goroutine that reads.
func newZstd() resetReader {
	const maxWindow = 8 << 20 // bytes
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		panic(err) // the options are constants
	}
	return r
}

// deflateReader reads both things called deflate: the zlib format, which HTTP means, and the bare one, which some
// clients send. The checksum of zlib is not looked at: the connection has its own.
type deflateReader struct {
	src *bufio.Reader
	io.ReadCloser
}

func newDeflate() resetReader {
	src := bufio.NewReader(nil)
	return &deflateReader{src, flate.NewReader(src)}
}

func (d *deflateReader) Reset(src io.Reader) error {
	d.src.Reset(src)
	head, _ := d.src.Peek(2) // fewer at the end, which the reader will report
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		_, _ = d.src.Discard(2) // just peeked at
	}
	resetter, _ := d.ReadCloser.(flate.Resetter) // as the package documents
	return resetter.Reset(d.src, nil)
}
