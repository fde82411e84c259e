-- AssignPersons: the person of each event, and what later steps need of it. An event belongs to its user; without one
-- to the user its device is next linked to, or was last; without any to the device. Bots are left out here.
--
-- opens: the event opens a session. Pages, screens and hits of a web server's log always do, other events of a browser
-- where they carry page or campaign context; what servers and imports report never does.
-- evidence: hash of (source, medium, campaign, click id), 0 where the event has no evidence of a channel.
INSERT INTO touchline_work.person_events
WITH
    wanted AS (
        SELECT *
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
    linked AS (
        SELECT
            e.*,
            multiIf(
                e.user_id != '', e.user_id,
                e.anonymous_id = '', '',
                n.next_user != '', n.next_user,
                l.last_user) AS owner
        FROM wanted AS e
        ASOF LEFT JOIN next_users AS n ON e.anonymous_id = n.next_device AND e.timestamp <= n.next_seen
        LEFT JOIN last_users AS l ON e.anonymous_id = l.last_device
    )
SELECT
    multiIf(a.canonical != '', a.canonical, k.owner != '', k.owner, k.anonymous_id) AS person,
    k.owner != '' AS identified,
    k.anonymous_id AS anonymous_id,
    if(k.anonymous_id != '', concat('a', k.anonymous_id), if(person != '', concat('u', person), '')) AS session_key,
    k.timestamp, k.client_timestamp, k.seq, k.message_id,
    k.type, k.event, k.origin,
    k.channel_reason IN ('explicit', 'utm', 'click_id', 'referrer') AS has_evidence,
    k.type IN ('page', 'screen')
        OR k.origin = 'browser' AND (k.url != '' OR has_evidence)
        OR k.library = 'accesslog' AS opens,
    opens OR k.origin = 'browser' AS active,
    if(has_evidence, greatest(sipHash64(k.source, k.medium, k.campaign, k.click_id), 2), 0) AS evidence,
    if(k.click_id != '', sipHash64(k.click_id), 0) AS click,
    k.channel, k.channel_reason, k.source, k.medium, k.campaign, k.term, k.content, k.click_id,
    k.referrer,
    lower(domain(k.referrer)) AS referrer_host,
    k.path AS landing_page,
    k.country, k.device, k.currency, k.value, k.order_id,
    if(k.event IN {kinds:Array(String)}, k.properties, '') AS properties,
    if(k.type = 'identify', k.traits, '') AS traits
FROM linked AS k
LEFT JOIN touchline_work.aliases AS a ON a.user_id = k.owner
