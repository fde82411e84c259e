-- Which paths of channels convert most often, and what share of the journeys on them does?
SELECT
    project, kind,
    arrayStringConcat(path, ' > ') AS channels,
    conversions, nulls,
    round(100 * conversions / (conversions + nulls), 1) AS percent
FROM path_stats
WHERE level = 'person' AND notEmpty(path)
ORDER BY project, kind, conversions DESC, channels
LIMIT 10 BY project, kind
