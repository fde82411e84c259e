-- Interrupted: the updates that were killed while they published: at most one, for the next one finishes it.
SELECT project, run, full, settings, as_of, watermark, started, events, subjects
FROM touchline.updates FINAL
WHERE state = 'publishing' AND (project, run) NOT IN (SELECT project, run FROM touchline.updates WHERE state = 'done')
