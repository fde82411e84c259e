-- Which channels win new customers, and which bring them back? Model linear, conversions credited.
SELECT
    project, kind, channel,
    round(toFloat64(sumIf(credit, conversion_number = 1)), 2) AS new,
    round(toFloat64(sumIf(credit, conversion_number > 1)), 2) AS returning
FROM credits
WHERE level = 'person' AND model = 'linear'
GROUP BY project, kind, channel
ORDER BY project, kind, new DESC, channel
