-- PublishedKinds: which kinds of conversion a run has published, and as of when.
SELECT kind, max(as_of)
FROM touchline.journeys
WHERE project = {project:String} AND level = {level:String}
GROUP BY kind
ORDER BY kind
