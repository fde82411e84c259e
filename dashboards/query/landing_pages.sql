-- Which landing pages are part of journeys that convert? Sessions that began there, and how many were in such a journey.
WITH
    led AS (
        SELECT project, arrayJoin(touches).touch_id AS touch_id
        FROM journeys
        WHERE level = 'person' AND state = 'converted'
        GROUP BY project, touch_id
    )
SELECT
    t.project AS project, t.landing_page AS landing_page, count() AS sessions,
    countIf(l.touch_id != '') AS led_to_conversion,
    round(100 * led_to_conversion / sessions, 1) AS percent
FROM touchpoints AS t
LEFT JOIN led AS l ON l.project = t.project AND l.touch_id = t.touch_id
WHERE t.kind = 'session'
GROUP BY project, landing_page
ORDER BY project, sessions DESC, landing_page
LIMIT 10 BY project
