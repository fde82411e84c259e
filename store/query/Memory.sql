-- Memory: bytes that the database uses.
SELECT value
FROM system.metrics
WHERE metric = 'MemoryTracking'
