-- How long are the journeys that convert: in touches, and in days from the first touch?
SELECT
    project, kind, count() AS journeys,
    quantileExact(0.5)(length(touches)) AS median_touches,
    quantileExact(0.9)(length(touches)) AS p90_touches,
    round(quantileExact(0.5)(dateDiff('second', started, ended)) / 86400, 1) AS median_days,
    round(quantileExact(0.9)(dateDiff('second', started, ended)) / 86400, 1) AS p90_days
FROM journeys
WHERE level = 'person' AND state = 'converted' AND notEmpty(touches)
GROUP BY project, kind
ORDER BY project, kind
