-- FindOwners: which devices the users of new events were named with.
INSERT INTO touchline.owners
SELECT DISTINCT project, user_id, device_key
FROM touchline.device_events
WHERE project = {project:String} AND run > {published:UInt64} AND user_id != ''
