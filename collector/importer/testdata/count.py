#!/usr/bin/env python3
"""Counts the sessions in combined-format access logs, independently of Touchline's own code.

    python3 count.py --host shop.example [--by channel|referrer_host|hits] FILE...

It prints CSV, sorted by the first column. The tests compare it with what the import and the SQL make of the same
file, so this is a second implementation of the definitions in plain Python and shares nothing with the first:

  hit       a GET answered with 2xx (but 206) or 304 for a page or a download; feeds and parts of pages are none
  visitor   address and user agent; visitors that are programs (BOT) are left out
  order     by time, and within a second by line
  evidence  utm_source or utm_medium; else a click id; else a referrer from another site that is neither a payment
            provider nor a sign-in page; else utm_campaign alone; else none, which is Direct
  session   of one visitor; a hit opens a new one after more than 30 minutes without a hit, or when it brings evidence
            whose (source, medium, campaign, click id) differs from that of the hit that opened the running session;
            with the same click id it never does
  channel   of the hit that opened the session

--by referrer_host groups by the host of the opening hit's referrer as logged, whatever its role; "" is none.
--by hits prints no sessions but what became of each line, to be held against the import's ledger.

What it does not know, because no log here needs it: registrable domains below two-part suffixes (.co.uk), most of the
known sources, and the campaign media of channels beyond Google Analytics'.
"""

import argparse
import collections
import csv
import datetime
import re
import sys
import urllib.parse

SILENCE = datetime.timedelta(minutes=30)

FIELD = r'"((?:[^"\\]|\\.|"(?!\ |$))*)"'
LINE = re.compile(rf'(\S+)\ \S+\ .+?\ \[([^]]+)\]\ {FIELD}\ (\d\d\d)\ (?:\d+|-)\ {FIELD}\ {FIELD}(?:\ .*)?$')

DOWNLOADS = set(
    "7z aab apk appimage azw3 bin bz2 cab crate crx csv deb djvu dmg doc docm docx ear egg epub exe flatpak gem gz ics "
    "img ipa iso jar lz lzh lzma mobi mpkg msi msix nupkg odp ods odt pdf phar pkg pps ppsx ppt pptx ps rar rpm rtf run "
    "snap tar tbz tbz2 tgz tsv txz vcf vsix war whl xls xlsm xlsx xpi xz z zip zst".split())
ASSETS = set(
    "3gp aac appcache apng asc avi avif bmp cjs css cur dtd eot flac flv geojson gif glb gltf heic heif htc ico jfif "
    "jpe jpeg jpg js json json5 jsonld jsonp jxl less log m3u m3u8 m4a m4s m4v manifest map md5 mid midi mjs mkv mov "
    "mp3 mp4 mpd mpe mpeg mpg oga ogg ogv opus otf pbf png scss sha1 sha256 sha512 sig srt svg svgz swf tif tiff "
    "torrent ttf txt vtt wasm wav weba webm webmanifest webp wma wmv woff woff2 xsd xsl xslt".split())
FEEDS = set("atom rdf rss xml".split())
FEED_NAME = re.compile(r"/(feed|rss2?|atom|rdf)/?$", re.I)
FEED_QUERY = re.compile(r"(^|&)(feed|feedformat|flav|format)=(feed|rdf|(comments-)?(rss|atom))[0-9.]*(&|$)", re.I)

# A program says so, names a contact, or does not look like a browser at all.
BOT = re.compile(
    r"^$|bot\b|bot[/_-]|spider|crawl|slurp|archiver|scrape|preview|monitor|validator|checker|scan|sleuth|"
    r"fetch|feed|\brss|reader|aggregator|subscribers|simplepie|livejournal|flipboard|facebookexternalhit|embedly|"
    r"^(?!.*msie).*https?://|@|daum|nutch|favicon|portscout|robosourcer|dts agent|indy library|^\W|"
    r"curl|wget|python|java/|ruby|perl|php|go-http|okhttp|libwww|http_|client|"
    r"headless|phantomjs|selenium|puppeteer|playwright|lighthouse|cfnetwork|dalvik|"
    r"^mozilla/[0-9.]+( \(compatible;?\))?$", re.I)

CLICK_IDS = {  # most telling first
    "gclid": ("google", "cpc"), "gbraid": ("google", "cpc"), "wbraid": ("google", "cpc"), "dclid": ("google", "display"),
    "msclkid": ("bing", "cpc"), "ttclid": ("tiktok", "cpc"), "twclid": ("twitter", "cpc"), "li_fat_id": ("linkedin", "cpc"),
    "yclid": ("yandex", "cpc"), "fbclid": ("facebook", "social"),
}
MEDIUM = {"search": "organic", "social": "social", "email": "email"}  # of a referrer; else referral
ORGANIC = {"search": "Organic Search", "social": "Organic Social", "video": "Organic Video", "shopping": "Organic Shopping",
           "email": "Email", "ai": "AI Assistants", "forum": "Forums", "press": "Press"}
