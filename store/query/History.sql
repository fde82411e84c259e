-- History: all that is known of people, in order of time, with the journeys of {level}: their own, or those of their
-- accounts, of {account} only if it is not empty. {users} and {devices} are the people. Links are those of the users, by
-- every name, and of every device that they were touched on. Of what happens at the same time, what leads to the other
-- comes first.
WITH
    -- by the hashes that tables are sorted by
    known AS (
        SELECT arrayJoin(arrayConcat(
            arrayMap(id -> sipHash64('u', id), {users:Array(String)}),
            arrayMap(id -> sipHash64('a', id), {devices:Array(String)}))) AS subject
    ),
    asked AS (
        SELECT subject FROM known
        UNION ALL
        SELECT arrayJoin(arrayMap(a -> sipHash64('g', a), {accounts:Array(String)}))
    ),
    persons AS (
        SELECT * FROM touchline.subjects_raw FINAL WHERE project = {project:String} AND slot = 0 AND subject_key IN (SELECT subject FROM known)
    ),
    subjects AS (
        SELECT *
        FROM touchline.subjects_raw FINAL
        WHERE project = {project:String} AND level IN ('both', {level:String})
            AND subject_key IN (SELECT subject FROM asked)
            AND ({account:String} = '' OR slot = 0 OR account = {account:String})
    ),
    bought AS (
        SELECT *
        FROM touchline.conversions_raw FINAL
        WHERE project = {project:String} AND level IN ('both', {level:String})
            AND subject_key IN (SELECT subject FROM asked)
            AND ({account:String} = '' OR slot = 0 OR account = {account:String})
    ),
    names AS (
        SELECT arrayJoin({users:Array(String)}) AS name
        UNION ALL
        SELECT user_id FROM touchline.aliases WHERE project = {project:String} AND canonical IN {users:Array(String)}
    ),
    journeys AS (
        SELECT
            kind, 'converted ' AS state, timestamp AS ended, if(empty(touches.timestamp), timestamp, touches.timestamp[1]) AS started,
            touches.channel AS path, value, conversion_id, if(slot = 0 OR account = '', person, '') AS person, if(slot = 0, '', account) AS account
        FROM bought
        UNION ALL
        SELECT
            o.kind, if(o.ended <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC'), 'ended without conversion ', 'open until '), o.ended,
            touches.timestamp[o.first], arraySlice(touches.channel, o.first, o.touches), 0, '', person, if(slot = 0, '', account)
        FROM subjects
        ARRAY JOIN open AS o
    )
SELECT time, what, name, details, toFloat64(value), id, person, account, device
FROM (
    SELECT
        first_seen AS time, 1 AS place, 'person' AS what, if(identified, 'user', 'device') AS name,
        concat(
            toString(events), ' events until ', formatDateTime(last_seen, '%FT%TZ', 'UTC'), ', ', toString(devices), ' devices',
            if(country = '', '', concat(', ', country)), if(role = '', '', concat(', role ', role)),
            if(interest = '', '', concat(', interest ', interest))) AS details,
        toDecimal64(0, 6) AS value, '' AS id, person, '' AS account, '' AS device
    FROM persons
    UNION ALL
    SELECT
        arrayMin(arrayConcat(touched, converted, joined,
            arrayFilter((t, of) -> of = a, milestones.timestamp, milestone_accounts))),
        2, 'account', a,
        concat(
            toString(length(touched)), ' touches and ', toString(length(converted)), ' conversions count for it',
            if(empty(joined), '', concat('; joined ', formatDateTime(joined[1], '%FT%TZ', 'UTC')))),
        0, '', person, a, ''
    FROM (
        SELECT
            *,
            arrayJoin(accounts) AS a,
            arrayFilter((t, of) -> of = a, touches.timestamp, touch_accounts) AS touched,
            arrayFilter((t, of) -> of = a, conversions.timestamp, conversion_accounts) AS converted,
            arrayFilter((t, of) -> of = a, memberships.timestamp, memberships.account) AS joined
        FROM persons)
    UNION ALL
    SELECT
        r.first_seen, 3, 'link', 'device of a user',
        concat(toString(r.events), ' events name both until ', formatDateTime(r.last_seen, '%FT%TZ', 'UTC')),
        0, '', r.user_id, '', anonymous_id
    FROM touchline.identities_raw FINAL
    ARRAY JOIN runs AS r
    WHERE project = {project:String} AND device_key IN (
        SELECT sipHash64('a', arrayJoin(touches.anonymous_id)) FROM persons
        UNION ALL
        SELECT device_key
        FROM touchline.identities_raw
        WHERE project = {project:String} AND hasAny(runs.user_id, (SELECT groupArray(name) FROM names)))
    UNION ALL
    SELECT
        started, 4, 'journey', kind,
        concat(
            state, formatDateTime(ended, '%FT%TZ', 'UTC'), ': ',
            if(empty(path), 'Unattributed', arrayStringConcat(arraySlice(path, 1, 100), ' > ')),
            if(length(path) > 100, concat(' > ', toString(length(path) - 100), ' more'), '')),
        value, conversion_id, person, account, ''
    FROM journeys
    UNION ALL
    SELECT
        t.timestamp, 5, 'touch', t.channel,
        arrayStringConcat(arrayFilter(word -> word != '', [t.kind, t.source, t.medium, t.campaign, t.landing_page]), ', '),
        0, t.touch_id, t.person, t_account, t.anonymous_id
    FROM subjects
    ARRAY JOIN touches AS t, touch_accounts AS t_account
    UNION ALL
    SELECT
        timestamp, 6, 'conversion', kind,
        concat(
            'number ', toString(conversion_number), if(order_id = '', '', concat(', order ', order_id)),
            ', ', toString(amount), ' ', currency, if(refunded = 0, '', concat(', refunded ', toString(refunded)))),
        value, conversion_id, person, account, ''
    FROM bought
)
ORDER BY time, place, id, person, device, name, account
LIMIT {limit:UInt64}
