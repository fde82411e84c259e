package handler

import (
	"bytes"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/event"
)

// Endpoint is what answers at some paths.
type Endpoint struct {
	Name  string   // for metrics; there are few
	Paths []string // a path that ends in a slash stands for all below it

	answer func(*Handler, *fasthttp.RequestCtx)
}

const (
	linkPath      = "/r/"
	dataPixelPath = "/v1/pixel/"
	scriptPath    = "/t.js"
)

var endpoints = []*Endpoint{
	{"batch", []string{"/v1/batch", "/v1/b"}, (*Handler).batch},
	{"track", []string{"/v1/track", "/v1/t"}, single(event.Track)},
	{"page", []string{"/v1/page", "/v1/p"}, single(event.Page)},
	{"screen", []string{"/v1/screen", "/v1/s"}, single(event.Screen)},
	{"identify", []string{"/v1/identify", "/v1/i"}, single(event.Identify)},
	{"group", []string{"/v1/group", "/v1/g"}, single(event.Group)},
	{"alias", []string{"/v1/alias", "/v1/a"}, single(event.Alias)},
	{"pixel", []string{dataPixelPath}, (*Handler).dataPixel},
	{"pixel", []string{"/p.gif"}, (*Handler).pixel},
	{"link", []string{linkPath}, (*Handler).link},
	{"script", []string{scriptPath}, (*Handler).serveScript},
	{"healthz", []string{"/healthz"}, (*Handler).health},
	{"readyz", []string{"/readyz"}, (*Handler).ready},
}

// standardPaths are what own names can stand for.
var standardPaths, endpointOf = func() (paths []string, of map[string]*Endpoint) {
	of = make(map[string]*Endpoint)
	for _, e := range endpoints {
		paths = append(paths, e.Paths...)
		for _, path := range e.Paths {
			of[path] = e
		}
	}
	return paths, of
}()

// Endpoints returns all there are.
func Endpoints() []*Endpoint { return slices.Clone(endpoints) }

// EndpointAt returns what answers at a path that is no own one, or nil. It allocates nothing.
func EndpointAt(path []byte) *Endpoint {
	if e := endpointOf[string(path)]; e != nil {
		return e
	}
	switch {
	case bytes.HasPrefix(path, []byte(dataPixelPath)):
		return endpointOf[dataPixelPath]
	case bytes.HasPrefix(path, []byte(linkPath)):
		return endpointOf[linkPath]
	case isTwin(path):
		return endpointOf[scriptPath]
	}
	return nil
}
