-- PublishedCoverage: how much of what happened the selected journeys hold, and as of when they were judged. as_of is that
-- of all journeys, selected or not. What the join holds in memory is the conversions, on the right.
WITH
    conversions_abroad AS (
        SELECT conversion_id
        FROM touchline.conversions
        WHERE project = {project:String} AND kind = {kind:String} AND currency NOT IN ('', {currency:String}) AND amount != 0
    ),
    journeys AS (
        SELECT
            j.state AS state, j.value AS value, j.touches.channel AS path, j.conversion_id AS conversion_id, j.as_of AS as_of,
            toUnixTimestamp64Milli(j.ended) >= {from:Int64} AND toUnixTimestamp64Milli(j.ended) < {to:Int64}
                AND ({customers:String} = '' OR {customers:String} = if(
                    if(j.state = 'converted', j.conversion_number > 1, c.person != '' AND c.since < j.started),
                    'returning', 'new')) AS selected,
            selected AND state = 'converted' AS converted,
            converted AND empty(path) AS unattributed,
            converted AND notEmpty(path) AND arrayAll(channel -> channel = 'Direct', path) AS direct
        FROM touchline.journeys AS j
        LEFT JOIN (
            SELECT person, identified, min(timestamp) AS since
            FROM touchline.conversions
            WHERE project = {project:String} AND kind = {kind:String} AND person != '' AND {customers:String} != ''
            GROUP BY person, identified
        ) AS c ON c.person = j.person AND c.identified = j.identified
        WHERE j.project = {project:String} AND j.kind = {kind:String} AND j.level = {level:String}
    )
SELECT
    count() > 0, max(as_of),
    toInt64(countIf(converted)), sumIf(value, converted),
    toInt64(countIf(unattributed)), sumIf(value, unattributed),
    toInt64(countIf(direct)), sumIf(value, direct),
    toInt64(countIf(selected AND state = 'null')),
    toInt64(countIf(selected AND state = 'pending')),
    toInt64(countIf(converted AND conversion_id IN (SELECT conversion_id FROM conversions_abroad)))
FROM journeys
SETTINGS query_plan_join_swap_table = 0
