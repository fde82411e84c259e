-- CountStored: events by project, each message once.
SELECT project, count()
FROM events
GROUP BY project
