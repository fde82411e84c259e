-- Coverage: how much of what happened the selected journeys hold.
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS as_of,
    won AS (
        SELECT if({gross:Bool}, gross, value) AS worth, rated, length(touches.timestamp) AS touched,
            arrayAll(c -> c = 'Direct', touches.channel) AS direct
        FROM {tables:Identifier}.conversions_raw FINAL
        WHERE project = {project:String} AND kind = {kind:String} AND level IN ('both', {level:String})
            AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) < {to:Int64}
            AND ({customers:String} = '' OR (conversion_number = 1) = ({customers:String} = 'new'))
    ),
    lost AS (
        SELECT toInt64(countIf(o.ended <= as_of)) AS nulls, toInt64(countIf(o.ended > as_of)) AS pending
        FROM {tables:Identifier}.subjects_raw FINAL
        ARRAY JOIN open AS o
        WHERE project = {project:String} AND level IN ('both', {level:String}) AND o.kind = {kind:String}
            AND toUnixTimestamp64Milli(o.ended) >= {from:Int64} AND toUnixTimestamp64Milli(o.ended) < {to:Int64}
            AND ({customers:String} = '' OR (o.number = 0) = ({customers:String} = 'new'))
    )
SELECT
    toInt64(count()), toInt64(countIf(touched = 0)), toInt64(countIf(touched > 0 AND direct)), toInt64(countIf(NOT rated)),
    sum(worth), sumIf(worth, touched = 0), sumIf(worth, touched > 0 AND direct),
    (SELECT nulls FROM lost), (SELECT pending FROM lost)
FROM won
