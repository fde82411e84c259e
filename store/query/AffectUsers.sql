-- AffectUsers: users of affected devices, users that others stand for now or no longer, and all that are joined with them.
INSERT INTO touchline_work.affected_users
WITH
    joined AS (
        SELECT user_id, canonical FROM touchline.aliases WHERE project = {project:String}
        UNION ALL
        SELECT user_id, canonical FROM touchline_work.aliases
    ),
    seeds AS (
        SELECT user_id
        FROM touchline.owners
        WHERE project = {project:String} AND device_key IN (SELECT device_key FROM touchline_work.affected_devices)
        UNION DISTINCT
        SELECT user_id FROM joined GROUP BY user_id, canonical HAVING count() = 1
    )
SELECT user_id FROM seeds
UNION DISTINCT
SELECT user_id
FROM joined
WHERE canonical IN (SELECT canonical FROM joined WHERE user_id IN (SELECT user_id FROM seeds))
