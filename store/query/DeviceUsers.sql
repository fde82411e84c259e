-- DeviceUsers: the users that a device belonged to, in any order.
SELECT DISTINCT user_id
FROM touchline.identities
WHERE project = {project:String} AND anonymous_id = {device:String}
