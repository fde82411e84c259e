-- Paths: the paths of a kind and level as they are with what the update changes, without the empty one.
SELECT arrayMap(n -> toString(n), path), newest.1, toFloat64(newest.2), newest.3
FROM (
    SELECT path, argMax((conversions, value, nulls, deleted), version) AS newest
    FROM (
        SELECT path, conversions, value, nulls, deleted, version
        FROM touchline_work.path_stats_raw
        WHERE kind = {kind:String} AND level = {level:String}
        UNION ALL
        SELECT path, conversions, value, nulls, deleted, version
        FROM touchline.path_stats_raw
        WHERE NOT {all:Bool} AND project = {project:String} AND kind = {kind:String} AND level = {level:String})
    GROUP BY path)
WHERE notEmpty(path) AND newest.4 = 0
