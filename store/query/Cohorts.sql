-- Cohorts: people by the month and channel of their first touch, and what they brought so many months later. A row with
-- after = -1 says how many they are. from and to choose people by their first touch. Months are the project's. What the join
-- holds in memory is the conversions, on the right.
WITH
    members AS (
        SELECT
            person, identified,
            if(first_channel = '', 'Unattributed', first_channel) AS channel,
            if(first_channel = '', first_seen, first_touch) AS since,
            toStartOfMonth(toTimeZone(since, {timezone:String})) AS month
        FROM touchline.persons
        WHERE project = {project:String}
            AND toUnixTimestamp64Milli(since) >= {from:Int64} AND toUnixTimestamp64Milli(since) < {to:Int64}
    ),
    bought AS (
        SELECT person, identified, timestamp, toStartOfMonth(toTimeZone(timestamp, {timezone:String})) AS bought_in, value
        FROM touchline.conversions
        WHERE project = {project:String} AND kind = {kind:String}
            AND ({customers:String} = '' OR {customers:String} = if(conversion_number > 1, 'returning', 'new'))
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
    INNER JOIN bought AS b ON b.person = m.person AND b.identified = m.identified
    GROUP BY month, channel, after
    UNION ALL
    SELECT bought_in, 'Unattributed', toInt64(0), toInt64(0), toInt64(count()), CAST(sum(value), 'Decimal(38, 6)')
    FROM bought
    WHERE person = '' AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) < {to:Int64}
    GROUP BY bought_in
)
SETTINGS query_plan_join_swap_table = 0
