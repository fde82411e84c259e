-- CreditChanges: credit of each channel from {from} on, from {before} until then, and the difference, added up from the
-- credit of touches. Sums and differences are exact decimals before they become floating-point numbers.
SELECT
    channel,
    toFloat64(sumIf(credit, now) AS conversions_now), toFloat64(sumIf(value, now) AS value_now),
    toFloat64(sumIf(credit, NOT now) AS conversions_before), toFloat64(sumIf(value, NOT now) AS value_before),
    toFloat64(conversions_now - conversions_before), toFloat64(value_now - value_before)
FROM (
    SELECT channel, credit, value, toUnixTimestamp64Milli(converted) >= {from:Int64} AS now
    FROM touchline.credits
    WHERE project = {project:String} AND kind = {kind:String} AND level = {level:String} AND model = {model:String}
        AND toUnixTimestamp64Milli(converted) >= {before:Int64} AND toUnixTimestamp64Milli(converted) < {to:Int64}
        AND ({customers:String} = '' OR (conversion_number = 1) = ({customers:String} = 'new'))
)
GROUP BY channel
ORDER BY conversions_now DESC, conversions_before DESC, channel
