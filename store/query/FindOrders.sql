-- FindOrders: all conversions of the project, before it is known whose they are. Events of one kind with the same order
-- are one conversion: its earliest time, and the amount a server reported, if one did. Refunds and cancellations of the
-- order reduce its value at its own time. An amount in another currency is converted by the rate of the conversion's day.
INSERT INTO touchline_work.orders
WITH
    reported AS (
        SELECT
            device_key, message_key, message_id, event, order_id, origin, timestamp, currency, value,
            (timestamp, client_timestamp, seq, message_id) AS place,
            transform(toString(event), {kinds:Array(String)}, {values:Array(String)}, '') AS property,
            if(property IN ('', 'revenue', 'total', 'value'),
                value,
                toDecimal64OrZero(trim(BOTH '"' FROM JSONExtractRaw(properties, property)), 6)) AS worth
        FROM touchline.device_events
        WHERE project = {project:String} AND type = 'track'
            AND (event IN {kinds:Array(String)} OR event IN ('Order Refunded', 'Order Cancelled'))
        ORDER BY version DESC
        LIMIT 1 BY device_key, message_key
    ),
    earliest AS (
        SELECT
            event AS kind, order_id,
            argMin(device_key, place) AS device_key,
            argMin(message_key, place) AS message_key,
            toDate(toTimeZone(min(timestamp), {timezone:String})) AS day,
            argMin((worth, currency), (origin != 'server', place)) AS told
        FROM reported
        WHERE event IN {kinds:Array(String)}
        GROUP BY kind, order_id, if(order_id = '', message_id, '')
    ),
    refunds AS (
        SELECT order_id, sum(value) AS amount, max(event = 'Order Cancelled' OR value = 0) AS whole
        FROM reported
        WHERE event IN ('Order Refunded', 'Order Cancelled') AND order_id != ''
        GROUP BY order_id
    ),
    netted AS (
        SELECT
            e.*, e.told.1 AS amount, toString(e.told.2) AS currency,
            if(r.order_id = '', 0, if(r.whole, amount, least(amount, r.amount))) AS refunded
        FROM earliest AS e
        LEFT JOIN refunds AS r ON e.order_id != '' AND r.order_id = e.order_id
    )
SELECT
    {project:String}, kind, device_key, message_key, order_id, amount, refunded, currency,
    ifNull(net, 0), ifNull(full, 0), rated AND net IS NOT NULL AND full IS NOT NULL OR amount = 0
FROM (
    SELECT
        n.*,
        n.currency IN ('', {currency:String}) OR x.currency != '' AS rated,
        if(n.currency IN ('', {currency:String}), toDecimal256(1, 18), toDecimal256(x.factor, 18)) AS factor,
        -- NULL is more than a Decimal(18, 6) holds
        accurateCastOrNull(greatest(round(toDecimal256(n.amount - n.refunded, 6) * factor, 6), 0), 'Decimal(18, 6)') AS net,
        accurateCastOrNull(greatest(round(toDecimal256(n.amount, 6) * factor, 6), 0), 'Decimal(18, 6)') AS full
    FROM netted AS n
    LEFT JOIN (SELECT * FROM touchline.exchange_rates WHERE base = {currency:String} AND currency IN (SELECT currency FROM netted)) AS x
        ON x.currency = n.currency AND x.day = n.day)
