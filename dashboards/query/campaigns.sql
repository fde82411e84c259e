-- Which campaigns led to how much? Model linear, touches with a campaign only.
SELECT
    project, kind, channel, source, campaign,
    round(toFloat64(sum(credit)), 2) AS conversions,
    round(toFloat64(sum(value)), 2) AS credited
FROM credits
WHERE level = 'person' AND model = 'linear' AND campaign != ''
GROUP BY project, kind, channel, source, campaign
ORDER BY project, kind, credited DESC, campaign
LIMIT 10 BY project, kind
