-- LastRuns: when the last run of each project began and why it failed, and when the last good one began, 1970 without any.
SELECT project, max(started), argMax(error, started), maxIf(started, result = 'done')
FROM runs
GROUP BY project
