-- FindPresent: which of the wanted events are there.
SELECT toInt32(toUInt16(client_day)), client_key, message_id
FROM touchline.events
WHERE project = {project:String}
    AND (client_day, client_key, message_id) IN (SELECT toDate(day), key, id FROM wanted)
