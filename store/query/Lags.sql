-- Lags: the selected conversions by whole days of 24 hours since the first touch of their journey; -1 where there is none.
SELECT
    if(empty(touches.timestamp), -1, intDiv(dateDiff('millisecond', touches.timestamp[1], timestamp), 24 * 60 * 60 * 1000)) AS days,
    toInt64(count()), sum(value)
FROM touchline.conversions_raw FINAL
WHERE project = {project:String} AND kind = {kind:String} AND level IN ('both', {level:String})
    AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) < {to:Int64}
    AND ({customers:String} = '' OR (conversion_number = 1) = ({customers:String} = 'new'))
GROUP BY days
ORDER BY days
