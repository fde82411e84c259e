-- AffectPersons: the people to compute anew: affected users, those who stand or stood for them, and whoever has events on
-- affected devices without being a user.
INSERT INTO touchline_work.affected_persons
SELECT device_key FROM touchline_work.affected_devices
UNION DISTINCT
SELECT sipHash64('u', user_id) FROM touchline_work.affected_users
UNION DISTINCT
SELECT sipHash64('u', canonical)
FROM (
    SELECT user_id, canonical FROM touchline.aliases WHERE project = {project:String}
    UNION ALL
    SELECT user_id, canonical FROM touchline_work.aliases)
WHERE user_id IN (SELECT user_id FROM touchline_work.affected_users)
