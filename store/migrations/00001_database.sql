-- +goose Up

-- The database itself is made before this runs, because goose keeps its version table in it. Names in migrations are
-- unqualified: they mean the database of the connection.
SELECT 1;
