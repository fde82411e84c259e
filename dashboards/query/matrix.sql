-- By which channel do journeys begin, by which do they end, and what comes of them?
SELECT
    project, kind, path[1] AS first, path[-1] AS last,
    sum(conversions) AS converted, toFloat64(sum(value)) AS earned, sum(nulls) AS ended,
    round(100 * converted / (converted + ended), 1) AS percent
FROM path_stats
WHERE level = 'person' AND notEmpty(path)
GROUP BY project, kind, first, last
ORDER BY project, kind, converted DESC, earned DESC, first, last
