-- FindConversion: the conversion with this id, or those of the order with this id: one of each kind.
SELECT
    kind, conversion_id, person, identified, timestamp, order_id, toInt64(conversion_number),
    amount, refunded, currency, value
FROM touchline.conversions
WHERE project = {project:String} AND ({kind:String} = '' OR kind = {kind:String})
    AND (conversion_id = {id:String} OR order_id = {id:String})
ORDER BY conversion_id = {id:String} DESC, kind, timestamp
LIMIT 100
