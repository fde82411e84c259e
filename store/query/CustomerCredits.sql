-- CustomerCredits: credit of each channel for first conversions and for later ones, added up from the credit of touches. What
-- the join holds in memory is the conversions, on the right.
SELECT
    r.channel AS channel,
    toFloat64(sumIf(r.credit, c.conversion_number = 1)) AS new, toFloat64(sumIf(r.value, c.conversion_number = 1)),
    toFloat64(sumIf(r.credit, c.conversion_number > 1)), toFloat64(sumIf(r.value, c.conversion_number > 1))
FROM touchline.credits AS r
INNER JOIN (
    SELECT conversion_id, conversion_number
    FROM touchline.conversions
    WHERE project = {project:String} AND kind = {kind:String}
) AS c ON c.conversion_id = r.conversion_id
WHERE r.project = {project:String} AND r.kind = {kind:String} AND r.level = {level:String} AND r.model = {model:String}
    AND toUnixTimestamp64Milli(r.converted) >= {from:Int64} AND toUnixTimestamp64Milli(r.converted) < {to:Int64}
GROUP BY channel
ORDER BY new DESC, channel
SETTINGS query_plan_join_swap_table = 0
