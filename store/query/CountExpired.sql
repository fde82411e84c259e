-- CountExpired: events past their project's retention, each message once, and refused ones.
SELECT
    (SELECT count() FROM touchline.events WHERE project = {project:String} AND received_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')),
    (SELECT count() FROM touchline.rejected WHERE project = {project:String} AND received_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC'))
