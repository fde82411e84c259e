-- AssignPersons: the person of each event, and what later steps need of it. An event belongs to its user; without one
-- to the user its device is next linked to, or was last; without any to the device. Bots are left out here.
--
-- opens: the event opens a session. Pages, screens and hits of a web server's log always do, other events of a browser
-- where they carry page or campaign context; what servers and imports report never does.
-- link: the click on a signed link that led to the page. Of a page without a campaign of its own, what the link says is
-- the evidence: a signed campaign tells more than the referrer, which of a mail is missing, or the mail program's page.
-- evidence: hash of (source, medium, campaign, click id), 0 where the event has no evidence of a channel.
INSERT INTO touchline_work.person_events
WITH
    wanted AS (
        SELECT *, if(origin = 'link', '', extractURLParameter(url, 'tl_touch')) AS link
        FROM touchline.events
        WHERE project = {project:String} AND NOT is_bot
    ),
    last_users AS (
        SELECT anonymous_id AS last_device, argMax(user_id, last_seen) AS last_user
        FROM touchline_work.identities
        GROUP BY anonymous_id
    ),
    next_users AS (
        SELECT anonymous_id AS next_device, user_id AS next_user, last_seen AS next_seen
        FROM touchline_work.identities
    ),
    clicks AS (
        SELECT message_id AS clicked, (channel, channel_reason, source, medium, campaign, term, content) AS said
        FROM wanted
        WHERE origin = 'link' AND channel_reason IN ('explicit', 'utm', 'click_id', 'referrer')
    ),
    linked AS (
        SELECT
            e.*,
            c.clicked != '' AND e.channel_reason NOT IN ('explicit', 'utm', 'click_id') AS adopts,
            if(adopts, c.said,
                (e.channel, e.channel_reason, e.source, e.medium, e.campaign, e.term, e.content)) AS said,
            multiIf(
                e.user_id != '', e.user_id,
                e.anonymous_id = '', '',
                n.next_user != '', n.next_user,
                l.last_user) AS owner
        FROM wanted AS e
        ASOF LEFT JOIN next_users AS n ON e.anonymous_id = n.next_device AND e.timestamp <= n.next_seen
        LEFT JOIN last_users AS l ON e.anonymous_id = l.last_device
        LEFT JOIN clicks AS c ON e.link = c.clicked
    )
SELECT
    multiIf(a.canonical != '', a.canonical, k.owner != '', k.owner, k.anonymous_id) AS person,
    k.owner != '' AS identified,
    k.anonymous_id AS anonymous_id,
    if(k.anonymous_id != '', concat('a', k.anonymous_id), if(person != '', concat('u', person), '')) AS session_key,
    k.timestamp, k.client_timestamp, k.seq, k.message_id,
    k.type, k.event, k.origin,
    k.said.2 IN ('explicit', 'utm', 'click_id', 'referrer') AS has_evidence,
    k.type IN ('page', 'screen')
        OR k.origin = 'browser' AND (k.url != '' OR has_evidence)
        OR k.library = 'accesslog' AS opens,
    opens OR k.origin = 'browser' AS active,
    if(has_evidence, greatest(sipHash64(k.said.3, k.said.4, k.said.5, k.click_id), 2), 0) AS evidence,
    multiIf(k.click_id != '', sipHash64(k.click_id), k.adopts, sipHash64(k.link), 0) AS click,
    k.link,
    k.said.1, k.said.2, k.said.3, k.said.4, k.said.5, k.said.6, k.said.7, k.click_id,
    k.referrer,
    lower(domain(k.referrer)) AS referrer_host,
    k.path AS landing_page,
    k.country, k.device, k.currency, k.value, k.order_id,
    if(k.event IN {kinds:Array(String)}, k.properties, '') AS properties,
    if(k.type = 'identify', k.traits, '') AS traits
FROM linked AS k
LEFT JOIN touchline_work.aliases AS a ON a.user_id = k.owner
