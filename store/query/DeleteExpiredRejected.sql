-- DeleteExpiredRejected: refused events past their project's retention.
DELETE FROM touchline.rejected_raw
WHERE project = {project:String} AND received_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
