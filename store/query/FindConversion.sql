-- FindConversion: the conversion with this id, or those of the order with this id, one of each kind; each with its journey.
SELECT
    subject_key, slot, kind, conversion_id, person, if(slot = 0, '', account), timestamp, order_id, toInt64(conversion_number),
    amount, refunded, currency, value, rated, toInt64(lead), toInt64(opportunity),
    touches.touch_id, touches.timestamp, touches.channel, touches.source, touches.medium, touches.campaign
FROM touchline.conversions_raw FINAL
WHERE project = {project:String} AND level IN ('both', {level:String}) AND ({kind:String} = '' OR kind = {kind:String})
    AND (conversion_id = {id:String} OR order_id = {id:String})
ORDER BY conversion_id = {id:String} DESC, kind, timestamp
LIMIT 100
