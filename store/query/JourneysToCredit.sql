-- JourneysToCredit: the journeys that converted and have touches, as models look at them; value in millionths, ages in ms.
WITH
    arrayConcat(if(l.inherited = 0, [], [touches.channel[l.inherited]]), arraySlice(touches.channel, l.first, l.touches)) AS names,
    arrayConcat(if(l.inherited = 0, [], [touches.timestamp[l.inherited]]), arraySlice(touches.timestamp, l.first, l.touches)) AS times,
    conversions.timestamp[l.conversion] AS converted
SELECT
    subject_key, slot, l.kind AS kind, l.conversion AS conversion, l.lead AS lead, l.opportunity AS opportunity,
    toInt64(conversions.value[l.conversion] * 1000000) AS value,
    names::Array(LowCardinality(String)) AS channels,
    arrayMap((t, c) -> toInt64(dateDiff('millisecond', t, c)), times, arrayWithConstant(length(times), converted)) AS ages
FROM touchline_work.subjects_raw
ARRAY JOIN led AS l
WHERE l.inherited != 0 OR l.touches != 0
