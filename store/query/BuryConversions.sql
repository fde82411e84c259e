-- BuryConversions: conversions of the subjects at hand that are no more, or no more theirs.
INSERT INTO touchline_work.conversions_raw (project, subject_key, slot, kind, conversion_id, version, deleted)
SELECT project, subject_key, slot, kind, conversion_id, {run:UInt64}, 1
FROM touchline.conversions_raw FINAL
WHERE project = {project:String}
    AND (subject_key, slot) IN (SELECT subject_key, slot FROM touchline_work.subjects_raw)
    AND (subject_key, slot, kind, conversion_id) NOT IN (
        SELECT subject_key, slot, kind, conversion_id FROM touchline_work.conversions_raw)
