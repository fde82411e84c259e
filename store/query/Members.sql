-- Members: the people of an account. Who they are is looked for in one column, before rows are read.
SELECT person, identified, accounts
FROM touchline.subjects_raw FINAL
WHERE project = {project:String} AND slot = 0 AND person != '' AND has(accounts, {account:String})
    AND subject_key IN (
        SELECT subject_key FROM touchline.subjects_raw WHERE project = {project:String} AND slot = 0 AND has(accounts, {account:String}))
ORDER BY person, identified
LIMIT {limit:UInt64}
