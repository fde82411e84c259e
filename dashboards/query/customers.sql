-- Which channels win new customers, and which bring them back? Model linear, conversions credited.
SELECT
    r.project AS project, r.kind AS kind, r.channel AS channel,
    round(toFloat64(sumIf(r.credit, c.conversion_number = 1)), 2) AS new,
    round(toFloat64(sumIf(r.credit, c.conversion_number > 1)), 2) AS returning
FROM credits AS r
INNER JOIN conversions AS c ON c.project = r.project AND c.kind = r.kind AND c.conversion_id = r.conversion_id
WHERE r.level = 'person' AND r.model = 'linear'
GROUP BY project, kind, channel
ORDER BY project, kind, new DESC, channel
