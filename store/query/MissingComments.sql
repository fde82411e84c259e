-- MissingComments: columns of the view of events whose comment differs from that of the table beneath.
SELECT v.name, t.comment
FROM system.columns AS v
INNER JOIN system.columns AS t ON t.database = v.database AND t.name = v.name
WHERE v.database = currentDatabase() AND v.table = 'events' AND t.table = 'events_raw' AND v.comment != t.comment
