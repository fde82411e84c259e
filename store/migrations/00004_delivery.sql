-- +goose Up

-- What delivery keeps beside the events. A batch is repeated after a crash, so a row's place in the order follows from the
-- batch or the event alone: repeats meet, in whatever part they lie, and are one when read.

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS rejected_raw
(
    project     LowCardinality(String) COMMENT 'Project the event was sent to',
    message_id  String                 COMMENT 'Identifier of the message; empty when it had none that could be read' CODEC(ZSTD(1)),
    reason      LowCardinality(String) COMMENT 'Why, in a word or two',
    detail      String                 COMMENT 'Why, as whoever refused it said it' CODEC(ZSTD(1)),
    refused_by  LowCardinality(String) COMMENT 'collector or database',
    received_at DateTime64(3, 'UTC')   COMMENT 'When the collector received it',
    rejected_at DateTime64(3, 'UTC')   COMMENT 'When it was refused',
    size        UInt64                 COMMENT 'Bytes of payload',
    hash        String                 COMMENT 'SHA-256 of payload, in hexadecimal digits',
    payload     String                 COMMENT 'The event, a JSON object with the columns of events_raw that are not empty: INSERT ... FORMAT JSONEachRow takes it' CODEC(ZSTD(1)),
    version     UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Milli(received_at))) COMMENT 'Falls with received_at: the first receipt wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project, message_id, if(message_id = '', hash, ''))
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Refused events as inserted; one that came twice may be here twice. Read the view rejected instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS rejected AS
SELECT * FROM rejected_raw FINAL
COMMENT 'Events that were refused, with the reason. One row a message';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS ledger_raw
(
    project     LowCardinality(String) COMMENT 'Project',
    collector   LowCardinality(String) COMMENT 'Spool that the events came through; empty where none was involved',
    outcome     LowCardinality(String) COMMENT 'delivered, rejected, imported or expired; expiring while a deletion is under way',
    reason      LowCardinality(String) COMMENT 'Of rejected events: why',
    batch       String                 COMMENT 'Batch within the spool, the import or the deletion' CODEC(ZSTD(1)),
    events      UInt64                 COMMENT 'Events, copies of a message each counted',
    recorded_at DateTime64(3, 'UTC')   COMMENT 'When this was booked'
)
ENGINE = ReplacingMergeTree
ORDER BY (project, collector, outcome, reason, batch)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What became of events as booked; a batch that came twice may be here twice. Read the view ledger instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS ledger AS
SELECT * FROM ledger_raw FINAL
COMMENT 'What became of events: one row a batch, project and outcome. stored = delivered + imported - duplicates - expired';
-- +goose StatementEnd
