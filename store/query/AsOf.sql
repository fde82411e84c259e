-- AsOf: the time of the project's newest event, and whether it has any. Events late in the table are few, so only those
-- are read merged.
SELECT max(timestamp), count()
FROM touchline.events
WHERE project = {project:String} AND timestamp >= (
    SELECT max(timestamp) - INTERVAL 1 DAY FROM touchline.events_raw WHERE project = {project:String})
