-- How much of the revenue was refunded or cancelled, month by month (UTC)? By month of the order, not of the refund.
SELECT
    project, kind, toStartOfMonth(timestamp) AS month, currency, count() AS conversions,
    toFloat64(sum(amount)) AS gross,
    toFloat64(sum(refunded)) AS returned,
    round(100 * returned / nullIf(gross, 0), 1) AS percent
FROM conversions
GROUP BY project, kind, month, currency
ORDER BY project, kind, month, currency
