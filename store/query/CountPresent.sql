-- CountPresent: how many of the wanted events are there.
SELECT count()
FROM touchline.events
WHERE project = {project:String}
    AND (client_day, client_key, message_id) IN (SELECT toDate(day), key, id FROM wanted)
