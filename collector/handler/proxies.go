package handler

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"unsafe"

	"github.com/valyala/fasthttp"
)

// Proxies are the networks of proxies in front of the collector. Only their word counts on whom a request comes from:
// everybody can write X-Forwarded-For.
type Proxies []netip.Prefix

// ParseProxy reads an address or a network of proxies.
func ParseProxy(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("is %q; want an address or a network, such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32", text)
	}
	return network.Masked(), nil
}

func (p Proxies) trust(addr netip.Addr) bool {
	for _, network := range p {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// client returns the address of whom a request comes from that peer has sent: of peer itself, unless that is a proxy. It
// is the zero address when the proxies do not say it, or each of the two headers says another: one of them then is the
// sender's own, which a proxy that knows only the other let pass.
func (p Proxies) client(header *fasthttp.RequestHeader, peer netip.Addr) netip.Addr {
	if !p.trust(peer) {
		return peer
	}
	client, said := p.walk(header.PeekAll("X-Forwarded-For"), nodeAddress)
	other, otherSaid := p.walk(header.PeekAll("Forwarded"), forwardedFor)
	switch {
	case said && otherSaid && client != other:
		return netip.Addr{}
	case said:
		return client
	case otherSaid:
		return other
	default:
		return peer // the proxy asks for itself
	}
}

// walk goes the way of a request back: from the last entry of the last line, which the nearest proxy has appended, to
// the first that is no trusted proxy. What is before that is hearsay. said is false when there is no entry.
func (p Proxies) walk(lines [][]byte, address func(entry []byte) netip.Addr) (client netip.Addr, said bool) {
	for _, line := range slices.Backward(lines) {
		for more := true; more; {
			var entry []byte
			if line, entry, more = cutLast(line); len(entry) == 0 {
				continue
			}
			if client, said = address(entry), true; !p.trust(client) {
				return client, true
			}
		}
	}
	return client, said
}

// cutLast cuts the last entry from a list. It does not look for quotes: nothing that is read here can hold a comma, and
// so no quote that a sender leaves open swallows what a proxy has appended.
func cutLast(list []byte) (rest, last []byte, more bool) {
	comma := bytes.LastIndexByte(list, ',')
	return list[:max(comma, 0)], bytes.TrimSpace(list[comma+1:]), comma >= 0
}

// forwardedFor reads the address in an element of Forwarded, RFC 7239.
func forwardedFor(element []byte) netip.Addr { return nodeAddress(parameter(element, "for")) }

// parameter returns a parameter's value without quotes, or nothing.
func parameter(element []byte, name string) []byte {
	for more := true; more; {
		var pair []byte
		pair, element, more = bytes.Cut(element, []byte{';'})
		key, value, _ := bytes.Cut(pair, []byte{'='})
		if key = bytes.TrimSpace(key); len(key) == len(name) && bytes.EqualFold(key, []byte(name)) {
			return bytes.Trim(bytes.TrimSpace(value), `"`)
		}
	}
	return nil
}

const maxAddress = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

// nodeAddress reads an address, with or without port and brackets. All else, such as unknown and _hidden, and no
// address at all, as 0.0.0.0, are the zero address. It allocates nothing.
func nodeAddress(node []byte) netip.Addr {
	if rest, bracket := bytes.CutPrefix(node, []byte{'['}); bracket {
		var port []byte
		if node, port, bracket = bytes.Cut(rest, []byte{']'}); !bracket || len(port) > 0 && port[0] != ':' {
			return netip.Addr{}
		}
	} else if colon := bytes.IndexByte(node, ':'); colon >= 0 && bytes.IndexByte(node[colon+1:], ':') < 0 {
		node = node[:colon]
	}
	if len(node) == 0 || len(node) > maxAddress || !isAddressByte(node) {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(unsafe.String(&node[0], len(node))) // an address without a zone keeps nothing of its text
	if addr = addr.Unmap(); err != nil || addr.IsUnspecified() {
		return netip.Addr{}
	}
	return addr
}

// isAddressByte keeps words, for which ParseAddr would allocate an error, and zones away from it.
func isAddressByte(node []byte) bool {
	for _, c := range node {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') && c != ':' && c != '.' {
			return false
		}
	}
	return true
}

// https reports whether the person's own connection is encrypted: TLS ends here, or at the outermost proxy, which is the
// first of the list. A lie about it harms only the liar, whose browser will not keep the cookie.
func (p Proxies) https(ctx *fasthttp.RequestCtx) bool {
	if ctx.IsTLS() {
		return true
	}
	peer, _ := netip.AddrFromSlice(ctx.RemoteIP())
	if !p.trust(peer.Unmap()) {
		return false
	}
	header := &ctx.Request.Header
	proto := first(header.Peek("X-Forwarded-Proto"))
	if len(proto) == 0 {
		proto = parameter(first(header.Peek("Forwarded")), "proto")
	}
	return bytes.EqualFold(proto, []byte("https"))
}

func first(list []byte) []byte {
	entry, _, _ := bytes.Cut(list, []byte{','})
	return bytes.TrimSpace(entry)
}
