-- LockHolder: what the holder of the lock said of itself.
SELECT Settings['log_comment']
FROM system.processes
WHERE query_id = {id:String}
