-- FindKnownUsers: previous ids of alias calls that events know as users.
INSERT INTO touchline_work.known_users
SELECT DISTINCT user_id
FROM touchline.owners
WHERE project = {project:String} AND user_id IN (
    SELECT anonymous_id FROM touchline.device_events WHERE project = {project:String} AND type = 'link')
