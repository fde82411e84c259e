-- ReadEvents: the events of every device that may hold some of affected people, each once.
INSERT INTO touchline_work.device_events
SELECT *
FROM touchline.device_events
WHERE project = {project:String} AND device_key IN (SELECT device_key FROM touchline_work.read_devices)
ORDER BY version DESC
LIMIT 1 BY device_key, message_key
