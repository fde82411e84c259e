-- Links: runs of users on devices.
SELECT anonymous_id, user_id, first_seen, last_seen, events
FROM touchline.identities
WHERE project = {project:String}
    AND ({device:String} = '' OR anonymous_id = {device:String})
    AND ({user:String} = '' OR user_id = {user:String})
ORDER BY anonymous_id, last_seen, user_id
