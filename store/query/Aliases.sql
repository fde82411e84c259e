-- Aliases: pairs of user ids that an alias call joined, with the time each of them was first seen. A previous id that
-- is known as a device only is a link (LinkDevices), not an alias.
WITH
    named AS (
        SELECT anonymous_id, user_id, type, previous_id, timestamp
        FROM touchline.events
        WHERE project = {project:String} AND NOT is_bot AND (user_id != '' OR anonymous_id != '')
    ),
    pairs AS (
        SELECT DISTINCT user_id, previous_id
        FROM named
        WHERE type = 'alias' AND user_id != previous_id
            AND (previous_id IN (SELECT user_id FROM named WHERE user_id != '')
                OR previous_id NOT IN (SELECT anonymous_id FROM named WHERE anonymous_id != ''))
    ),
    seen AS (
        SELECT id, min(timestamp) AS first
        FROM (
            SELECT user_id AS id, timestamp FROM named
            UNION ALL
            SELECT previous_id, timestamp FROM named WHERE type = 'alias')
        WHERE id IN (SELECT user_id FROM pairs) OR id IN (SELECT previous_id FROM pairs)
        GROUP BY id
    )
SELECT p.user_id, p.previous_id, u.first, v.first
FROM pairs AS p
INNER JOIN seen AS u ON u.id = p.user_id
INNER JOIN seen AS v ON v.id = p.previous_id
ORDER BY p.user_id, p.previous_id
