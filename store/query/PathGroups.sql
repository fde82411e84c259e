-- PathGroups: the selected journeys by what {by} says of their path, the groups with most conversions first; what is
-- beyond the first {top} is one group, so that sums are those of all journeys. Journeys are added up by path before
-- that, because there are far fewer paths. The join is empty when nobody asks for {customers}; what is held in memory for it
-- is the conversions, on the right: the optimizer would rather have the journeys there.
WITH
    selected AS (
        SELECT j.touches.channel AS path, j.state AS state, j.value AS value
        FROM touchline.journeys AS j
        LEFT JOIN (
            SELECT person, identified, min(timestamp) AS since
            FROM touchline.conversions
            WHERE project = {project:String} AND kind = {kind:String} AND person != '' AND {customers:String} != ''
            GROUP BY person, identified
        ) AS c ON c.person = j.person AND c.identified = j.identified
        WHERE j.project = {project:String} AND j.kind = {kind:String} AND j.level = {level:String}
            AND toUnixTimestamp64Milli(j.ended) >= {from:Int64} AND toUnixTimestamp64Milli(j.ended) < {to:Int64}
            AND j.state != 'pending'
            AND ({customers:String} = '' OR {customers:String} = if(
                if(j.state = 'converted', j.conversion_number > 1, c.person != '' AND c.since < j.started),
                'returning', 'new'))
    ),
    paths AS (
        SELECT
            CAST(path, 'Array(String)') AS path,
            countIf(state = 'converted') AS conversions, sum(value) AS value, countIf(state = 'null') AS nulls
        FROM selected
        GROUP BY path
    ),
    grouped AS (
        SELECT
            arrayJoin(multiIf(
                {by:String} = 'path', [path],
                {by:String} = 'length', [[toString(length(path))]],
                {by:String} = 'ends', [[path[1], path[-1]]],
                {by:String} = 'channel', if(empty(path), [['', 'closes', '']], arrayMap(
                    c -> [c, if(c = path[-1], 'closes', ''), if(has(arrayPopBack(path), c), 'assists', '')],
                    arrayDistinct(path))),
                arrayConcat(
                    arrayMap(c -> [c], arrayDistinct(path)),
                    arrayMap(pair -> [pair.1, pair.2], arrayFlatten(arrayMap(
                        (c, place) -> arrayMap(later -> (c, later), arraySlice(arrayDistinct(path), place + 1)),
                        arrayDistinct(path), arrayEnumerate(arrayDistinct(path)))))))) AS key,
            sum(conversions) AS conversions, sum(value) AS value, sum(nulls) AS nulls
        FROM paths
        GROUP BY key
    ),
    ranked AS (
        SELECT *, least(row_number() OVER (ORDER BY conversions DESC, value DESC, nulls DESC, key), {top:UInt64} + 1) AS place
        FROM grouped
    )
SELECT any(key), toInt64(count()), toInt64(sum(conversions)), sum(value), toInt64(sum(nulls))
FROM ranked
GROUP BY place
ORDER BY place
SETTINGS
    query_plan_join_swap_table = 0,
    max_bytes_before_external_group_by = 1000000000, max_bytes_before_external_sort = 1000000000
