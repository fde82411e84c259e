-- Persons: the people with these ids, users and devices.
SELECT person, identified, accounts
FROM touchline.subjects_raw FINAL
WHERE project = {project:String} AND slot = 0 AND person IN {ids:Array(String)}
    AND subject_key IN (
        SELECT arrayJoin(arrayConcat(arrayMap(id -> sipHash64('u', id), {ids:Array(String)}), arrayMap(id -> sipHash64('a', id), {ids:Array(String)}))))
ORDER BY person, identified
