-- LockAttribution: runs until it is cancelled or its client is gone. What counts is its id: see the caller.
SELECT sleepEachRow(0.1)
FROM system.numbers
SETTINGS max_block_size = 1, max_threads = 1, max_execution_time = 0, replace_running_query = 0
