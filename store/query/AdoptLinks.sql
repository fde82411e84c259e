-- AdoptLinks: a page that a click on a signed link led to, and that has no campaign of its own, takes what the link says
-- for its evidence: a signed campaign tells more than the referrer, which of a mail is missing, or the mail program's page.
-- Versions with the highest bit are those of pages that did: above all others, and the first receipt above the rest.
INSERT INTO touchline.device_events
WITH
    clicks AS (
        SELECT message_id AS clicked, channel, channel_reason, source, medium, campaign, term, content, run
        FROM touchline.device_events
        WHERE project = {project:String} AND origin = 'link' AND channel_reason IN ('explicit', 'utm', 'click_id', 'referrer')
        ORDER BY version DESC
        LIMIT 1 BY clicked
    )
SELECT
    p.* REPLACE (
        p.version + 9223372036854775808 AS version, {run:UInt64} AS run,
        greatest(sipHash64(c.source, c.medium, c.campaign, p.click_id), 2) AS evidence,
        if(p.click_id != '', p.click, sipHash64(p.link)) AS click,
        c.channel AS channel, c.channel_reason AS channel_reason, c.source AS source, c.medium AS medium,
        c.campaign AS campaign, c.term AS term, c.content AS content)
FROM (
    SELECT *
    FROM touchline.device_events
    WHERE project = {project:String} AND link != '' AND channel_reason NOT IN ('explicit', 'utm', 'click_id')
) AS p
INNER JOIN clicks AS c ON c.clicked = p.link
WHERE (p.run > {published:UInt64} OR c.run > {published:UInt64}) AND p.version < 9223372036854775808
