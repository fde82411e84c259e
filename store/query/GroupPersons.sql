-- GroupPersons: everything of each person: touches, conversions, milestones, memberships, and the account that each of
-- them counts for: its own; else the one the person joined last before; else the first one joined within the lookback
-- after. A click on a signed link is no touch where a session of the same person has the click in a page's address: that
-- session is. A conversion of nobody known is a row of its own.
INSERT INTO touchline_work.groups
WITH
    {lookback:Int64} AS lookback,
    -- what makes a touch: a session, an explicit one, a link, an event that the project names
    bitAnd(marks, 15) != 0 AS is_touch,
    converted AS (
        SELECT
            f.person_key AS converter,
            arraySort(groupArray((
                f.timestamp, f.message_id, o.kind, f.person, f.identified, o.order_id, o.amount, o.refunded, o.currency,
                o.value, o.gross, o.rated, f.country, f.inherits, f.inherits_at, f.account_id)::Tuple(
                timestamp DateTime64(3, 'UTC'), conversion_id String, kind LowCardinality(String), person String, identified Bool,
                order_id String, amount Decimal(18, 6), refunded Decimal(18, 6), currency LowCardinality(String),
                value Decimal(18, 6), gross Decimal(18, 6), rated Bool, country LowCardinality(String), inherits String,
                inherits_at DateTime64(3, 'UTC'), account String))) AS conversions
        FROM (SELECT * FROM touchline_work.facts WHERE bitAnd(marks, 32) != 0) AS f
        INNER JOIN touchline_work.orders AS o ON o.device_key = f.device_key AND o.message_key = f.message_key
        GROUP BY converter
    ),
    collected AS (
        SELECT
            person_key,
            any(f.person) AS person,
            any(f.identified) AS identified,
            minIf(f.first_seen, f.events > 0) AS first_seen,
            maxIf(f.timestamp, f.events > 0) AS last_seen,
            sum(f.events) AS events,
            uniqExactIf(f.anonymous_id, f.events > 0 AND f.anonymous_id != '') AS devices,
            argMaxIf(f.latest_country, (f.country_at, f.latest_country), f.latest_country != '') AS country,
            argMaxIf(f.traits, (f.timestamp, f.client_timestamp, f.seq, f.message_id), bitAnd(marks, 512) != 0) AS traits,
            arraySort(groupArrayIf((f.timestamp, f.client_timestamp, f.seq, f.message_id, f.account_id, f.traits), bitAnd(marks, 256) != 0)) AS joins,
            arraySort(groupArrayIf((f.timestamp, toUInt8(1 + (bitAnd(marks, 128) != 0)), f.account_id)::Tuple(
                timestamp DateTime64(3, 'UTC'), milestone UInt8, account String), bitAnd(marks, 192) != 0)) AS reached,
            groupArrayIf(f.link, bitAnd(marks, 16) != 0) AS landed,
            arraySort(groupArrayIf((
                f.timestamp, f.message_id,
                multiIf(bitAnd(marks, 2) != 0, 'explicit', bitAnd(marks, 1) != 0, 'session', bitAnd(marks, 4) != 0, 'link', 'impression'),
                f.person, f.identified, f.anonymous_id, f.ended, f.channel, f.channel_reason, f.source, f.medium,
                f.campaign, f.term, f.content, f.click_id, f.referrer_host, f.landing_page, f.country, f.device, f.account_id)::Tuple(
                timestamp DateTime64(3, 'UTC'), touch_id String, kind LowCardinality(String), person String, identified Bool,
                anonymous_id String, ended DateTime64(3, 'UTC'), channel LowCardinality(String),
                channel_reason LowCardinality(String), source LowCardinality(String), medium LowCardinality(String),
                campaign LowCardinality(String), term String, content String, click_id String,
                referrer_host LowCardinality(String), landing_page String, country LowCardinality(String),
                device LowCardinality(String), account String), is_touch)) AS touched
        FROM touchline_work.facts AS f
        GROUP BY person_key
    ),
    -- joined: when which account was joined, as short as the list of memberships.
    members AS (
        SELECT
            p.*, c.conversions AS done,
            arrayMap(j -> (j.1, j.5, j.6)::Tuple(timestamp DateTime64(3, 'UTC'), account String, traits String), joins) AS memberships,
            arrayMap(j -> (toUnixTimestamp64Milli(j.1), j.5), joins) AS joined,
            if(empty(landed), touched, arrayFilter((t, k, l) -> k != 'link' OR NOT l, touched, touched.kind,
                arrayMap(id -> has(landed, id), touched.touch_id))) AS kept
        FROM collected AS p
        LEFT JOIN converted AS c ON c.converter = p.person_key
        WHERE p.person != '' OR notEmpty(c.conversions)
    ),
    (own, t, joined) -> multiIf(own != '' OR empty(joined), own,
        arrayLast(j -> j.1 <= t, joined).2 != '', arrayLast(j -> j.1 <= t, joined).2,
        arrayFirst(j -> j.1 > t AND j.1 - t < lookback, joined).2) AS account_at,
    counted AS (
        SELECT
            *,
            arrayMap((own, t) -> account_at(own, toUnixTimestamp64Milli(t), joined), kept.account, kept.timestamp) AS touch_accounts,
            arrayMap((own, t) -> account_at(own, toUnixTimestamp64Milli(t), joined), done.account, done.timestamp) AS conversion_accounts,
            arrayMap((own, t) -> account_at(own, toUnixTimestamp64Milli(t), joined), reached.account, reached.timestamp) AS milestone_accounts,
            arraySort(arrayDistinct(arrayFilter(a -> a != '',
                arrayConcat(touch_accounts, conversion_accounts, milestone_accounts, memberships.account)))) AS accounts
        FROM members
    )
SELECT
    {project:String} AS project, person_key AS subject_key, 0 AS slot, if(empty(accounts), 'both', 'person') AS level,
    person, identified, if(empty(memberships), '', memberships[-1].account) AS account,
    first_seen, last_seen, events, devices, 1 AS people, country, traits,
    if({role_trait:String} = '', '', JSONExtractString(traits, {role_trait:String})) AS role,
    if({interest_trait:String} = '', '', JSONExtractString(traits, {interest_trait:String})) AS interest,
    arrayZip(kept.timestamp, kept.touch_id, kept.kind, kept.person, kept.identified, kept.anonymous_id, kept.ended, kept.channel,
        kept.channel_reason, kept.source, kept.medium, kept.campaign, kept.term, kept.content, kept.click_id, kept.referrer_host,
        kept.landing_page, kept.country, kept.device) AS touches,
    arrayZip(done.timestamp, done.conversion_id, done.kind, done.person, done.identified, done.order_id, done.amount, done.refunded,
        done.currency, done.value, done.gross, done.rated, done.country, done.inherits, done.inherits_at) AS conversions,
    arrayZip(reached.timestamp, reached.milestone) AS milestones,
    touch_accounts, conversion_accounts, milestone_accounts,
    memberships, accounts, [] AS led, [] AS open, {run:UInt64} AS version, 0 AS deleted
FROM counted
SETTINGS optimize_aggregation_in_order = 1, max_insert_threads = 2, min_insert_block_size_rows = 500000,
    min_insert_block_size_bytes = 250000000, max_block_size = 8192, aggregation_in_order_max_block_bytes = 10000000,
    max_read_buffer_size = 32768
