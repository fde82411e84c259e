-- PathGroups: the selected journeys by what {key} says of their path, the groups with most conversions first; what is
-- beyond the first {top} is one group, so that sums are those of all journeys. Journeys are added up by path before
-- that, because there are far fewer paths; of all journeys together they are added up already.
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS as_of,
    {from:Int64} = 0 AND {to:Int64} = 9223372036854775807 AND {customers:String} = '' AS everything,
    selected AS (
        SELECT path, conversions, value, nulls
        FROM touchline.path_stats_raw FINAL
        WHERE everything AND project = {project:String} AND kind = {kind:String} AND level = {level:String}
        UNION ALL
        SELECT touches.channel, 1, value, 0
        FROM touchline.conversions_raw FINAL
        WHERE NOT everything AND project = {project:String} AND kind = {kind:String} AND level IN ('both', {level:String})
            AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) < {to:Int64}
            AND ({customers:String} = '' OR (conversion_number = 1) = ({customers:String} = 'new'))
        UNION ALL
        SELECT arraySlice(touches.channel, o.first, o.touches), 0, 0, 1
        FROM touchline.subjects_raw FINAL
        ARRAY JOIN open AS o
        WHERE NOT everything AND project = {project:String} AND level IN ('both', {level:String}) AND o.kind = {kind:String} AND o.ended <= as_of
            AND toUnixTimestamp64Milli(o.ended) >= {from:Int64} AND toUnixTimestamp64Milli(o.ended) < {to:Int64}
            AND ({customers:String} = '' OR (o.number = 0) = ({customers:String} = 'new'))
    ),
    paths AS (
        SELECT
            CAST(path, 'Array(String)') AS path,
            sum(conversions) AS conversions, sum(value) AS value, sum(nulls) AS nulls
        FROM selected
        GROUP BY path
    ),
    grouped AS (
        SELECT
            arrayJoin(multiIf(
                {key:String} = 'path', [path],
                {key:String} = 'length', [[toString(length(path))]],
                {key:String} = 'ends', [[path[1], path[-1]]],
                {key:String} = 'channel', if(empty(path), [['', 'closes', '']], arrayMap(
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
SETTINGS max_bytes_before_external_group_by = 1000000000, max_bytes_before_external_sort = 1000000000
