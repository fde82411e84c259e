-- AddExplicitTouches: touches that somebody reported as such: a trade fair, a letter, a call.
INSERT INTO touchline_work.touchpoints
SELECT
    {project:String}, message_id, 'explicit', person, identified, anonymous_id, timestamp, timestamp,
    channel, channel_reason, source, medium, campaign, term, content, click_id, referrer_host, landing_page, country, device
FROM touchline_work.person_events
WHERE type = 'track' AND event = 'Touchpoint' AND person != ''
