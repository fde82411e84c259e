-- Aliases: pairs of user ids that an alias call joined, with the time each of them was first seen. A previous id that
-- is known as a device only is a link of the device (FindFacts), not an alias.
WITH
    links AS (
        SELECT DISTINCT user_id, anonymous_id AS previous_id
        FROM touchline.device_events
        WHERE project = {project:String} AND type = 'link' AND user_id != anonymous_id
    ),
    pairs AS (
        SELECT user_id, previous_id
        FROM links
        WHERE previous_id IN (SELECT user_id FROM touchline_work.known_users)
            OR sipHash64('a', previous_id) NOT IN (
                SELECT device_key
                FROM touchline.device_events
                WHERE project = {project:String} AND type != 'link'
                    AND device_key IN (SELECT sipHash64('a', previous_id) FROM links))
    ),
    ids AS (SELECT user_id AS id FROM pairs UNION DISTINCT SELECT previous_id FROM pairs),
    seen AS (
        SELECT id, min(timestamp) AS first
        FROM (
            SELECT if(type = 'link', [user_id, anonymous_id], [user_id]) AS named, timestamp
            FROM touchline.device_events FINAL
            WHERE project = {project:String} AND device_key IN (
                SELECT device_key FROM touchline.owners WHERE project = {project:String} AND user_id IN (SELECT id FROM ids)))
        ARRAY JOIN named AS id
        GROUP BY id
    )
SELECT p.user_id, p.previous_id, u.first, v.first
FROM pairs AS p
INNER JOIN seen AS u ON u.id = p.user_id
INNER JOIN seen AS v ON v.id = p.previous_id
ORDER BY p.user_id, p.previous_id
