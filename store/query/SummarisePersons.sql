-- SummarisePersons: one row for everybody that events belong to.
INSERT INTO touchline_work.persons
WITH
    firsts AS (
        SELECT person, identified, min(timestamp) AS first_touch, argMin(channel, (timestamp, touch_id)) AS first_channel
        FROM touchline_work.touchpoints
        GROUP BY person, identified
    ),
    people AS (
        SELECT
            person, identified,
            min(timestamp) AS first_seen, max(timestamp) AS last_seen, count() AS events,
            uniqExactIf(anonymous_id, anonymous_id != '') AS devices,
            argMaxIf(country, (timestamp, client_timestamp, seq, message_id), country != '') AS country,
            argMaxIf(traits, (timestamp, client_timestamp, seq, message_id), traits != '') AS traits
        FROM touchline_work.person_events
        WHERE person != ''
        GROUP BY person, identified
    )
SELECT
    {project:String}, p.person, p.identified, p.first_seen, p.last_seen, p.events, p.devices,
    f.first_touch, f.first_channel, p.country, p.traits
FROM people AS p
LEFT JOIN firsts AS f ON f.person = p.person AND f.identified = p.identified
