-- SelectedPaths: the selected journeys as paths of whatever the credit is for, identical ones summed, without the empty one.
-- Direct is a channel: which touches are to be skipped does not depend on what the credit is for.
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS as_of,
    selected AS (
        SELECT
            transform({by:String}, ['source', 'medium', 'campaign', 'landing_page', 'country', 'device'], [1, 2, 3, 4, 5, 6], 0) AS which,
            multiIf(
                which = 1, arrayMap(x -> toString(x), touches.source), which = 2, arrayMap(x -> toString(x), touches.medium),
                which = 3, arrayMap(x -> toString(x), touches.campaign), which = 4, touches.landing_page,
                which = 5, arrayMap(x -> toString(x), touches.country), which = 6, arrayMap(x -> toString(x), touches.device),
                arrayMap(x -> toString(x), touches.channel)) AS names,
            touches.channel AS channels,
            1 AS conversions, if({gross:Bool}, gross, value) AS worth, 0 AS nulls
        FROM {tables:Identifier}.conversions_raw FINAL
        WHERE project = {project:String} AND kind = {kind:String} AND level IN ('both', {level:String})
            AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) < {to:Int64}
            AND ({customers:String} = '' OR (conversion_number = 1) = ({customers:String} = 'new'))
        UNION ALL
        SELECT
            transform({by:String}, ['source', 'medium', 'campaign', 'landing_page', 'country', 'device'], [1, 2, 3, 4, 5, 6], 0) AS which,
            arraySlice(multiIf(
                which = 1, arrayMap(x -> toString(x), touches.source), which = 2, arrayMap(x -> toString(x), touches.medium),
                which = 3, arrayMap(x -> toString(x), touches.campaign), which = 4, touches.landing_page,
                which = 5, arrayMap(x -> toString(x), touches.country), which = 6, arrayMap(x -> toString(x), touches.device),
                arrayMap(x -> toString(x), touches.channel)), o.first, o.touches),
            arraySlice(touches.channel, o.first, o.touches),
            0, 0, 1
        FROM {tables:Identifier}.subjects_raw FINAL
        ARRAY JOIN open AS o
        WHERE project = {project:String} AND level IN ('both', {level:String}) AND o.kind = {kind:String} AND o.ended <= as_of
            AND toUnixTimestamp64Milli(o.ended) >= {from:Int64} AND toUnixTimestamp64Milli(o.ended) < {to:Int64}
            AND ({customers:String} = '' OR (o.number = 0) = ({customers:String} = 'new'))
    ),
    kept AS (
        SELECT
            if({skip_direct:Bool} AND arrayExists(c -> c != 'Direct', channels),
                arrayFilter((n, c) -> c != 'Direct', names, channels), names) AS path,
            conversions, worth, nulls
        FROM selected
    )
SELECT arrayMap(n -> if(n = '', '(none)', n), path) AS named, toInt64(sum(conversions)), toFloat64(sum(worth)), toInt64(sum(nulls))
FROM kept
WHERE notEmpty(path)
GROUP BY path
