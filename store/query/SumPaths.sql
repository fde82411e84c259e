-- SumPaths: journeys as paths of channels, identical ones summed: what the run adds and takes away, and what was there of
-- the same paths. A journey without conversion is a null once as_of is past its end, also of people whom nothing new
-- touched.
INSERT INTO touchline_work.path_stats_raw
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS as_of,
    fromUnixTimestamp64Milli({old_as_of:Int64}, 'UTC') AS old_as_of,
    replaced AS (SELECT subject_key, slot FROM touchline_work.subjects_raw),
    old AS (
        SELECT level, open, touches.channel AS channels, (subject_key, slot) IN replaced AS gone
        FROM touchline.subjects_raw FINAL
        WHERE NOT {all:Bool} AND project = {project:String} AND notEmpty(open)
    ),
    changes AS (
        SELECT kind, level, touches.channel AS path, 1 AS conversions, value, 0 AS nulls
        FROM touchline_work.conversions_raw
        WHERE deleted = 0
        UNION ALL
        SELECT kind, level, touches.channel, -1, -value, 0
        FROM touchline.conversions_raw FINAL
        WHERE NOT {all:Bool} AND project = {project:String} AND (subject_key, slot) IN replaced
        UNION ALL
        SELECT o.kind, level, arraySlice(touches.channel, o.first, o.touches), 0, 0, 1
        FROM touchline_work.subjects_raw
        ARRAY JOIN open AS o
        WHERE deleted = 0 AND o.ended <= as_of
        UNION ALL
        SELECT o.kind, level, arraySlice(channels, o.first, o.touches), 0, 0, if(gone, -1, 1)
        FROM old
        ARRAY JOIN open AS o
        WHERE if(gone, o.ended <= old_as_of, o.ended > old_as_of AND o.ended <= as_of)
    ),
    summed AS (
        SELECT
            kind, arrayJoin(if(level = 'both', ['person', 'account'], [toString(level)])) AS at_level, path,
            sum(conversions) AS conversions, sum(value) AS value, sum(nulls) AS nulls
        FROM changes
        GROUP BY kind, level, path
    )
SELECT
    {project:String}, kind, at_level, path,
    sum(conversions) AS all_conversions, sum(value), sum(nulls) AS all_nulls,
    {run:UInt64}, all_conversions = 0 AND all_nulls = 0
FROM (
    SELECT *, true AS changed FROM summed
    UNION ALL
    SELECT kind, level, path, conversions, value, nulls, false
    FROM touchline.path_stats_raw FINAL
    WHERE NOT {all:Bool} AND project = {project:String})
GROUP BY kind, at_level, path
HAVING max(changed)
