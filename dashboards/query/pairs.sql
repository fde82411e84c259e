-- Do two channels convert better together? Journeys and percent converted with one, the other, both, and by which came first.
WITH
    paths AS (
        SELECT project, kind, arrayDistinct(path) AS channels, conversions, conversions + nulls AS journeys
        FROM path_stats
        WHERE level = 'person'
    ),
    singles AS (
        SELECT project, kind, channel, sum(journeys) AS journeys, sum(conversions) AS converted
        FROM paths
        ARRAY JOIN channels AS channel
        GROUP BY project, kind, channel
    ),
    pairs AS (
        SELECT
            project, kind, least(pair.1, pair.2) AS a, greatest(pair.1, pair.2) AS b,
            sum(journeys) AS both, sum(conversions) AS converted,
            sumIf(journeys, pair.1 = a) AS a_first, sumIf(conversions, pair.1 = a) AS converted_a_first
        FROM paths
        ARRAY JOIN arrayFlatten(arrayMap(
            (channel, place) -> arrayMap(later -> (channel, later), arraySlice(channels, place + 1)),
            channels, arrayEnumerate(channels))) AS pair
        GROUP BY project, kind, a, b
    )
SELECT
    p.project AS project, p.kind AS kind, p.a AS a, p.b AS b,
    x.journeys - p.both AS a_only, round(100 * (x.converted - p.converted) / greatest(a_only, 1), 1) AS a_only_percent,
    y.journeys - p.both AS b_only, round(100 * (y.converted - p.converted) / greatest(b_only, 1), 1) AS b_only_percent,
    p.both AS both, round(100 * p.converted / p.both, 1) AS both_percent,
    p.a_first AS a_first, round(100 * p.converted_a_first / greatest(p.a_first, 1), 1) AS a_first_percent,
    p.both - p.a_first AS b_first, round(100 * (p.converted - p.converted_a_first) / greatest(b_first, 1), 1) AS b_first_percent
FROM pairs AS p
INNER JOIN singles AS x ON x.project = p.project AND x.kind = p.kind AND x.channel = p.a
INNER JOIN singles AS y ON y.project = p.project AND y.kind = p.kind AND y.channel = p.b
ORDER BY project, kind, both DESC, a, b
LIMIT 20 BY project, kind
