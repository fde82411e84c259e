-- History: all that is known of people, in order of time. keys are u and the user, d and the device of each of them, because
-- a user and a device may have the same id; ids are those without the letter, by which tables are sorted. Links are those of
-- the users and of every device that they were touched on. Of what happens at the same time, what leads to the other comes
-- first.
SELECT time, what, name, details, toFloat64(value), id, person, device
FROM (
    SELECT
        first_seen AS time, 1 AS place, 'person' AS what, if(identified, 'user', 'device') AS name,
        concat(
            toString(events), ' events until ', formatDateTime(last_seen, '%FT%TZ', 'UTC'), ', ', toString(devices), ' devices',
            if(country = '', '', concat(', ', country))) AS details,
        toDecimal64(0, 6) AS value, '' AS id, person, '' AS device
    FROM touchline.persons
    WHERE project = {project:String} AND person IN {ids:Array(String)}
        AND concat(if(identified, 'u', 'd'), person) IN {keys:Array(String)}
    UNION ALL
    SELECT
        min(timestamp), 2, 'account', account_id, concat(toString(count()), ' events name it'), 0, '', user_id, ''
    FROM touchline.events
    WHERE project = {project:String} AND account_id != '' AND concat('u', user_id) IN {keys:Array(String)} AND NOT is_bot
        AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) <= {to:Int64}
    GROUP BY user_id, account_id
    UNION ALL
    SELECT
        first_seen, 3, 'link', 'device of a user',
        concat(toString(events), ' events name both until ', formatDateTime(last_seen, '%FT%TZ', 'UTC')),
        0, '', user_id, anonymous_id
    FROM touchline.identities
    WHERE project = {project:String} AND (concat('u', user_id) IN {keys:Array(String)} OR anonymous_id IN (
        SELECT anonymous_id
        FROM touchline.touchpoints
        WHERE project = {project:String} AND person IN {ids:Array(String)}
            AND concat(if(identified, 'u', 'd'), person) IN {keys:Array(String)}))
    UNION ALL
    SELECT
        started, 4, 'journey', kind,
        concat(
            multiIf(state = 'converted', 'converted ', state = 'null', 'ended without conversion ', 'open until '),
            formatDateTime(ended, '%FT%TZ', 'UTC'), ': ',
            if(empty(touches.channel), 'Unattributed', arrayStringConcat(arraySlice(touches.channel, 1, 100), ' > ')),
            if(length(touches.channel) > 100, concat(' > ', toString(length(touches.channel) - 100), ' more'), '')),
        value, conversion_id, person, ''
    FROM touchline.journeys
    WHERE project = {project:String} AND level = 'person' AND person IN {ids:Array(String)}
        AND concat(if(identified, 'u', 'd'), person) IN {keys:Array(String)}
    UNION ALL
    SELECT
        timestamp, 5, 'touch', channel,
        arrayStringConcat(arrayFilter(word -> word != '', [kind, source, medium, campaign, landing_page]), ', '),
        0, touch_id, person, anonymous_id
    FROM touchline.touchpoints
    WHERE project = {project:String} AND person IN {ids:Array(String)}
        AND concat(if(identified, 'u', 'd'), person) IN {keys:Array(String)}
    UNION ALL
    SELECT
        timestamp, 6, 'conversion', kind,
        concat(
            'number ', toString(conversion_number), if(order_id = '', '', concat(', order ', order_id)),
            ', ', toString(amount), ' ', currency, if(refunded = 0, '', concat(', refunded ', toString(refunded)))),
        value, conversion_id, person, ''
    FROM touchline.conversions
    WHERE project = {project:String} AND person IN {ids:Array(String)}
        AND concat(if(identified, 'u', 'd'), person) IN {keys:Array(String)}
)
ORDER BY time, place, id, person, device, name
LIMIT {limit:UInt64}
