-- Lags: the selected conversions by whole days of 24 hours since the first touch of their journey; -1 where there is none.
SELECT
    if(empty(touches.channel), -1, intDiv(dateDiff('millisecond', started, ended), 24 * 60 * 60 * 1000)) AS days,
    toInt64(count()), sum(value)
FROM touchline.journeys
WHERE project = {project:String} AND kind = {kind:String} AND level = {level:String} AND state = 'converted'
    AND toUnixTimestamp64Milli(ended) >= {from:Int64} AND toUnixTimestamp64Milli(ended) < {to:Int64}
    AND ({customers:String} = '' OR {customers:String} = if(conversion_number > 1, 'returning', 'new'))
GROUP BY days
ORDER BY days
