-- DeleteExpired: events past their project's retention, which runs on the time of receipt.
DELETE FROM touchline.events_raw
WHERE project = {project:String} AND received_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
