-- DeviceUsers: the users that a device belonged to.
SELECT DISTINCT r.user_id
FROM touchline.identities_raw FINAL
ARRAY JOIN runs AS r
WHERE project = {project:String} AND device_key = sipHash64('a', {device:String}) AND anonymous_id = {device:String}
