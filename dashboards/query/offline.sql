-- What did reported touches (fairs, calls, letters) cost, and what are they credited with? Model linear.
WITH
    costs AS (
        SELECT project, message_id, JSONExtractFloat(properties, 'cost') AS cost
        FROM events
        WHERE type = 'track' AND event = 'Touchpoint'
    ),
    earned AS (
        SELECT project, touch_id, toFloat64(sum(credit)) AS conversions, toFloat64(sum(value)) AS value
        FROM credits
        WHERE level = 'person' AND model = 'linear'
        GROUP BY project, touch_id
    )
SELECT
    t.project AS project, t.channel AS channel, count() AS touches,
    round(sum(c.cost), 2) AS spent,
    round(sum(e.conversions), 2) AS conversions,
    round(sum(e.value), 2) AS credited
FROM touchpoints AS t
INNER JOIN costs AS c ON c.project = t.project AND c.message_id = t.touch_id
LEFT JOIN earned AS e ON e.project = t.project AND e.touch_id = t.touch_id
WHERE t.kind = 'explicit'
GROUP BY project, channel
ORDER BY project, spent DESC, channel
