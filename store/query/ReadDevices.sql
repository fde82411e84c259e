-- ReadDevices: every device that may hold events of affected people.
INSERT INTO touchline_work.read_devices
SELECT device_key FROM touchline_work.affected_devices
UNION DISTINCT
SELECT device_key
FROM touchline.owners
WHERE project = {project:String} AND user_id IN (SELECT user_id FROM touchline_work.affected_users)
