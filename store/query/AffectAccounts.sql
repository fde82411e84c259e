-- AffectAccounts: the accounts that anything of affected people counts for, or counted.
INSERT INTO touchline_work.affected_accounts
SELECT arrayJoin(accounts) FROM touchline_work.groups
UNION DISTINCT
SELECT arrayJoin(accounts)
FROM touchline.subjects_raw FINAL
WHERE project = {project:String} AND slot = 0 AND subject_key IN (SELECT person_key FROM touchline_work.affected_persons)
