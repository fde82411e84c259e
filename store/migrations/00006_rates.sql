-- +goose Up

-- What people bring in for attribution besides events: rates of exchange, and links of devices that are to be undone.

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS rates_raw
(
    day         Date                   COMMENT 'Day that the rate is of',
    currency    LowCardinality(String) COMMENT 'Currency, ISO 4217',
    base        LowCardinality(String) COMMENT 'Currency that an amount is converted to',
    rate        Decimal(38, 18)        COMMENT 'Units of base for one of currency: an amount in currency times rate is the amount in base',
    inverse     Decimal(38, 18)        COMMENT 'Units of currency for one of base',
    quoted      LowCardinality(String) COMMENT 'rate or inverse: which of the two was imported; the other is 1 divided by it, to 18 decimals',
    imported_at DateTime64(3, 'UTC')   COMMENT 'When it was imported; an import that repeats what is there changes nothing'
)
ENGINE = ReplacingMergeTree(imported_at) ORDER BY (currency, base, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Rates of exchange as imported; one that was corrected is here twice. Read the view rates instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS rates AS
SELECT * FROM rates_raw FINAL
COMMENT 'Rates of exchange as imported, the latest of each day and pair. exchange_rates is what conversions are made with';
-- +goose StatementEnd

-- A rate holds on its day and until the pair has another one, for 7 more days at most. A pair that was imported goes before
-- its inverse, and both before a rate by way of a third currency. Such a one is divided once, by what was quoted, so that it
-- has no more error than the other two.

-- +goose StatementBegin
CREATE OR REPLACE VIEW exchange_rates
(
    day      Date            COMMENT 'Day that the factor holds on; one without a rate of its own has the last one of the 7 days before',
    currency String          COMMENT 'Currency of an amount',
    base     String          COMMENT 'Currency to convert it to',
    factor   Decimal(38, 18) COMMENT 'round(toDecimal256(amount, 6) * factor, 6) is the amount in base'
)
AS
WITH
    followed AS (
        SELECT
            *,
            leadInFrame(day, 1, day + 8) OVER (
                PARTITION BY currency, base ORDER BY day ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS next
        FROM rates
    ),
    held AS (
        SELECT
            toDate(arrayJoin(range(toUInt16(day), toUInt16(least(next, day + 8))))) AS day,
            toString(currency) AS currency, toString(base) AS base, rate, inverse, quoted
        FROM followed
    ),
    pairs AS (
        SELECT
            day, currency, base, rate AS factor, 0 AS derived,
            if(quoted = 'rate', rate, 1) AS times, if(quoted = 'rate', 1, inverse) AS divisor
        FROM held
        UNION ALL
        SELECT
            day, base, currency, inverse, 1,
            if(quoted = 'rate', 1, inverse), if(quoted = 'rate', rate, 1)
        FROM held
    ),
    ways AS (
        SELECT day, currency, base, factor, derived, '' AS via FROM pairs
        UNION ALL
        SELECT
            p.day, p.currency, q.base,
            CAST(round(divideDecimal(toDecimal256(p.times, 18) * q.times, toDecimal256(p.divisor, 18) * q.divisor, 20), 18) AS Decimal(38, 18)),
            2 + 2 * p.derived + q.derived, p.base
        FROM pairs AS p
        INNER JOIN pairs AS q ON p.day = q.day AND p.base = q.currency
        WHERE p.currency != q.base
    )
SELECT day, currency, base, argMin(factor, (derived, via)) AS factor
FROM ways
GROUP BY day, currency, base
COMMENT 'What to multiply an amount with on a day: imported rates, their inverses, and those by way of a third currency. One row a day and pair';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS unlinks
(
    project      String               COMMENT 'Project',
    anonymous_id String               COMMENT 'Device',
    user_id      String               COMMENT 'User, as events name it',
    unlinked_at  DateTime64(3, 'UTC') COMMENT 'Events up to then that name both no longer link the device to the user; later ones do',
    reason       String               COMMENT 'Why, as whoever did it said; may be empty',
    inserted_at  DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC') COMMENT 'When the row came into the table: attribution takes up what is new by it'
)
ENGINE = MergeTree ORDER BY (project, anonymous_id, user_id, unlinked_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Links of devices to users that were undone, a row each time. The events stay as they are';
-- +goose StatementEnd
