-- FindConversions: conversions of one kind. Events with the same order are one conversion: its earliest time, and the
-- amount a server reported, if one did. Refunds and cancellations of the order reduce its value at its own time.
INSERT INTO touchline_work.conversions
WITH
    events AS (
        SELECT
            *,
            (timestamp, client_timestamp, seq, message_id) AS place,
            if({value:String} IN ('', 'revenue', 'total', 'value'),
                value,
                toDecimal64OrZero(trim(BOTH '"' FROM JSONExtractRaw(properties, {value:String})), 6)) AS worth
        FROM touchline_work.person_events
        WHERE type = 'track' AND event = {kind:String}
    ),
    orders AS (
        SELECT
            order_id,
            argMin(message_id, place) AS conversion_id,
            argMin(person, place) AS person,
            argMin(identified, place) AS identified,
            argMin(timestamp, place) AS timestamp,
            argMin(country, place) AS country,
            argMin((worth, currency), (origin != 'server', place)) AS told
        FROM events
        GROUP BY order_id, if(order_id = '', message_id, '')
    ),
    refunds AS (
        SELECT order_id, sum(value) AS amount, max(event = 'Order Cancelled' OR value = 0) AS whole
        FROM touchline_work.person_events
        WHERE type = 'track' AND event IN ('Order Refunded', 'Order Cancelled') AND order_id != ''
        GROUP BY order_id
    ),
    netted AS (
        SELECT
            o.*, o.told.1 AS amount, o.told.2 AS currency,
            if(r.order_id = '', 0, if(r.whole, amount, least(amount, r.amount))) AS refunded
        FROM orders AS o
        LEFT JOIN refunds AS r ON o.order_id != '' AND r.order_id = o.order_id
    )
SELECT
    {project:String}, {kind:String}, conversion_id, person, identified, timestamp, order_id,
    if(person = '', 1, row_number() OVER (PARTITION BY person, identified ORDER BY timestamp, conversion_id)),
    amount, refunded, currency,
    if(currency IN ('', {currency:String}), greatest(if({gross:Bool}, amount, amount - refunded), 0), 0),
    country
FROM netted
