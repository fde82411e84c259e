-- FindIdentities: which user each device belonged to, and when: the runs of one user on one device.
INSERT INTO touchline_work.identities_raw
WITH
    links AS (
        SELECT d.device_key AS device_key, d.anonymous_id AS anonymous_id, d.user_id AS user_id, d.timestamp AS timestamp,
            (d.timestamp, d.client_timestamp, d.seq, d.message_key) AS place
        FROM (
            SELECT *
            FROM {tables:Identifier}.device_events
            WHERE project = {project:String} AND anonymous_id != '' AND user_id != ''
                AND (version >= 9223372036854775808 OR message_key NOT IN (
                    SELECT message_key FROM touchline.device_events WHERE project = {project:String} AND version >= 9223372036854775808))
                AND ({all:Bool} OR device_key IN (SELECT device_key FROM touchline_work.affected_devices))
                AND (type != 'link' OR anonymous_id NOT IN (SELECT user_id FROM touchline_work.known_users))) AS d
        LEFT JOIN (
            SELECT anonymous_id, user_id, max(unlinked_at) AS until
            FROM touchline.unlinks
            WHERE project = {project:String}
            GROUP BY anonymous_id, user_id) AS u ON u.anonymous_id = d.anonymous_id AND u.user_id = d.user_id
        WHERE d.timestamp > u.until
            AND (d.type != 'link' OR d.device_key IN (
                SELECT device_key FROM touchline.device_events WHERE project = {project:String} AND type != 'link'
                    AND device_key IN (SELECT device_key FROM touchline.device_events WHERE project = {project:String} AND type = 'link')))
    ),
    listed AS (
        SELECT
            device_key, any(anonymous_id) AS anonymous_id,
            arraySort(groupArray((place, user_id))) AS l,
            arraySplit((x, before) -> x.2 != before, l, arrayPushFront(arrayPopBack(arrayMap(x -> x.2, l)), l[1].2)) AS runs
        FROM links
        GROUP BY device_key
    )
SELECT
    {project:String}, device_key, anonymous_id, arrayMap(r -> (r[1].2, r[1].1.1, r[-1].1.1, length(r)), runs), {run:UInt64}, 0
FROM listed
