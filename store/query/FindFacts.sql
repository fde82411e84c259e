-- FindFacts: whose each event is, the sessions of each device, and of all events those that later steps need.
--
-- An event belongs to its user; without one to the user its device is next linked to, or was last; without any to the
-- device. Events that name both link them, unless the link was undone later; so does an alias call whose previous id is
-- known as a device only.
--
-- Thirty minutes of silence end a session, and so does new evidence: other than direct, and different from what the
-- running session has. A click id ends a session only where it is first seen. A page that repeats the referrer of the page
-- before it brings no new evidence: in a single-page application the referrer never changes.
--
-- Many parts of a wide table are read side by side, in order: small buffers and blocks keep that in bounds.
--
-- All is done in arrays of one device's events in order of time, and no function of an element sees a whole array: it
-- would be copied for each element. What an element must know of others is carried to it by arrayFill.
INSERT INTO touchline_work.facts
WITH
    30 * 60 * 1000 AS timeout,
    undone AS (
        SELECT sipHash64('a', anonymous_id) AS device_key, groupArray(user_id) AS users, groupArray(until) AS untils
        FROM (
            SELECT anonymous_id, user_id, toUnixTimestamp64Milli(max(unlinked_at)) AS until
            FROM touchline.unlinks
            WHERE project = {project:String}
            GROUP BY anonymous_id, user_id)
        GROUP BY anonymous_id
    ),
    grouped AS (
        SELECT
            device_key,
            any(d.anonymous_id) AS anonymous_id,
            arraySort(groupArray((
                toUnixTimestamp64Milli(timestamp), client_timestamp, seq, message_key,
                if(type = 'link', '', user_id),
                if(type = 'link' AND d.anonymous_id IN (SELECT user_id FROM touchline_work.known_users), '', user_id),
                toUInt16(2 * (event = 'Touchpoint') + 4 * (origin = 'link') + 8 * (event IN {touches:Array(String)})
                    + 16 * (opens AND link != '') + 32 * (event IN {kinds:Array(String)})
                    + 64 * (event IN {leads:Array(String)}) + 128 * (event IN {opportunities:Array(String)})
                    + 256 * (type = 'group' AND account_id != '') + 512 * (type = 'identify' AND traits != '')),
                type != 'link', opens, active, evidence, click, referrer,
                message_id, account_id, link, channel, channel_reason, source, medium, campaign, term, content, click_id,
                referrer_host, landing_page, country, device, traits)::Tuple(
                at Int64, client_timestamp DateTime64(3, 'UTC'), seq UInt32, message_key UInt64,
                user_id String, links String, marks UInt16,
                counts Bool, opens Bool, active Bool, evidence UInt64, click UInt64, referrer UInt64,
                message_id String, account_id String, link String, channel LowCardinality(String),
                channel_reason LowCardinality(String), source LowCardinality(String), medium LowCardinality(String),
                campaign LowCardinality(String), term String, content String, click_id String,
                referrer_host LowCardinality(String), landing_page String, country LowCardinality(String),
                device LowCardinality(String), traits String))) AS e
        FROM {tables:Identifier}.device_events AS d
        WHERE project = {project:String}
            AND (version >= 9223372036854775808 OR message_key NOT IN (
                SELECT message_key FROM touchline.device_events WHERE project = {project:String} AND version >= 9223372036854775808))
        GROUP BY project, device_key
    ),
    owned AS (
        SELECT
            g.device_key AS device_key, g.anonymous_id AS anonymous_id, g.e AS e,
            if(empty(u.users), e.links,
                arrayMap((l, t) -> if(t <= u.untils[indexOf(u.users, l)], '', l), e.links, e.at)) AS links,
            arrayReverseFill(l -> l != '', links) AS next_user,
            arrayFill(l -> l != '', links) AS last_user,
            arrayMap((own, n, l) -> multiIf(own != '', own, n != '', n, l), e.user_id, next_user, last_user) AS owner
        FROM grouped AS g
        LEFT JOIN undone AS u ON u.device_key = g.device_key
    ),
    -- last_at, last_referrer: of the active event before. running: the evidence of the session under way; 1 stands for
    -- direct, which is what a session begins with that has none.
    cut AS (
        SELECT
            *,
            arrayPopBack(arrayPushFront(arrayFill(t -> t != 0, arrayMap((t, a) -> if(a, t, 0), e.at, e.active)), 0)) AS last_at,
            arrayPopBack(arrayPushFront(
                arrayMap(x -> x.2, arrayFill(x -> x.1, arrayZip(e.active, e.referrer))), 0)) AS last_referrer,
            arrayMap((t, l, a) -> a AND (l = 0 OR t - l > timeout), e.at, last_at, e.active) AS silence,
            arrayPopBack(arrayPushFront(arrayFill(v -> v != 0, arrayMap(
                (v, s, a) -> if(a, if(s, greatest(v, 1), v), 0), e.evidence, silence, e.active)), 0)) AS running,
            arrayMap((c, a, s, v, r, n, why, ref, lr) ->
                    a AND (s OR v != 0 AND v != r AND (c = 0 OR n = 1) AND NOT (why = 'referrer' AND ref = lr)),
                e.click, e.active, silence, e.evidence, running,
                arrayEnumerateUniq(arrayMap((c, a) -> if(a, c, 0), e.click, e.active)),
                e.channel_reason, e.referrer, last_referrer) AS cuts
        FROM owned
    ),
    -- A session is as many events as lie between two cuts; its opener is the touch. next_cut: whether the next active
    -- event begins another session, or there is none.
    sessions AS (
        SELECT
            *,
            arrayMap((o, n) -> o AND n = 1, e.opens,
                arrayEnumerateUniq(arrayMap((s, o) -> if(o, s, 0), arrayCumSum(cuts), e.opens))) AS opener,
            arrayPushBack(arrayPopFront(arrayReverseFill(x -> x != 2,
                arrayMap((a, c) -> if(a, toUInt8(c), 2), e.active, cuts))), 1) AS next_cut,
            arrayReverseFill(t -> t != 0,
                arrayMap((a, c, t) -> if(a AND c != 0, t, 0), e.active, next_cut, e.at)) AS ended,
            arrayFill(x -> x.1, arrayZip(opener, e.message_id, e.at, ended)) AS opened
        FROM cut
    ),
    -- A run is as many events in a row as belong to one owner; its last event tells of all of it.
    runs AS (
        SELECT
            *,
            arrayMap((w, before, i) -> i = 1 OR w != before, owner, arrayPopBack(arrayPushFront(owner, '')), arrayEnumerate(owner)) AS begins,
            arrayPushBack(arrayPopFront(begins), 1) AS ends,
            arrayFill(x -> x.1, arrayZip(begins, e.at)) AS first,
            arrayCumSum(e.counts) AS counted,
            arrayMap((n, b) -> n - b.2, counted,
                arrayFill(x -> x.1, arrayZip(begins, arrayMap((n, c) -> n - c, counted, e.counts)))) AS events,
            arrayFill(x -> x.1, arrayMap((b, c, t) -> (b OR c != '', c, t), begins, e.country, e.at)) AS country,
            arrayFilter((x, o, m, last, n) -> o OR m != 0 OR last AND n > 0,
                arrayZip(e, owner, opener, ended, opened, ends, events, first, country), opener, e.marks, ends, events) AS kept
        FROM sessions
    )
