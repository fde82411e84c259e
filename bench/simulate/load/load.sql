-- Load: events of the people {first} to {first} + {count} - 1, made by hashes of (seed, person, number): the same for the
-- same parameters, in whatever portions. Of day 0 it is their whole year before {end}, a ms timestamp; of a later day the
-- few who come on that day after {end}, a visit each. Nothing here is drawn in order, so that every column is a formula.
INSERT INTO touchline.events_raw
(
    project, message_id, type, event, anonymous_id, user_id, account_id,
    timestamp, client_timestamp, sent_at, received_at, seq, client_day, client_key,
    url, host, path, title, referrer, source, medium, campaign, click_id, click_id_type, channel, channel_reason,
    country, browser, browser_version, os, os_version, device, language, timezone, screen,
    value, currency, order_id, properties, traits, library, origin
)
WITH
    86400000 AS day_ms,
    people AS (
        SELECT
            number AS person,
            sipHash64({seed:UInt64}, person) AS luck,
            -- A Weyl sequence: the quantiles of any number of people are spread evenly, so their mean is that of the formula.
            (person * 11400714819323198485 + sipHash64({seed:UInt64})) / 18446744073709551616 AS rank,
            -- Events of this quantile: median 3, p99 200, at most 10,000, mean 10.
            round(multiIf(
                rank < 0.5, pow(3, rank / 0.5),
                rank < 0.9, 3 * pow(7 / 3, (rank - 0.5) / 0.4),
                rank < 0.98, 7 * pow(50 / 7, (rank - 0.9) / 0.08),
                rank < 0.99, 50 * pow(4, (rank - 0.98) / 0.01),
                rank < 0.9999, 200 * pow(3.5, (rank - 0.99) / 0.0099),
                700 * pow(100 / 7, (rank - 0.9999) / 0.0001))) AS drawn,
            sipHash64({seed:UInt64}, intDiv(person, 2), 'shared') % 500 = 0 AS shares,
            shares OR drawn > 1 AND cityHash64(luck, 'identified') % 1000 < 245 AS identified,
            -- An account is some of the identified among a thousand neighbours: up to 200, 10 in the mean.
            intDiv(person, 1000) AS account,
            2 * pow(100, pow(sipHash64({seed:UInt64}, account, 'account') / 18446744073709551616, 6)) AS account_size,
            identified AND cityHash64(luck, 'member') % 200 < account_size AS member,
            toUInt32(greatest(drawn, if(member, 16, 0), if(shares, 4, 0))) AS events,
            toUInt32(if(member, 4, 3) + cityHash64(luck, 'visit') % if(member, 5, 6)) AS visit_events,
            toUInt32(intDiv(events + visit_events - 1, visit_events)) AS visits,
            if(identified, toUInt32(cityHash64(luck, 'login') % greatest(1, least(4, intDiv(events, visit_events)))), 4294967295) AS login,
            identified AND cityHash64(luck, 'devices') % 2 = 0 AS two_devices,
            least(365, visits * (3 + cityHash64(luck, 'span') % 10)) * day_ms AS span,
            toInt64(cityHash64(luck, 'start') / 18446744073709551616 * (365 * day_ms - span)) AS start
        FROM numbers_mt({first:UInt64}, {count:UInt64})
        WHERE {day:UInt32} = 0
            OR person >= {people:UInt64}
            OR sipHash64({seed:UInt64}, person, {day:UInt32}) % 1000 < 13
    ),
    numbered AS (
        SELECT
            *,
            arrayJoin(range(if({day:UInt32} = 0, events, toUInt32(1 + cityHash64(luck, {day:UInt32}) % 5)))) AS number,
            if({day:UInt32} = 0, intDiv(number, visit_events), visits + {day:UInt32} - 1) AS visit,
            if({day:UInt32} = 0, number % visit_events, number) AS step,
            cityHash64(luck, visit) AS visit_luck,
            cityHash64(luck, visit, step) AS event_luck,
            -- On a later day some of those who were never known log in, which links all they did before.
            if({day:UInt32} != 0 AND NOT identified AND bitShiftRight(visit_luck, 16) % 50 = 0, visit, login) AS known_from
        FROM people
    ),
    visited AS (
        SELECT
            *,
            visit > known_from OR visit = known_from AND step > 0 AS known,
            {way:Array(UInt8)}[visit_luck % 100 + 1] AS way,
            two_devices AND visit % 2 = 1 AS second_device,
            visit_luck % 1000000 < 74000 * {persuasion:Array(Float64)}[way] AS buys,
            -- What was bought on the visit before, and whether some of it comes back. Day 1 knows how long that visit was.
            cityHash64(luck, toUInt32(visit - 1)) AS luck_before,
            visit > 0
                AND luck_before % 1000000 < 74000 * {persuasion:Array(Float64)}[{way:Array(UInt8)}[luck_before % 100 + 1]]
                AND ({day:UInt32} = 0 OR {day:UInt32} = 1 AND events - (visits - 1) * visit_events > 2)
                AND bitShiftRight(event_luck, 20) % 25 = 0 AS returns,
            -- One visit in a hundred of a later day is reported late, by up to thirty days.
            if({day:UInt32} != 0 AND bitShiftRight(visit_luck, 30) % 100 = 0, 1 + visit_luck % 30, 0) * day_ms AS late,
            if({day:UInt32} = 0,
                {end:Int64} - 365 * day_ms + start + toInt64((visit + 0.8 * (visit_luck / 18446744073709551616)) / visits * span),
                {end:Int64} + ({day:UInt32} - 1) * day_ms + visit_luck % (day_ms - 1800000)
            ) + step * 150000 + bitShiftRight(event_luck, 8) % 120000 AS reported
        FROM numbered
    ),
    happened AS (
        SELECT
            *,
            multiIf(
                step = 0, 'page',
                visit = known_from AND step = 1, 'identify',
                member AND visit = known_from AND step = 3, 'group',
                step = 1 AND returns, 'refund',
                member AND visit > known_from AND step = 1 AND visit_luck % 3 = 0, 'group',
                step = 2 AND buys, 'order',
                step = 3 AND buys AND known AND bitTest(visit_luck, 50), 'order again',
                member AND visit = known_from + 1 AND step = 2 AND luck % 8 = 0, 'lead',
                member AND visit = known_from + 2 AND step = 2 AND luck % 16 = 0, 'opportunity',
                event_luck % 10 < 6, 'page',
                'track') AS kind
        FROM visited
    ),
    -- Servers report refunds, milestones and some orders, a few of these beside the browser. Where a visit comes from its
    -- first page says, and the script repeats a campaign with all that follows, but not a referrer.
    sent AS (
        SELECT
            *,
            kind IN ('refund', 'order again', 'lead', 'opportunity') OR kind = 'order' AND known AND event_luck % 5 = 0 AS from_server,
            kind IN ('order', 'order again', 'refund') AS of_order,
            if(kind = 'refund', visit - 1, visit) AS ordered_in,
            if(NOT from_server AND (step = 0 OR {reason:Array(String)}[way] IN ('utm', 'click_id')), way, 1) AS told,
            if(from_server, 7, 1 + (cityHash64(luck, 'client') + second_device) % 6) AS client,
            -- 200 pages, the first ones visited most.
            toUInt32(pow(cityHash64(event_luck, 'page') / 18446744073709551616, 2) * 200) AS page_number,
            if(page_number = 0, '/', concat('/', ['lamps', 'furniture', 'textiles', 'guides'][1 + page_number % 4], '/', toString(page_number))) AS page_path
        FROM happened
    ),
    described AS (
        SELECT
            *,
            if(known, concat('u-', toString(person)), '') AS user,
            if(from_server AND known, '', toString(reinterpretAsUUID(sipHash128(
                {seed:UInt64}, 'device', if(shares AND NOT second_device, intDiv(person, 2) * 2, person), second_device)))) AS device_id,
            fromUnixTimestamp64Milli(reported - late, 'UTC') AS time,
            {reason:Array(String)}[told] AS told_reason,
            {source:Array(String)}[told] AS told_source,
            {medium:Array(String)}[told] AS told_medium,
            {click:Array(String)}[told] AS click_type,
            {campaigns:Array(UInt8)}[told] AS campaign_count,
            if(campaign_count = 0, '', concat(
                {campaign:Array(String)}[told], '-', toString(1 + bitShiftRight(visit_luck, 12) % greatest(campaign_count, 1)))) AS told_campaign,
            if(click_type = '', '', concat('Cj0KCQ', hex(visit_luck), hex(luck))) AS told_click,
            1000 + cityHash64(luck, toUInt32(ordered_in), 'value') % 20000 AS cents,
            if(kind = 'refund' AND bitTest(event_luck, 33), intDiv(cents, 2), cents) AS paid,
            if(of_order, concat('o-', toString(person), '-', toString(ordered_in)), '') AS order_number
        FROM sent
    )
