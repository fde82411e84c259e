-- KillUpdates: ends what a process that was killed still writes into working tables.
KILL QUERY
WHERE user = currentUser() AND query_kind = 'Insert'
    AND (query LIKE '%INSERT INTO touchline\\_work.%' OR query LIKE '%INSERT INTO touchline.device\\_events%')
SYNC
