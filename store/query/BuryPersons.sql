-- BuryPersons: affected people and accounts of whom nothing is left: their rows are to go.
INSERT INTO touchline_work.subjects_raw (project, subject_key, slot, version, deleted)
SELECT project, subject_key, slot, {run:UInt64}, 1
FROM touchline.subjects_raw FINAL
WHERE project = {project:String}
    AND (subject_key IN (SELECT person_key FROM touchline_work.affected_persons)
        OR subject_key IN (SELECT sipHash64('g', account) FROM touchline_work.affected_accounts))
    AND (subject_key, slot) NOT IN (SELECT subject_key, slot FROM touchline_work.subjects_raw)
