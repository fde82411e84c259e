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
            groupArray((
                f.timestamp, f.message_id, o.kind, f.person, f.identified, f.account_id, o.order_id, o.amount, o.refunded, o.currency,
                o.value, o.gross, o.rated, f.country, f.inherits, f.inherits_at)::Tuple(
                timestamp DateTime64(3, 'UTC'), conversion_id String, kind String, person String, identified Bool,
                account String, order_id String, amount Decimal(18, 6), refunded Decimal(18, 6), currency String,
                value Decimal(18, 6), gross Decimal(18, 6), rated Bool, country String, inherits String, inherits_at DateTime64(3, 'UTC'))) AS conversions
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
            argMaxIf(f.latest_country, f.country_at, f.latest_country != '') AS country,
            argMaxIf(f.traits, (f.timestamp, f.client_timestamp, f.seq, f.message_id), bitAnd(marks, 512) != 0) AS traits,
            arraySort(groupArrayIf((f.timestamp, f.client_timestamp, f.seq, f.message_id, f.account_id, f.traits), bitAnd(marks, 256) != 0)) AS joins,
            arraySort(groupArrayIf((f.timestamp, toUInt8(1 + (bitAnd(marks, 128) != 0)), f.account_id)::Tuple(
                timestamp DateTime64(3, 'UTC'), milestone UInt8, account String), bitAnd(marks, 192) != 0)) AS milestones,
            groupArrayIf(f.link, bitAnd(marks, 16) != 0) AS landed,
            arraySort(groupArrayIf((
                f.timestamp, f.message_id,
                multiIf(bitAnd(marks, 2) != 0, 'explicit', bitAnd(marks, 1) != 0, 'session', bitAnd(marks, 4) != 0, 'link', 'impression'),
                f.person, f.identified, f.account_id, f.anonymous_id, f.ended, f.channel, f.channel_reason, f.source, f.medium,
                f.campaign, f.term, f.content, f.click_id, f.referrer_host, f.landing_page, f.country, f.device)::Tuple(
                timestamp DateTime64(3, 'UTC'), touch_id String, kind LowCardinality(String), person String, identified Bool,
                account String, anonymous_id String, ended DateTime64(3, 'UTC'), channel LowCardinality(String),
                channel_reason LowCardinality(String), source LowCardinality(String), medium LowCardinality(String),
                campaign LowCardinality(String), term String, content String, click_id String,
                referrer_host LowCardinality(String), landing_page String, country LowCardinality(String), device LowCardinality(String)),
                is_touch)) AS touches
        FROM touchline_work.facts AS f
        GROUP BY person_key
    ),
    -- When which account was joined, in order of time and against it: what arrayLast and arrayFirst look through is as short
    -- as the list of memberships.
    members AS (
        SELECT
            p.*,
            arraySort(c.conversions) AS conversions,
            arrayMap(j -> (j.1, j.5, j.6)::Tuple(timestamp DateTime64(3, 'UTC'), account String, traits String), joins) AS memberships,
            arrayMap(m -> (toUnixTimestamp64Milli(m.timestamp), m.account), memberships) AS joined,
            if(empty(landed), p.touches, arrayFilter((t, k, l) -> k != 'link' OR NOT l, p.touches, p.touches.kind,
                arrayMap(id -> has(landed, id), p.touches.touch_id))) AS kept
        FROM collected AS p
        LEFT JOIN converted AS c ON c.converter = p.person_key
        WHERE p.person != '' OR notEmpty(c.conversions)
    ),
    counted AS (
        SELECT
            *,
            arrayMap((own, t) -> multiIf(own != '', own, empty(joined), '',
                    arrayLast(j -> j.1 <= t, joined).2 != '', arrayLast(j -> j.1 <= t, joined).2,
                    arrayFirst(j -> j.1 > t AND j.1 - t < lookback, joined).2),
                kept.account, arrayMap(t -> toUnixTimestamp64Milli(t), kept.timestamp)) AS touch_accounts,
            arrayMap((own, t) -> multiIf(own != '', own, empty(joined), '',
                    arrayLast(j -> j.1 <= t, joined).2 != '', arrayLast(j -> j.1 <= t, joined).2,
                    arrayFirst(j -> j.1 > t AND j.1 - t < lookback, joined).2),
                conversions.account, arrayMap(t -> toUnixTimestamp64Milli(t), conversions.timestamp)) AS conversion_accounts,
            arrayMap((own, t) -> multiIf(own != '', own, empty(joined), '',
                    arrayLast(j -> j.1 <= t, joined).2 != '', arrayLast(j -> j.1 <= t, joined).2,
                    arrayFirst(j -> j.1 > t AND j.1 - t < lookback, joined).2),
                milestones.account, arrayMap(t -> toUnixTimestamp64Milli(t), milestones.timestamp)) AS milestone_accounts,
            arraySort(arrayDistinct(arrayFilter(a -> a != '',
                arrayConcat(touch_accounts, conversion_accounts, milestone_accounts, memberships.account)))) AS all_accounts
        FROM members
    )
SELECT
    {project:String} AS project, person_key AS subject_key, 0 AS slot, if(empty(all_accounts), 'both', 'person') AS level,
    person, identified, if(empty(memberships), '', memberships[-1].account) AS account,
    first_seen, last_seen, events, devices, 1 AS people, country, traits,
    if({role_trait:String} = '', '', JSONExtractString(traits, {role_trait:String})) AS role,
    if({interest_trait:String} = '', '', JSONExtractString(traits, {interest_trait:String})) AS interest,
    if(empty(all_accounts), kept, arrayMap((t, a) -> tupleConcat(
        (t.timestamp, t.touch_id, t.kind, t.person, t.identified, a, t.anonymous_id, t.ended, t.channel, t.channel_reason, t.source,
        t.medium, t.campaign, t.term, t.content, t.click_id, t.referrer_host, t.landing_page, t.country, t.device)), kept, touch_accounts)) AS touches,
    if(empty(all_accounts), conversions, arrayMap((c, a) -> (
        c.timestamp, c.conversion_id, c.kind, c.person, c.identified, a, c.order_id, c.amount, c.refunded, c.currency, c.value,
        c.gross, c.rated, c.country, c.inherits, c.inherits_at), conversions, conversion_accounts)) AS conversions,
    if(empty(all_accounts), milestones, arrayMap((m, a) -> (m.timestamp, m.milestone, a), milestones, milestone_accounts)) AS milestones,
    memberships, all_accounts AS accounts, [] AS led, [] AS open, {run:UInt64} AS version, 0 AS deleted
FROM counted
SETTINGS optimize_aggregation_in_order = 1, max_insert_threads = 2, min_insert_block_size_rows = 500000,
    min_insert_block_size_bytes = 1000000000
