-- KillUpdates: ends what a process that was killed still writes into working tables, or publishes of them.
KILL QUERY
WHERE user = currentUser() AND (
    query_kind = 'Insert' AND (query LIKE '%INSERT INTO touchline\\_work.%' OR query LIKE '%INSERT INTO touchline.device\\_events%')
    OR query_kind = 'Alter' AND query LIKE '%FROM touchline\\_work.%')
SYNC
