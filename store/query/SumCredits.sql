-- SumCredits: credit of touches by channel and day in the project's time zone.
INSERT INTO touchline_work.channel_credits
SELECT
    {project:String}, {kind:String}, 'person', model, 'channel', channel,
    toDate(toTimeZone(converted, {timezone:String})) AS day,
    sum(credit), sum(value)
FROM touchline_work.credits
WHERE model IN {models:Array(String)}
GROUP BY model, channel, day
HAVING sum(credit) != 0 OR sum(value) != 0