SOURCES = [  # category, source, pattern of the host; the first that matches
    ("payment", "", r"(paypal|stripe|klarna|adyen|mollie|worldpay|checkout|giropay)\.\w+|pay(ments)?\.(google|amazon)\.\w+"),
    ("login", "", r"accounts\.google\.com|login\.(live|microsoft|microsoftonline)\.com|appleid\.apple\.com"),
    ("email", "gmail", r"mail\.google\.com"),
    ("email", "outlook", r"outlook\.(live|office|office365)\.com"),
    ("email", "yahoo-mail", r"mail\.yahoo\.com"),
    ("ai", "chatgpt", r"chatgpt\.com|chat\.openai\.com"),
    ("ai", "perplexity", r"perplexity\.ai"),
    ("ai", "gemini", r"gemini\.google\.com"),
    ("ai", "claude", r"claude\.ai"),
    ("press", "google-news", r"news\.google\.com"),
    ("social", "googleplus", r"plus(\.url)?\.google\.com"),
    ("social", "google-groups", r"groups\.google\.com"),
    ("search", "google", r"google(\.com?)?\.\w{2,3}"),
    ("search", "bing", r"bing\.com"),
    ("search", "yahoo", r"yahoo(\.com?)?\.\w{2,3}"),
    ("search", "duckduckgo", r"duckduckgo\.com"),
    ("search", "baidu", r"baidu\.com"),
    ("search", "yandex", r"yandex(\.com?)?\.\w{2,3}|ya\.ru"),
    ("search", "ecosia", r"ecosia\.org"),
    ("search", "brave", r"search\.brave\.com"),
    ("search", "startpage", r"startpage\.com"),
    ("search", "naver", r"naver\.com"),
    ("search", "daum", r"daum\.net"),
    ("search", "ask", r"ask\.com"),
    ("search", "aol", r"aol(\.com?)?\.\w{2,3}"),
    ("search", "conduit", r"search\.conduit\.com"),
    ("social", "facebook", r"facebook\.com|fb\.me"),
    ("social", "instagram", r"instagram\.com"),
    ("social", "twitter", r"twitter\.com|x\.com|t\.co"),
    ("social", "linkedin", r"linkedin\.com|lnkd\.in"),
    ("social", "reddit", r"reddit\.com"),
    ("social", "pinterest", r"pinterest(\.com?)?\.\w{2,3}"),
    ("social", "blogger", r"blogger\.com|blogspot\.com"),
    ("social", "wordpress", r"wordpress\.com"),
    ("social", "github", r"github\.com"),
    ("social", "medium.com", r"medium\.com"),
    ("social", "netvibes", r"netvibes\.com"),
    ("video", "youtube", r"youtube\.com|youtu\.be"),
    ("video", "vimeo", r"vimeo\.com"),
    ("shopping", "amazon", r"amazon(\.com?)?\.\w{2,3}"),
    ("shopping", "ebay", r"ebay(\.com?)?\.\w{2,3}"),
    ("forum", "stackoverflow", r"stackoverflow\.com"),
    ("forum", "stackexchange", r"stackexchange\.com|superuser\.com|serverfault\.com|askubuntu\.com"),
    ("forum", "community.spiceworks", r"community\.spiceworks\.com"),
    ("forum", "hackernews", r"news\.ycombinator\.com"),
]

Hit = collections.namedtuple("Hit", "time line visitor path query referrer agent")
Evidence = collections.namedtuple("Evidence", "channel source medium campaign click_id")


def unescape(field):
    if field == "-":
        return ""
    known = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}

    def plain(match):
        code = match[1]
        return bytes.fromhex(code[1:].decode()) if code[:1] == b"x" else known.get(code, code)

    raw = re.sub(rb'\\(x[0-9a-fA-F]{2}|["\\nrt])', plain, field.encode())
    return re.sub("\ufffd+", "\ufffd", raw.decode(errors="replace"))


def classify(request, status):
    """Returns "page", "download" or the reason for which a line is skipped, with path and query."""
    match = re.match(r"([A-Z_-]+) (.*?)(?: HTTP/\S+)?$", request, re.S)
    if not match:
        return "request", "", ""
    if match[1] != "GET":
        return "method", "", ""
    if not match[2].startswith("/"):
        return "request", "", ""
    path, _, query = match[2].partition("#")[0].partition("?")
    if not 200 <= status < 600:
        return "status", path, query
    if status >= 400:
        return "error", path, query
    if status >= 300 and status != 304:
        return "redirect", path, query
    name = path.rpartition("/")[2].partition(";")[0].lower()
    extension = name.rpartition(".")[2] if "." in name[1:] else ""
    if extension in FEEDS or FEED_NAME.search(path) or FEED_QUERY.search(query):
        return "feed", path, query
    if extension in ASSETS:
        return "asset", path, query
    if status == 206:
        return "partial", path, query
    return "download" if extension in DOWNLOADS else "page", path, query


