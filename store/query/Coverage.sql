-- Coverage: how much of what happened the selected journeys hold.
WITH
    conversions_abroad AS (
        SELECT conversion_id
        FROM touchline_work.conversions
        WHERE kind = {kind:String} AND currency NOT IN ('', {currency:String}) AND amount != 0
    )
SELECT
    toInt64(countIf(state = 'converted')),
    toInt64(countIf(state = 'converted' AND empty(touches))),
    toInt64(countIf(state = 'converted' AND notEmpty(touches) AND arrayAll(t -> t.channel = 'Direct', touches))),
    sumIf(value, state = 'converted'),
    sumIf(value, state = 'converted' AND empty(touches)),
    toInt64(countIf(state = 'null')),
    toInt64(countIf(state = 'pending')),
    toInt64(countIf(state = 'converted' AND conversion_id IN (SELECT conversion_id FROM conversions_abroad)))
FROM touchline_work.journeys
WHERE kind = {kind:String}
    AND toUnixTimestamp64Milli(ended) >= {from:Int64} AND toUnixTimestamp64Milli(ended) < {to:Int64}
