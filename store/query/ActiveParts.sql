-- ActiveParts: the highest number of parts in a partition of events that are still to be merged.
SELECT max(parts)
FROM (
    SELECT count() AS parts
    FROM system.parts
    WHERE database = currentDatabase() AND table = 'events_raw' AND active
    GROUP BY partition_id
)