def read(files):
    """Yields what became of each line, and the hit if it is one."""
    number = 0
    for name in files:
        with open(name, encoding="utf-8", errors="replace", newline="\n") as log:
            for line in log:
                number += 1
                match = LINE.match(line.rstrip("\r\n"))
                if not match:
                    yield "malformed", None
                    continue
                address, time, request, status, referrer, agent = match.groups()
                kind, path, query = classify(unescape(request), int(status))
                hit = None
                if kind in ("page", "download"):
                    time = datetime.datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z")
                    agent = unescape(agent)
                    hit = Hit(time, number, (address, agent), path, query, unescape(referrer), agent)
                yield kind, hit


def host_of(url):
    match = re.match(r"[^/?#]*://(?:[^/?#@]*@)?([^/?#:]*)", url)
    host = match[1].rstrip(".").lower() if match else ""
    return host if re.fullmatch(r"(?:[\w\ufffd-]+\.)*[\w\ufffd-]+", host) else ""


def source_of(host):
    for category, source, pattern in SOURCES:
        if re.search(rf"(^|\.)({pattern})$", host):
            return category, source
    return "", re.sub(r"^www\.", "", host)


def channel_of(source, medium):
    category = next((c for c, s, _ in SOURCES if s == source), "")
    if re.fullmatch(r".*cp.*|ppc|retargeting|paid.*", medium):
        paid = {"search": "Paid Search", "social": "Paid Social", "video": "Paid Video", "shopping": "Paid Shopping"}
        return "Display" if medium == "cpm" and category not in paid else paid.get(category, "Paid Other")
    if medium in ("display", "banner", "interstitial"):
        return "Display"
    if medium in ("affiliate", "affiliates"):
        return "Affiliates"
    if category in ORGANIC:
        return ORGANIC[category]
    by_medium = {"email": "Email", "newsletter": "Email", "social": "Organic Social", "organic": "Organic Search",
                 "referral": "Referral"}
    return by_medium.get(medium, "Email" if source == "email" else "Unassigned")


def evidence_of(hit, own):
    """Returns how the visitor came, or None when the hit says nothing of that."""
    query = dict(reversed(urllib.parse.parse_qsl(hit.query)))  # of a repeated parameter the first counts
    source, medium, campaign = (query.get("utm_" + key, "").strip().lower() for key in ("source", "medium", "campaign"))
    click = next((c for c in CLICK_IDS if query.get(c)), None)
    click_id = query.get(click, "")
    host = host_of(hit.referrer)
    if source or medium:
        pass
    elif click:
        source, medium = CLICK_IDS[click]
        if medium == "social" and source_of(host)[0] == "social":
            source = source_of(host)[1]
    elif host and host != own and not host.endswith("." + own) and source_of(host)[0] not in ("payment", "login"):
        category, source = source_of(host)
        medium = MEDIUM.get(category, "referral")
    elif not campaign:
        return None
    return Evidence(channel_of(source, medium), source, medium, campaign, click_id)


def sessions(hits, own):
    """Yields the hit that opened each session, with its evidence."""
    running = {}  # visitor: time of the last hit, evidence of the opening one
    for hit in sorted(hits, key=lambda h: (h.time, h.line)):
        if BOT.search(hit.agent):
            continue
        evidence = evidence_of(hit, own)
        last, opened_by = running.get(hit.visitor, (None, None))
        new_campaign = evidence and (opened_by is None or evidence[1:] != opened_by[1:]) and not (
            opened_by and evidence.click_id and evidence.click_id == opened_by.click_id)
        if last is None or hit.time - last > SILENCE or new_campaign:
            yield hit, evidence
            opened_by = evidence
        running[hit.visitor] = hit.time, opened_by


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True, help="of the site: shop.example")
    parser.add_argument("--by", choices=["channel", "referrer_host", "hits"], default="channel")
    parser.add_argument("files", nargs="+", metavar="FILE")
    arguments = parser.parse_args()

    own = re.sub(r"^www\.", "", arguments.host.lower())
    lines = list(read(arguments.files))
    groups = collections.Counter()
    if arguments.by == "hits":
        groups.update(kind for kind, _ in lines)
    for hit, evidence in sessions([hit for _, hit in lines if hit], own):
        if arguments.by == "channel":
            groups[evidence.channel if evidence else "Direct"] += 1
        elif arguments.by == "referrer_host":
            groups[host_of(hit.referrer)] += 1
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([arguments.by, "lines" if arguments.by == "hits" else "sessions"])
    out.writerows(sorted(groups.items()))


if __name__ == "__main__":
    main()
