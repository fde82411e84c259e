-- ConversionDays: conversions by day in the project's time zone, those with touches and those without.
SELECT
    toDate(toTimeZone(ended, {timezone:String})) AS day,
    toInt64(countIf(notEmpty(touches))), sumIf(value, notEmpty(touches)),
    toInt64(countIf(empty(touches))), sumIf(value, empty(touches))
FROM touchline_work.journeys
WHERE kind = {kind:String} AND state = 'converted'
    AND toUnixTimestamp64Milli(ended) >= {from:Int64} AND toUnixTimestamp64Milli(ended) < {to:Int64}
GROUP BY day
ORDER BY day
