-- What is each channel's credited value, month by month? Model linear; months in the project's time zone.
SELECT project, kind, toStartOfMonth(day) AS month, name AS channel, round(toFloat64(sum(value)), 2) AS credited
FROM channel_credits
WHERE level = 'person' AND dimension = 'channel' AND model = 'linear'
GROUP BY project, kind, month, channel
ORDER BY project, kind, month, credited DESC, channel
