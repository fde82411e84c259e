-- Cohorts: people, or accounts, by the month and channel of their first touch, and what they brought so many months later.
-- A row with after = -1 says how many they are. from and to choose them by their first touch. Months are the project's.
-- What the join holds in memory is the conversions, on the right.
WITH
    members AS (
        SELECT
            subject_key, slot,
            if(empty(touches.channel), 'Unattributed', toString(touches.channel[1])) AS channel,
            if(empty(touches.channel), first_seen, touches.timestamp[1]) AS since,
            toStartOfMonth(toTimeZone(since, {timezone:String})) AS month
        FROM touchline.subjects_raw FINAL
        WHERE project = {project:String} AND level IN ('both', {level:String}) AND (person != '' OR account != '')
            AND toUnixTimestamp64Milli(since) >= {from:Int64} AND toUnixTimestamp64Milli(since) < {to:Int64}
    ),
    bought AS (
        SELECT
            subject_key, slot, person = '' AND (slot = 0 OR account = '') AS by_nobody, timestamp,
            toStartOfMonth(toTimeZone(timestamp, {timezone:String})) AS bought_in, value
        FROM touchline.conversions_raw FINAL
        WHERE project = {project:String} AND kind = {kind:String} AND level IN ('both', {level:String})
            AND ({customers:String} = '' OR (conversion_number = 1) = ({customers:String} = 'new'))
    )
SELECT *
FROM (
    SELECT month, channel, toInt64(-1) AS after, toInt64(count()) AS people, toInt64(0) AS conversions, toDecimal128(0, 6) AS value
    FROM members
    GROUP BY month, channel
    UNION ALL
    SELECT
        m.month AS month, m.channel AS channel, toInt64(greatest(dateDiff('month', m.month, b.bought_in), 0)) AS after,
        toInt64(0), toInt64(count()), CAST(sum(b.value), 'Decimal(38, 6)')
    FROM members AS m
    INNER JOIN bought AS b ON b.subject_key = m.subject_key AND b.slot = m.slot
    GROUP BY month, channel, after
    UNION ALL
    SELECT bought_in, 'Unattributed', toInt64(0), toInt64(0), toInt64(count()), CAST(sum(value), 'Decimal(38, 6)')
    FROM bought
    WHERE by_nobody AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) < {to:Int64}
    GROUP BY bought_in
)
SETTINGS query_plan_join_swap_table = 0
