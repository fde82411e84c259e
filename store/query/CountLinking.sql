-- CountLinking: events up to a time that link a device to a user: they name both, or join the device to the user.
SELECT count()
FROM touchline.events
WHERE project = {project:String} AND NOT is_bot AND user_id = {user:String}
    AND (anonymous_id = {device:String} OR type = 'alias' AND previous_id = {device:String})
    AND timestamp <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
