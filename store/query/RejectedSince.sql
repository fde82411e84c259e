-- RejectedSince: how many events were refused since a time and not replayed, by project and reason.
SELECT project, reason, toUInt64(sum(if(outcome = 'replayed', -1, 1) * toInt64(events)) AS refused)
FROM ledger
WHERE outcome IN ('rejected', 'unkept', 'replayed') AND recorded_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY project, reason
HAVING refused > 0
ORDER BY project, refused DESC, reason
