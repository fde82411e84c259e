-- NearestTouch: the last touch of a person up to a time.
SELECT touch_id, timestamp, channel, source, medium, campaign
FROM touchline.touchpoints
WHERE project = {project:String} AND person = {person:String} AND identified = {identified:Bool}
    AND toUnixTimestamp64Milli(timestamp) <= {until:Int64}
ORDER BY timestamp DESC, touch_id DESC
LIMIT 1
