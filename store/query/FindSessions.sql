-- FindSessions: the sessions of each device, as touchpoints. Thirty minutes of silence end a session, and so does new
-- evidence: other than direct, and different from what the running session has. A click id ends a session only where
-- it is first seen. A page that repeats the referrer of the page before it brings no new evidence: in a single-page
-- application the referrer never changes.
INSERT INTO touchline_work.touchpoints
WITH
    silences AS (
        SELECT
            *,
            row_number() OVER by_time = 1
                OR dateDiff('millisecond', lagInFrame(timestamp) OVER by_time, timestamp) > 30 * 60 * 1000 AS silence,
            click = 0 OR row_number() OVER (
                PARTITION BY session_key, click ORDER BY timestamp, client_timestamp, seq, message_id) = 1 AS first_click,
            channel_reason = 'referrer' AND referrer = lagInFrame(referrer) OVER by_time AS repeated
        FROM touchline_work.person_events
        WHERE active AND session_key != ''
        WINDOW by_time AS (
            PARTITION BY session_key ORDER BY timestamp, client_timestamp, seq, message_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    stretches AS (
        SELECT *, sum(silence) OVER (
            PARTITION BY session_key ORDER BY timestamp, client_timestamp, seq, message_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stretch
        FROM silences
    ),
    -- 1 stands for direct: what a stretch starts with when its first event has no evidence
    running AS (
        SELECT *, last_value(if(silence, greatest(evidence, 1), nullIf(evidence, 0))) IGNORE NULLS OVER (
            PARTITION BY session_key, stretch ORDER BY timestamp, client_timestamp, seq, message_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM stretches
    ),
    numbered AS (
        SELECT *, sum(silence OR (evidence != 0 AND evidence != before AND first_click AND NOT repeated)) OVER (
            PARTITION BY session_key ORDER BY timestamp, client_timestamp, seq, message_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session
        FROM running
    ),
    sessions AS (
        SELECT
            argMinIf(
                (message_id, person, identified, anonymous_id, timestamp, channel, channel_reason, source, medium, campaign,
                    term, content, click_id, referrer_host, landing_page, country, device),
                (timestamp, client_timestamp, seq, message_id), opens) AS opener,
            max(timestamp) AS ended
        FROM numbered
        GROUP BY session_key, session
        HAVING max(opens)
    )
SELECT
    {project:String}, opener.1, 'session', opener.2, opener.3, opener.4, opener.5, ended,
    opener.6, opener.7, opener.8, opener.9, opener.10, opener.11, opener.12, opener.13, opener.14, opener.15, opener.16,
    opener.17
FROM sessions
