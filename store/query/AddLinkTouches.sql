-- AddLinkTouches: clicks on signed links, unless a session of the same person has the click in its address: that is the
-- touch then. Of the same person, because a link sent on to a friend begins a session of the friend, and whoever the link
-- was made for has clicked all the same.
INSERT INTO touchline_work.touchpoints
SELECT
    {project:String}, message_id, 'link', person, identified, anonymous_id, timestamp, timestamp,
    channel, channel_reason, source, medium, campaign, term, content, click_id, referrer_host, landing_page, country, device
FROM touchline_work.person_events
WHERE origin = 'link' AND person != '' AND (person, identified, message_id) NOT IN (
    SELECT person, identified, link
    FROM touchline_work.person_events
    WHERE opens AND link != '')
