-- Columns of all tables that are of one of the given built-in types. Servers 14+.
SELECT n.nspname AS schema, c.relname AS "table", a.attname AS name, t.typname AS type
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
WHERE
-- [ordinary_tables]
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND t.typnamespace = 'pg_catalog'::regnamespace
  AND t.typname = ANY (%(types)s::name[])
