-- CustomerCredits: credit of each channel for first conversions and for later ones, added up from the credit of touches.
SELECT
    channel,
    toFloat64(sumIf(credit, conversion_number = 1)) AS new, toFloat64(sumIf(value, conversion_number = 1)),
    toFloat64(sumIf(credit, conversion_number > 1)), toFloat64(sumIf(value, conversion_number > 1))
FROM touchline.credits
WHERE project = {project:String} AND kind = {kind:String} AND level = {level:String} AND model = {model:String}
    AND toUnixTimestamp64Milli(converted) >= {from:Int64} AND toUnixTimestamp64Milli(converted) < {to:Int64}
GROUP BY channel
ORDER BY new DESC, channel
