-- +goose Up

-- Where a row is stored follows from what the client sent and a retry repeats (client_day, client_key, message_id), so
-- two copies of a message always meet in one partition and one place of the order. version falls with the time of
-- receipt: of several copies the one received first is kept. Inserts reach the disk before they are answered, because the
-- spool then gives the events up.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS events_raw
(
    project          LowCardinality(String)      COMMENT 'Project the event belongs to',
    message_id       String                      COMMENT 'Identifier of the message, unique in its project; repeated by retries' CODEC(ZSTD(1)),
    type             LowCardinality(String)      COMMENT 'track, page, screen, identify, group or alias',
    event            LowCardinality(String)      COMMENT 'Name of the event (track), of the page (page) or of the screen (screen)',
    anonymous_id     String                      COMMENT 'Device: identifier that a browser or app made for itself' CODEC(ZSTD(1)),
    user_id          String                      COMMENT 'User as the sender knows them; empty when not identified' CODEC(ZSTD(1)),
    account_id       String                      COMMENT 'Account (group) the event itself names' CODEC(ZSTD(1)),
    previous_id      String                      COMMENT 'alias: the identifier that user_id replaces' CODEC(ZSTD(1)),
    timestamp        DateTime64(3, 'UTC')        COMMENT 'When it happened: the client''s time, corrected for the client''s clock skew',
    client_timestamp DateTime64(3, 'UTC')        COMMENT 'When it happened by the client''s own clock; 1970-01-01 when not sent',
    sent_at          DateTime64(3, 'UTC')        COMMENT 'When the client sent it by its own clock; 1970-01-01 when not sent',
    received_at      DateTime64(3, 'UTC')        COMMENT 'When the collector received it',
    time_replaced    Bool                        COMMENT 'timestamp lay too far in the future and was replaced by received_at',
    seq              UInt32                      COMMENT 'Position in the batch or file; orders events of the same millisecond',
    url              String                      COMMENT 'Full address of the page' CODEC(ZSTD(1)),
    host             LowCardinality(String)      COMMENT 'Host of the page',
    path             String                      COMMENT 'Path of the page' CODEC(ZSTD(1)),
    title            String                      COMMENT 'Title of the page' CODEC(ZSTD(1)),
    referrer         String                      COMMENT 'Address of the page that led here' CODEC(ZSTD(1)),
    source           LowCardinality(String)      COMMENT 'Campaign source (utm_source), or the source derived from click id or referrer',
    medium           LowCardinality(String)      COMMENT 'Campaign medium (utm_medium), or the medium derived from click id or referrer',
    campaign         LowCardinality(String)      COMMENT 'Campaign name (utm_campaign)',
    term             String                      COMMENT 'Search term (utm_term)' CODEC(ZSTD(1)),
    content          String                      COMMENT 'Variant of the ad or link (utm_content)' CODEC(ZSTD(1)),
    click_id         String                      COMMENT 'Click identifier of an ad network' CODEC(ZSTD(1)),
    click_id_type    LowCardinality(String)      COMMENT 'Parameter that carried click_id: gclid, fbclid, msclkid, ...',
    channel          LowCardinality(String)      COMMENT 'Marketing channel',
    channel_reason   LowCardinality(String)      COMMENT 'Evidence for the channel: explicit, utm, click_id, referrer, self_referral, payment or none',
    country          LowCardinality(String)      COMMENT 'Country of the address, ISO 3166-1 alpha-2',
    region           LowCardinality(String)      COMMENT 'Region of the address, where the geo file knows it',
    city             LowCardinality(String)      COMMENT 'City of the address, where the geo file knows it',
    browser          LowCardinality(String)      COMMENT 'Browser',
    browser_version  LowCardinality(String)      COMMENT 'Version of the browser',
    os               LowCardinality(String)      COMMENT 'Operating system',
    os_version       LowCardinality(String)      COMMENT 'Version of the operating system',
    device           LowCardinality(String)      COMMENT 'desktop, mobile, tablet, tv, console or empty',
    is_bot           Bool                        COMMENT 'Sent by a program; left out of persons, sessions and journeys',
    bot_reason       LowCardinality(String)      COMMENT 'Why is_bot is set',
    language         LowCardinality(String)      COMMENT 'Language of the client, BCP 47',
    timezone         LowCardinality(String)      COMMENT 'Time zone of the client, IANA name',
    screen           LowCardinality(String)      COMMENT 'Screen size, WIDTHxHEIGHT',
    value            Decimal(18, 6)              COMMENT 'Value of the event (revenue, total or value) in currency; 0 when none was sent',
    currency         LowCardinality(String)      COMMENT 'Currency of value, ISO 4217',
    order_id         String                      COMMENT 'Order the event belongs to' CODEC(ZSTD(1)),
    properties       String                      COMMENT 'Properties of the event, a JSON object: JSONExtract...(properties, ''name'')' CODEC(ZSTD(1)),
    traits           String                      COMMENT 'Traits of the user or account, a JSON object' CODEC(ZSTD(1)),
    context          String                      COMMENT 'What else the client said of its surroundings, a JSON object' CODEC(ZSTD(1)),
    consent          LowCardinality(String)      COMMENT 'Consent that the event was recorded under',
    library          LowCardinality(String)      COMMENT 'Name and version of the client library, or of the importer',
    origin           LowCardinality(String)      COMMENT 'browser, server, pixel, link or import',
    client_day       Date                        COMMENT 'Day of client_timestamp; 1970-01-01 when that is absent or absurd. Decides the partition',
    client_key       UInt64                      COMMENT 'Hash of the identifiers as sent. Part of the order',
    message_key      UInt128 MATERIALIZED reinterpretAsUInt128(sipHash128(message_id)) COMMENT 'Hash of message_id. Part of the order' CODEC(NONE),
    version          UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Milli(received_at))) COMMENT 'Falls with received_at: the first receipt wins',
    inserted_at      DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC') COMMENT 'When the row came into the table: attribution takes up what is new by it',
    INDEX inserted_minmax inserted_at TYPE minmax GRANULARITY 1,
    INDEX timestamp_minmax timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(client_day)
ORDER BY (project, client_day, client_key, message_key)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Events as inserted; a message that came twice may be here twice. Read the view events instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS events AS
SELECT * FROM events_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Every event once: page views, tracked events, identifications. One row a message';
-- +goose StatementEnd
