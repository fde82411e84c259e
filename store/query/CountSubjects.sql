-- CountSubjects: how many people and accounts an update computed.
SELECT countIf(deleted = 0) FROM touchline_work.subjects_raw
