-- The columns that tell a table's rows apart: those of the primary key, else of the narrowest unique index over NOT NULL
-- columns (not partial, no expressions; a deferrable one holds in every snapshot). Servers 12+.
SELECT DISTINCT ON (c.oid)
    n.nspname AS schema,
    c.relname AS name,
    k.columns
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_index i ON i.indrelid = c.oid
CROSS JOIN LATERAL (
    SELECT
        array_agg(a.attname::text ORDER BY place) AS columns,
        bool_and(a.attnotnull AND a.attgenerated = '') AS certain,
        count(*) = i.indnkeyatts AS plain
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS key(attnum, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.attnum
    WHERE place <= i.indnkeyatts
) k
WHERE c.relkind = 'r'
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
  AND k.certain AND k.plain
ORDER BY c.oid, i.indisprimary DESC, i.indnkeyatts, i.indexrelid
