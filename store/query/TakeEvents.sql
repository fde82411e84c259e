-- TakeEvents: takes up what came into events since the watermark, and the links of alias calls. What is there already is
-- left out, but not a copy of it: it may have been received before. The reader of device_events sees the first of them. An
-- update that takes everything up reads events merged, so that no event is here twice then.
--
-- opens: the event opens a session. Pages, screens and hits of a web server's log always do, other events of a browser
-- where they carry page or campaign context; what servers and imports report never does.
INSERT INTO touchline.device_events
WITH
    channel_reason IN ('explicit', 'utm', 'click_id', 'referrer') AS has_evidence,
    arrayJoin(if(type = 'alias' AND previous_id != '' AND user_id != '', [false, true], [false])) AS linking
SELECT
    project,
    multiIf(linking, sipHash64('a', previous_id), anonymous_id != '', sipHash64('a', anonymous_id),
        user_id != '', sipHash64('u', user_id), sipHash64('m', message_id)) AS device_key,
    sipHash64(message_id, client_day, client_key, linking) AS message_key,
    9223372036854775807 - toUnixTimestamp64Milli(received_at) AS receipt,
    inserted_at, {run:UInt64}, message_id,
    if(linking, previous_id, anonymous_id), user_id, account_id, timestamp, client_timestamp, seq,
    if(linking, 'link', type), if(type = 'track', event, ''), origin,
    NOT linking AND (type IN ('page', 'screen') OR origin = 'browser' AND (url != '' OR has_evidence) OR library = 'accesslog') AS opens,
    opens OR NOT linking AND origin = 'browser' AS active,
    if(has_evidence AND NOT linking, greatest(sipHash64(source, medium, campaign, click_id), 2), 0),
    if(click_id != '' AND NOT linking, sipHash64(click_id), 0),
    if(referrer = '', 0, sipHash64(referrer)),
    if(origin = 'link', '', extractURLParameter(url, 'tl_touch')),
    channel, channel_reason, source, medium, campaign, term, content, click_id, lower(domain(referrer)), path, country, device,
    value, currency, order_id,
    if(type = 'track' AND event IN {kinds:Array(String)}, properties, ''),
    if(type IN ('identify', 'group'), traits, '')
FROM touchline.events_raw
WHERE project = {project:String} AND NOT is_bot
    AND toUnixTimestamp64Milli(inserted_at) >= {watermark:Int64}
    AND (anonymous_id != '' OR user_id != '' OR type = 'track')
    AND ({watermark:Int64} = 0 OR (sipHash64(message_id, client_day, client_key, linking), toUInt64(receipt)) NOT IN (
        SELECT message_key, bitAnd(version, 9223372036854775807)
        FROM touchline.device_events
        WHERE project = {project:String} AND toUnixTimestamp64Milli(inserted_at) >= {watermark:Int64}))
SETTINGS max_insert_threads = 2, min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 1000000000, optimize_on_insert = 0
