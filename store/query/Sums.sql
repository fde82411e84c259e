-- Sums: what every model credits by each dimension, and what of the conversions and their value it leaves out.
WITH
    paths AS (
        SELECT kind, level, path, argMax((conversions, value, deleted), version) AS newest
        FROM (
            SELECT * FROM touchline_work.path_stats_raw
            UNION ALL
            SELECT * FROM touchline.path_stats_raw WHERE NOT {all:Bool} AND project = {project:String})
        GROUP BY kind, level, path
    ),
    counted AS (
        SELECT kind, level, toDecimal128(sum(newest.1), 12) AS conversions, sum(newest.2) AS value
        FROM paths
        WHERE newest.3 = 0
        GROUP BY kind, level
    ),
    days AS (
        SELECT kind, level, model, dimension, name, day, argMax((conversions, value, deleted), version) AS newest
        FROM (
            SELECT * FROM touchline_work.channel_credits_raw
            UNION ALL
            SELECT * FROM touchline.channel_credits_raw WHERE NOT {all:Bool} AND project = {project:String})
        GROUP BY kind, level, model, dimension, name, day
    ),
    credited AS (
        SELECT kind, level, model, dimension, sum(newest.1) AS conversions, sum(newest.2) AS value
        FROM days
        WHERE newest.3 = 0
        GROUP BY kind, level, model, dimension
    )
SELECT
    toString(c.kind), toString(c.level), toString(c.model), toString(c.dimension), toFloat64(c.conversions), toFloat64(c.value),
    toFloat64(n.conversions - c.conversions), toFloat64(n.value - c.value)
FROM credited AS c
INNER JOIN counted AS n ON n.kind = c.kind AND n.level = c.level
ORDER BY c.kind, c.level, c.model, c.dimension
