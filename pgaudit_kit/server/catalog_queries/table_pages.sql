-- About how many bytes the tables that table_data.sql lists take, TOAST included, as of their last VACUUM or ANALYZE. Unlike
-- pg_table_size this waits for nobody's lock. Servers 12+.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    (c.relpages + coalesce(t.relpages, 0))::bigint * current_setting('block_size')::bigint AS size_bytes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE
-- [ordinary_tables]
