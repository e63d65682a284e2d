-- Bytes on disk of the tables that table_data.sql lists, TOAST included, indexes not; and of heaps, the pages that hold their rows
-- (0 of other access methods). Servers 12+.
SELECT n.nspname AS schema, c.relname AS name, pg_table_size(c.oid) AS size_bytes,
       CASE WHEN a.amname = 'heap' THEN pg_relation_size(c.oid) / current_setting('block_size')::integer ELSE 0 END AS pages
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am a ON a.oid = c.relam
WHERE
-- [ordinary_tables]
