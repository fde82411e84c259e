-- How often is each channel the last one before a conversion, and how often does it come before the last?
SELECT
    project, kind, channel,
    sumIf(conversions, channel = path[-1]) AS closes,
    sumIf(conversions, has(arrayPopBack(path), channel)) AS assists
FROM path_stats
ARRAY JOIN arrayDistinct(path) AS channel
WHERE level = 'person'
GROUP BY project, kind, channel
HAVING closes + assists > 0
ORDER BY project, kind, closes DESC, assists DESC, channel