SELECT
    {project:String},
    toString(reinterpretAsUUID(sipHash128({seed:UInt64}, person, {day:UInt32}, number))),
    if(kind IN ('page', 'identify', 'group'), kind, 'track'),
    multiIf(
        kind = 'page', ['Home', 'Category', 'Product', 'Guide'][1 + page_number % 4],
        kind IN ('order', 'order again'), 'Order Completed',
        kind = 'refund', 'Order Refunded',
        kind = 'lead', 'Lead Qualified',
        kind = 'opportunity', 'Opportunity Created',
        kind = 'track', ['Product Viewed', 'Product Added', 'Products Searched', 'Product List Viewed'][1 + event_luck % 4],
        ''),
    device_id, user,
    if(kind = 'group', concat('account-', toString(account)), ''),
    time, time, fromUnixTimestamp64Milli(reported + 40, 'UTC'), fromUnixTimestamp64Milli(reported + 60 + event_luck % 200, 'UTC'),
    if(late = 0, 0, step),
    toDate(time), sipHash64(if(device_id = '', user, device_id)),
    multiIf(
        from_server, '',
        step != 0, concat('https://shop.example', page_path),
        concat('https://shop.example', page_path,
            if(told_reason = 'utm', concat('?utm_source=', told_source, '&utm_medium=', told_medium, '&utm_campaign=', told_campaign), ''),
            if(told_click = '', '', concat(if(told_reason = 'utm', '&', '?'), click_type, '=', told_click)))),
    if(from_server, '', 'shop.example'),
    if(from_server, '', page_path),
    if(from_server, '', concat('Page ', toString(page_number), ' | Shop')),
    multiIf(from_server, '', step = 0, {referrer:Array(String)}[way], 'https://shop.example/'),
    told_source, told_medium, told_campaign, told_click, click_type,
    {channel:Array(String)}[told],
    if(told = 1 AND step != 0 AND NOT from_server, 'self_referral', told_reason),
    if(from_server, '', ['DE', 'DE', 'DE', 'DE', 'AT', 'CH', 'FR', 'FR', 'GB', 'GB', 'US', 'US', 'NL', 'BE', 'IT', 'ES', 'PL', 'CZ', 'DK', 'SE', 'NO', 'FI', 'IE', 'PT', 'LU', 'HU'][1 + luck % 26]),
    ['Chrome', 'Safari', 'Chrome', 'Firefox', 'Safari', 'Safari', ''][client],
    ['141.0.0.0', '18.6', '141.0.0.0', '143.0', '18.6', '17.7', ''][client],
    ['Android', 'iOS', 'Windows', 'Windows', 'macOS', 'iPadOS', ''][client],
    ['14', '18.6', '10', '10', '10.15.7', '17.7', ''][client],
    ['mobile', 'mobile', 'desktop', 'desktop', 'desktop', 'tablet', ''][client],
    if(from_server, '', ['de-DE', 'de-DE', 'en-GB', 'fr-FR', 'en-US'][1 + luck % 5]),
    if(from_server, '', ['Europe/Berlin', 'Europe/Vienna', 'Europe/London', 'Europe/Paris', 'America/New_York'][1 + luck % 5]),
    ['412x915', '390x844', '1920x1080', '1536x864', '1440x900', '820x1180', ''][client],
    if(of_order, toDecimal64(paid, 6) / 100, 0),
    if(of_order, 'EUR', ''),
    order_number,
    if(of_order, concat('{"order_id":"', order_number, '","revenue":', toString(paid / 100), ',"currency":"EUR"}'), ''),
    multiIf(kind = 'identify', '{"plan":"free"}', kind = 'group', concat('{"name":"Company ', toString(account), '"}'), ''),
    if(from_server, 'analytics-go/3.3.0', 'touchline.js/0.1.0'),
    if(from_server, 'server', 'browser')
FROM described
