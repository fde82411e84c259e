-- +goose Up

-- Whoever runs jobs, and doctor, must know what others have done: processes come and go, and may be on other machines.

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS runs
(
    project LowCardinality(String) COMMENT 'Project',
    started DateTime64(3, 'UTC')   COMMENT 'When the run began',
    ended   DateTime64(3, 'UTC')   COMMENT 'When it was done, or failed',
    result  LowCardinality(String) COMMENT 'done or failed; a run that was interrupted leaves no row',
    error   String                 COMMENT 'Why it failed',
    as_of   DateTime64(3, 'UTC')   COMMENT 'Time of the newest event that the run has seen; 1970-01-01 when it failed'
)
ENGINE = MergeTree ORDER BY (project, started) TTL toDateTime(started) + INTERVAL 90 DAY
COMMENT 'Scheduled runs of attribution, of the last 90 days';
-- +goose StatementEnd
