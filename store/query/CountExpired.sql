-- CountExpired: events past their project's retention, copies included.
SELECT count()
FROM touchline.events_raw
WHERE project = {project:String} AND received_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
