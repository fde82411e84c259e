-- SumPaths: journeys as paths of channels, identical ones summed. from and to are half-open, in ms; they choose
-- journeys by when they ended.
INSERT INTO touchline_work.path_stats
SELECT
    {project:String}, {kind:String}, 'person',
    arrayMap(t -> t.channel, touches) AS path,
    countIf(state = 'converted'), sumIf(value, state = 'converted'), countIf(state = 'null')
FROM touchline_work.journeys
WHERE kind = {kind:String} AND state != 'pending'
    AND toUnixTimestamp64Milli(ended) >= {from:Int64} AND toUnixTimestamp64Milli(ended) < {to:Int64}
GROUP BY path
