-- LinkDevices: which user each device belonged to, and when. An event that names both links them at its time; so does
-- an alias whose previous id is known as a device only. A run of one user on one device is one row.
INSERT INTO touchline_work.identities
WITH
    named AS (
        SELECT anonymous_id, user_id, type, previous_id, timestamp, client_timestamp, seq, message_id
        FROM touchline.events
        WHERE project = {project:String} AND NOT is_bot AND (user_id != '' OR anonymous_id != '')
    ),
    links AS (
        SELECT anonymous_id AS device, user_id AS user, timestamp, client_timestamp, seq, message_id
        FROM named
        WHERE anonymous_id != '' AND user_id != ''
        UNION ALL
        SELECT previous_id, user_id, timestamp, client_timestamp, seq, message_id
        FROM named
        WHERE type = 'alias'
            AND previous_id IN (SELECT anonymous_id FROM named WHERE anonymous_id != '')
            AND previous_id NOT IN (SELECT user_id FROM named WHERE user_id != '')
    ),
    changes AS (
        SELECT *, row_number() OVER by_time = 1 OR user != lagInFrame(user) OVER by_time AS changed
        FROM links
        WINDOW by_time AS (
            PARTITION BY device ORDER BY timestamp, client_timestamp, seq, message_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    runs AS (
        SELECT *, sum(changed) OVER (
            PARTITION BY device ORDER BY timestamp, client_timestamp, seq, message_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
        FROM changes
    )
SELECT {project:String}, device, any(user), min(timestamp), max(timestamp), count()
FROM runs
GROUP BY device, run
