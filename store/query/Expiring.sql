-- Expiring: deletions that were announced and are not known to have ended.
SELECT toInt64(batch), events
FROM ledger
WHERE project = {project:String} AND outcome = 'expiring'
    AND batch NOT IN (SELECT batch FROM ledger WHERE project = {project:String} AND outcome = 'expired')
