-- AsOf: the project's newest event, and how many it has.
SELECT max(timestamp), count()
FROM touchline.events
WHERE project = {project:String}