SELECT
    multiIf(a.canonical != '', sipHash64('u', a.canonical), f.2 != '', sipHash64('u', f.2), device_key) AS person_key,
    multiIf(a.canonical != '', a.canonical, f.2 != '', f.2, anonymous_id) AS person,
    f.2 != '' AS identified,
    device_key, anonymous_id,
    f.1.marks + f.3 AS marks,
    f.1.message_key,
    fromUnixTimestamp64Milli(f.1.at, 'UTC'), f.1.client_timestamp, f.1.seq,
    if(f.3, fromUnixTimestamp64Milli(f.4, 'UTC'), fromUnixTimestamp64Milli(f.1.at, 'UTC')),
    f.1.message_id, f.1.account_id, f.1.link,
    f.1.channel, f.1.channel_reason, f.1.source, f.1.medium, f.1.campaign, f.1.term, f.1.content, f.1.click_id,
    f.1.referrer_host, f.1.landing_page, f.1.country, f.1.device, f.1.traits,
    if(f.5.1 AND f.1.at - f.5.4 <= timeout, f.5.2, '') AS inherits,
    fromUnixTimestamp64Milli(f.5.3, 'UTC') AS inherits_at,
    if(f.6, f.7, 0) AS events,
    fromUnixTimestamp64Milli(f.8.2, 'UTC') AS first_seen,
    f.9.2 AS latest_country, fromUnixTimestamp64Milli(f.9.3, 'UTC') AS country_at
FROM runs
ARRAY JOIN kept AS f
LEFT JOIN touchline_work.aliases AS a ON a.user_id = f.2
WHERE {all:Bool} OR person_key IN (SELECT person_key FROM touchline_work.affected_persons)
SETTINGS optimize_aggregation_in_order = 1, max_insert_threads = 2, min_insert_block_size_rows = 500000,
    min_insert_block_size_bytes = 250000000, max_block_size = 8192, aggregation_in_order_max_block_bytes = 10000000,
    max_read_buffer_size = 32768
