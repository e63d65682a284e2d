-- Columns of one table whose values are equal, for the server's hash functions, only when they print the same: these can be hashed as
-- they are. All others (1.0 and 1.00, 1 day and 24 hours, enums, which are hashed by OID …) have to be hashed as text. Servers 14+.
SELECT a.attname AS name, t.typname AS type
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE n.nspname = %(schema)s
  AND c.relname = %(table)s
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND t.typnamespace = 'pg_catalog'::regnamespace
  AND t.typname IN ('bool', 'int2', 'int4', 'int8', 'date', 'time', 'timestamp', 'timestamptz', 'uuid', 'bytea', 'text', 'varchar',
                    'name', 'macaddr', 'macaddr8', 'pg_lsn')
  AND coalesce(l.collisdeterministic, true)
