-- What have people brought so many months after their first touch, by its month (UTC) and channel? Months with conversions.
WITH
    members AS (
        SELECT project, person, identified, toStartOfMonth(first_touch) AS month, first_channel AS channel
        FROM persons
        WHERE first_channel != ''
    ),
    sizes AS (
        SELECT project, month, channel, count() AS people
        FROM members
        GROUP BY project, month, channel
    ),
    brought AS (
        SELECT
            m.project AS project, c.kind AS kind, m.month AS month, m.channel AS channel,
            greatest(dateDiff('month', m.month, toStartOfMonth(c.timestamp)), 0) AS months_after, sum(c.value) AS value
        FROM members AS m
        INNER JOIN conversions AS c ON c.project = m.project AND c.person = m.person AND c.identified = m.identified
        GROUP BY project, kind, month, channel, months_after
    )
SELECT
    b.project AS project, b.kind AS kind, b.month AS month, b.channel AS channel, s.people AS people, b.months_after AS months_after,
    toFloat64(sum(b.value) OVER (PARTITION BY b.project, b.kind, b.month, b.channel ORDER BY b.months_after)) AS earned,
    round(earned / people, 2) AS earned_per_person
FROM brought AS b
INNER JOIN sizes AS s ON s.project = b.project AND s.month = b.month AND s.channel = b.channel
ORDER BY project, kind, month, people DESC, channel, months_after
