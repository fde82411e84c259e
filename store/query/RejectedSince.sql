-- RejectedSince: how many events were refused since a time, by project and reason.
SELECT project, reason, sum(events)
FROM ledger
WHERE outcome IN ('rejected', 'unkept') AND recorded_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY project, reason
ORDER BY project, sum(events) DESC, reason
