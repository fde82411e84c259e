-- MissingComments: columns of views whose comment differs from that of the table beneath, which is named like the view.
SELECT v.table, v.name, t.comment
FROM system.columns AS v
INNER JOIN system.columns AS t ON t.database = v.database AND t.table = concat(v.table, '_raw') AND t.name = v.name
WHERE v.database = currentDatabase() AND v.comment != t.comment
ORDER BY v.table, v.position
