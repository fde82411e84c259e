-- Ledger: what became of all events, by project and collector.
SELECT project, collector, outcome, reason, sum(events)
FROM ledger
WHERE outcome != 'expiring'
GROUP BY project, collector, outcome, reason
ORDER BY project, collector, outcome, reason
