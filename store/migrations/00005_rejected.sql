-- +goose Up

-- What was refused can be replayed once the cause is mended. A row is marked by inserting it again: version is the same, and
-- of rows of one version the last inserted is kept.

-- +goose StatementBegin
ALTER TABLE rejected_raw
    ADD COLUMN IF NOT EXISTS replayed_at DateTime64(3, 'UTC') COMMENT 'When it was brought in after all; 1970-01-01 while it is refused' AFTER payload,
    COMMENT COLUMN size 'Bytes of payload, or of what was sent where that is not kept',
    COMMENT COLUMN hash 'SHA-256 of the same, in hexadecimal digits',
    COMMENT COLUMN payload 'refused_by database: a JSON object with the columns of events_raw that are not empty, INSERT ... FORMAT JSONEachRow takes it. refused_by collector: the message, filtered by the privacy rules, and what was known of its sender; empty when it could not be parsed'
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE VIEW rejected AS
SELECT * FROM rejected_raw FINAL
COMMENT 'Events that were refused, with the reason. One row a message'
-- +goose StatementEnd

-- +goose StatementBegin
ALTER TABLE ledger_raw
    COMMENT COLUMN outcome 'delivered, rejected, imported or expired; unkept: rejected too, beyond what is kept of a flood; replayed: no longer rejected; expiring while a deletion is under way',
    COMMENT COLUMN reason 'Of rejected, unkept and replayed events: why they were refused',
    COMMENT COLUMN batch 'Batch within the spool, the import or the deletion; of a replayed event what was sent'
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE VIEW ledger AS
SELECT * FROM ledger_raw FINAL
COMMENT 'What became of events: one row a batch, project and outcome. stored = delivered + imported + replayed - duplicates - expired'
-- +goose StatementEnd
