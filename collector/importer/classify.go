package importer

import (
	"net/http"
	"path"
	"strings"
)

// Reasons for which a line of an access log is skipped.
const (
	skipRequest  = "request"  // not an HTTP request for a path of this site: "-", binary, a proxy probe
	skipMethod   = "method"   // not GET
	skipRedirect = "redirect" // 3xx but 304
	skipError    = "error"    // 4xx and 5xx
	skipStatus   = "status"   // 1xx and what is no HTTP status
	skipPartial  = "partial"  // 206: how many of these make one download cannot be known
	skipFeed     = "feed"     // RSS, Atom and other XML: polled by programs
	skipAsset    = "asset"    // part of a page, or a file that is not a download
)

// request is a request line taken apart.
type request struct {
	Method string
	Path   string // as requested, still percent-encoded
	Query  string // without the question mark
}

// Target is the path and the query, as requested.
func (r *request) Target() string {
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}

// parseRequest takes a request line apart. The target may hold spaces, the protocol may be missing (HTTP/0.9), and an
// absolute target is taken when it names host. ok is false for anything else.
func parseRequest(line, host string) (r request, ok bool) {
	method, target, _ := strings.Cut(line, " ")
	if i := strings.LastIndex(target, " HTTP/"); i >= 0 {
		target = target[:i]
	}
	if !isMethod(method) {
		return r, false
	}
	r.Method = method
	if method != http.MethodGet {
		return r, true // its target may be of another form, and does not matter
	}
	target, ok = originForm(target, host)
	target, _, _ = strings.Cut(target, "#")
	r.Path, r.Query, _ = strings.Cut(target, "?")
	return r, ok
}

func isMethod(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

// originForm turns "http://host/path" into "/path"; ok is false for another host's and for what is no path at all.
func originForm(target, host string) (origin string, ok bool) {
	if strings.HasPrefix(target, "/") {
		return target, true
	}
	_, rest, _ := strings.Cut(target, "://")
	authority, rest, _ := strings.Cut(rest, "/")
	return "/" + rest, strings.EqualFold(authority, host)
}

// classify decides what a request is: skipped for a reason, else a download when extension is not empty, else a page.
// What is neither a known asset nor a feed nor a download is a page, so that /blog/1.2, /@jane.doe and an extension
// that nobody has listed stay visits.
func classify(r request, status int) (skip, extension string) {
	switch {
	case r.Method != http.MethodGet:
		return skipMethod, ""
	case status >= 600 || status < 200:
		return skipStatus, ""
	case status >= 400:
		return skipError, ""
	case status >= 300 && status != 304:
		return skipRedirect, ""
	}
	ext := extensionOf(r.Path)
	switch {
	case isFeed(r, ext):
		return skipFeed, ""
	case assetExtensions[ext]:
		return skipAsset, ""
	case status == 206:
		return skipPartial, ""
	case downloadExtensions[ext]:
		return "", ext
	}
	return "", ""
}

// extensionOf returns the extension of a path in lower case, "tar.gz" and the like in whole. A name that only starts
// with a dot has none; what follows a semicolon is a path parameter.
func extensionOf(p string) string {
	name, _, _ := strings.Cut(strings.ToLower(path.Base(p)), ";")
	if strings.HasSuffix(p, "/") {
		return ""
	}
	i := strings.LastIndexByte(name, '.')
	if i <= 0 {
		return ""
	}
	if stem := name[:i]; compressions[name[i+1:]] && strings.HasSuffix(stem, ".tar") {
		i -= len(".tar")
	}
	return name[i+1:]
}

// isFeed knows feeds by extension, by a last path segment and by the query of WordPress, Joomla, MediaWiki and Blosxom.
func isFeed(r request, extension string) bool {
	if feedExtensions[extension] || feedNames[path.Base(strings.ToLower(r.Path))] {
		return true
	}
	for pair := range strings.SplitSeq(r.Query, "&") {
		key, value, _ := strings.Cut(strings.ToLower(pair), "=")
		if feedKeys[key] && feedValues[strings.TrimRight(value, "0123456789.")] {
			return true
		}
	}
	return false
}

var (
	compressions = set("gz bz2 xz zst lz lzma")
	feedNames    = set("feed rss rss2 atom rdf")
	feedKeys     = set("feed feedformat flav format")
	feedValues   = set("rss atom rdf feed comments-rss comments-atom")

	feedExtensions = set("xml rss atom rdf")

	downloadExtensions = set(
		"zip tar gz tgz bz2 tbz tbz2 xz txz zst lz lzma z 7z rar tar.gz tar.bz2 tar.xz tar.zst tar.lz tar.lzma cab lzh " + // archives
			"jar war ear exe msi msix dmg pkg mpkg deb rpm apk aab ipa appimage snap flatpak xpi crx iso img bin run vsix " + // installers
			"gem whl egg crate nupkg phar " + // packages
			"pdf ps epub mobi azw3 djvu doc docx docm xls xlsx xlsm ppt pptx pps ppsx odt ods odp rtf csv tsv ics vcf") // documents

	assetExtensions = set(
		"css scss less js mjs cjs map wasm " + // code that pages load
			"png jpg jpeg jpe jfif gif bmp ico cur svg svgz webp avif apng heic heif jxl tif tiff " + // pictures
			"woff woff2 ttf otf eot " + // fonts
			"mp3 m4a aac ogg oga opus flac wav weba mid midi mp4 m4v webm ogv avi mov mpg mpeg mpe wmv wma flv mkv 3gp " + // media
			"m3u m3u8 mpd m4s vtt srt swf " +
			"json jsonp json5 jsonld geojson webmanifest manifest appcache pbf glb gltf " + // data
			"txt log xsl xslt xsd dtd htc asc sig md5 sha1 sha256 sha512 torrent")
)

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
