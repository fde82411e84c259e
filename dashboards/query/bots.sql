-- What share of the events comes from programs, and from which? They are left out of persons, sessions and journeys.
SELECT
    project,
    if(is_bot, bot_reason, 'people') AS sender,
    count() AS events,
    round(100 * events / sum(events) OVER (PARTITION BY project), 1) AS percent
FROM events
GROUP BY project, sender
ORDER BY project, events DESC, sender
