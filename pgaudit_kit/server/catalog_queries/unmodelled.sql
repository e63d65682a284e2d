-- What is in the catalog and not compared: one row per thing, kind = pg_dump's TOC desc, name = its tag. Servers 12+. Mirrors
-- the get... functions of pg_dump.c that the sections name.
WITH relation AS (
    SELECT c.oid, c.relname, c.relkind, n.nspname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence <> 't'
      AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
      AND c.oid NOT IN (
        SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
      )
)
-- dumpIndex: not of the index behind a constraint
SELECT
    'INDEX' AS kind,
    r.nspname AS schema,
    r.relname AS name,
    'statistics target of a column of the index of a constraint; pg_dump leaves it out' AS reason
FROM relation r
JOIN pg_constraint o ON o.conindid = r.oid AND o.contype = 'x'
WHERE r.relkind IN ('i', 'I')
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attstattarget >= 0)
-- getIndexes leaves these out of every dump, and their constraint with them
UNION ALL
SELECT 'INDEX', r.nspname, ic.relname, 'invalid index; pg_dump leaves it out'
FROM pg_index i
JOIN pg_class ic ON ic.oid = i.indexrelid
JOIN relation r ON r.oid = i.indrelid
JOIN pg_constraint o ON o.conrelid = i.indrelid AND o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x')
WHERE r.relkind IN ('r', 'p', 'm')
  AND NOT (i.indisready AND (i.indisvalid OR r.relkind = 'p'))
