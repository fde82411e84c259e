-- AffectDevices: the devices with anything new: events; pages whose signed link was clicked, as is now known; links by an
-- alias call whose previous id is now known as a user's; links undone; conversions that came, went or changed.
INSERT INTO touchline_work.affected_devices
WITH fresh AS (SELECT * FROM touchline.device_events WHERE project = {project:String} AND run > {published:UInt64})
SELECT device_key FROM fresh
UNION DISTINCT
SELECT device_key
FROM touchline.device_events
WHERE project = {project:String} AND type = 'link' AND anonymous_id IN (SELECT user_id FROM fresh)
UNION DISTINCT
SELECT sipHash64('a', anonymous_id)
FROM touchline.unlinks
WHERE project = {project:String} AND toUnixTimestamp64Milli(inserted_at) >= {watermark:Int64}
UNION DISTINCT
SELECT device_key
FROM (
    SELECT device_key, sipHash64(kind, message_key, order_id, amount, refunded, currency, value, gross, rated) AS said
    FROM touchline.orders WHERE project = {project:String}
    UNION ALL
    SELECT device_key, sipHash64(kind, message_key, order_id, amount, refunded, currency, value, gross, rated)
    FROM touchline_work.orders)
GROUP BY device_key, said
HAVING count() = 1
