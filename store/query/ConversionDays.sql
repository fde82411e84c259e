-- ConversionDays: conversions by day in the project's time zone, those with touches and those without, with what the
-- update changes.
SELECT
    toDate(toTimeZone(timestamp, {timezone:String})) AS day,
    toInt64(countIf(notEmpty(touches))), sumIf(value, notEmpty(touches)),
    toInt64(countIf(empty(touches))), sumIf(value, empty(touches))
FROM (
    SELECT timestamp, value, touches.timestamp AS touches
    FROM touchline_work.conversions_raw
    WHERE deleted = 0 AND kind = {kind:String} AND level IN ('both', {level:String})
    UNION ALL
    SELECT timestamp, value, touches.timestamp
    FROM touchline.conversions_raw FINAL
    WHERE NOT {all:Bool} AND project = {project:String} AND kind = {kind:String} AND level IN ('both', {level:String})
        AND (subject_key, slot) NOT IN (SELECT subject_key, slot FROM touchline_work.subjects_raw))
GROUP BY day
ORDER BY day
