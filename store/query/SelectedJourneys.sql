-- SelectedJourneys: the selected journeys that converted and had touches, each by itself; ages in ms. A milestone counts for
-- the last touch up to it that is left.
WITH
    transform({by:String}, ['source', 'medium', 'campaign', 'landing_page', 'country', 'device'], [1, 2, 3, 4, 5, 6], 0) AS which,
    {skip_direct:Bool} AND arrayExists(c -> c != 'Direct', touches.channel) AS skips,
    arrayMap(c -> NOT (skips AND c = 'Direct'), touches.channel) AS kept
SELECT
    arrayFilter((n, k) -> k, arrayMap(n -> if(n = '', '(none)', n), multiIf(
        which = 1, arrayMap(x -> toString(x), touches.source), which = 2, arrayMap(x -> toString(x), touches.medium),
        which = 3, arrayMap(x -> toString(x), touches.campaign), which = 4, touches.landing_page,
        which = 5, arrayMap(x -> toString(x), touches.country), which = 6, arrayMap(x -> toString(x), touches.device),
        arrayMap(x -> toString(x), touches.channel))), kept),
    arrayFilter((a, k) -> k, arrayMap((t, c) -> toInt64(dateDiff('millisecond', t, c)), touches.timestamp,
        arrayResize([timestamp], length(touches.timestamp), timestamp)), kept),
    toUInt32(arraySum(arraySlice(kept, 1, lead))), toUInt32(arraySum(arraySlice(kept, 1, opportunity))), if({gross:Bool}, gross, value)
FROM {tables:Identifier}.conversions_raw FINAL
WHERE project = {project:String} AND kind = {kind:String} AND level IN ('both', {level:String})
    AND toUnixTimestamp64Milli(timestamp) >= {from:Int64} AND toUnixTimestamp64Milli(timestamp) < {to:Int64}
    AND ({customers:String} = '' OR (conversion_number = 1) = ({customers:String} = 'new'))
    AND notEmpty(touches.timestamp)
