-- CreateAliases: the working table of canonical users, empty. A user who was never joined with another has no row.
CREATE OR REPLACE TABLE touchline_work.aliases
(
    user_id   String,
    canonical String
)
ENGINE = MergeTree ORDER BY user_id
