-- LastUpdate: the number of the last update that was published, what it depended on, its as-of and watermark; the number of
-- the last one that was begun; and how many of the project's events were deleted for their age.
SELECT
    maxIf(run, state = 'done'), argMaxIf(settings, run, state = 'done'), argMaxIf(as_of, run, state = 'done'),
    argMaxIf(watermark, run, state = 'done'), max(run), now64(3, 'UTC'),
    (SELECT sum(events) FROM touchline.ledger WHERE project = {project:String} AND outcome = 'expired')
FROM touchline.updates FINAL
WHERE project = {project:String}
