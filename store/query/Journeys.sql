-- Journeys: converting journeys in order of time.
SELECT
    conversion_id, ended, person, value,
    touches.touch_id, touches.timestamp, touches.channel, touches.source, touches.medium, touches.campaign
FROM touchline_work.journeys
WHERE kind = {kind:String} AND state = 'converted'
    AND toUnixTimestamp64Milli(ended) >= {from:Int64} AND toUnixTimestamp64Milli(ended) < {to:Int64}
ORDER BY ended, conversion_id
