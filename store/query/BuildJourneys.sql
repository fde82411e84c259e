-- BuildJourneys: which touches led to which conversion of one kind, and which to none. A touch belongs to the next
-- conversion of its person, if that comes within the lookback; a conversion also inherits the touch of the session it
-- happened in. What is left falls into journeys that end with a silence of {inactivity}: null once as_of is past that
-- end, pending before.
INSERT INTO touchline_work.journeys
WITH
    {lookback:Int64} AS lookback,
    {inactivity:Int64} AS inactivity,
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS as_of,
    touches AS (
        SELECT
            person, identified, timestamp, touch_id,
            (touch_id, timestamp, channel, source, medium, campaign)::Tuple(
                touch_id String, timestamp DateTime64(3, 'UTC'), channel String, source String, medium String, campaign String) AS touch
        FROM touchline_work.touchpoints
        WHERE person != ''
    ),
    targets AS (
        SELECT person, identified, timestamp, min(conversion_id) AS conversion_id
        FROM touchline_work.conversions
        WHERE kind = {kind:String} AND person != ''
        GROUP BY person, identified, timestamp
    ),
    led AS (
        SELECT
            t.person AS person, t.identified AS identified, t.timestamp AS timestamp, t.touch_id AS touch_id, t.touch AS touch,
            c.conversion_id AS next,
            c.conversion_id != '' AND dateDiff('millisecond', t.timestamp, c.timestamp) < lookback AS within
        FROM touches AS t
        ASOF LEFT JOIN targets AS c
            ON t.person = c.person AND t.identified = c.identified AND t.timestamp <= c.timestamp
    ),
    inherited AS (
        SELECT e.conversion_id AS conversion_id, s.touch AS touch
        FROM (
            SELECT c.conversion_id AS conversion_id, c.person AS person, c.identified AS identified, p.timestamp AS timestamp,
                p.session_key AS session_key
            FROM touchline_work.conversions AS c
            INNER JOIN touchline_work.person_events AS p ON p.message_id = c.conversion_id
            WHERE c.kind = {kind:String} AND c.person != ''
        ) AS e
        ASOF INNER JOIN (
            SELECT
                if(p.anonymous_id != '', concat('a', p.anonymous_id), concat('u', p.person)) AS session_key,
                p.timestamp AS timestamp, p.ended AS ended, p.person AS person, p.identified AS identified,
                (p.touch_id, p.timestamp, p.channel, p.source, p.medium, p.campaign)::Tuple(
                    touch_id String, timestamp DateTime64(3, 'UTC'), channel String, source String, medium String, campaign String) AS touch
            FROM touchline_work.touchpoints AS p
            WHERE p.kind = 'session'
        ) AS s ON s.session_key = e.session_key AND e.timestamp >= s.timestamp
        WHERE s.person = e.person AND s.identified = e.identified
            AND dateDiff('millisecond', s.ended, e.timestamp) <= 30 * 60 * 1000
    ),
    credited AS (
        SELECT conversion_id, arraySort(t -> (t.timestamp, t.touch_id), groupUniqArray(touch)) AS touches
        FROM (
            SELECT next AS conversion_id, touch FROM led WHERE within
            UNION ALL
            SELECT conversion_id, touch FROM inherited)
        GROUP BY conversion_id
    ),
    leftover AS (
        SELECT
            *,
            row_number() OVER by_time = 1
                OR next != lagInFrame(next) OVER by_time
                OR dateDiff('millisecond', lagInFrame(timestamp) OVER by_time, timestamp) > inactivity AS starts
        FROM led
        WHERE NOT within
        WINDOW by_time AS (
            PARTITION BY person, identified ORDER BY timestamp, touch_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    numbered AS (
        SELECT *, sum(starts) OVER (
            PARTITION BY person, identified ORDER BY timestamp, touch_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS journey
        FROM leftover
    ),
    open AS (
        SELECT
            person, identified,
            min(timestamp) AS started,
            addMilliseconds(max(timestamp), inactivity) AS ended,
            arraySort(t -> (t.timestamp, t.touch_id), groupArray(touch)) AS touches
        FROM numbered
        GROUP BY person, identified, journey
    )
SELECT
    {project:String}, {kind:String}, 'person', c.person, c.identified, 'converted',
    if(empty(j.touches), c.timestamp, j.touches[1].timestamp), c.timestamp,
    c.conversion_id, c.conversion_number, c.value, j.touches, as_of
FROM touchline_work.conversions AS c
LEFT JOIN credited AS j ON j.conversion_id = c.conversion_id
WHERE c.kind = {kind:String}
UNION ALL
SELECT
    {project:String}, {kind:String}, 'person', person, identified, if(ended <= as_of, 'null', 'pending'),
    started, ended, '', 0, 0, touches, as_of
FROM open
