-- JourneysToCredit: the journeys that converted and have touches, as models look at them: channels by their place in
-- {channels}, hours before the conversion.
WITH
    arrayConcat(if(l.inherited = 0, [], [touches.channel[l.inherited]]), arraySlice(touches.channel, l.first, l.touches)) AS names,
    arrayConcat(if(l.inherited = 0, [], [touches.timestamp[l.inherited]]), arraySlice(touches.timestamp, l.first, l.touches)) AS times,
    conversions.timestamp[l.conversion] AS converted
SELECT
    subject_key, slot, toString(l.kind), l.conversion, l.lead, l.opportunity,
    arrayMap(n -> toUInt32(indexOf({channels:Array(String)}, toString(n)) - 1), names),
    arrayMap((t, c) -> toInt64(dateDiff('millisecond', t, c)), times, arrayResize([converted], length(times), converted))
FROM touchline_work.subjects_raw
ARRAY JOIN led AS l
WHERE l.inherited != 0 OR l.touches != 0
