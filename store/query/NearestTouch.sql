-- NearestTouch: the last touch of a person or account up to a time.
SELECT t.touch_id, t.timestamp, t.channel, t.source, t.medium, t.campaign
FROM touchline.subjects_raw FINAL
ARRAY JOIN touches AS t
WHERE project = {project:String} AND subject_key = {subject:UInt64} AND slot = {slot:UInt8}
    AND toUnixTimestamp64Milli(t.timestamp) <= {until:Int64}
ORDER BY t.timestamp DESC, t.touch_id DESC
LIMIT 1
