-- Persons: the people with these ids, users and devices.
SELECT person, identified, first_seen, last_seen
FROM touchline.persons
WHERE project = {project:String} AND person IN {ids:Array(String)}
ORDER BY person, identified
