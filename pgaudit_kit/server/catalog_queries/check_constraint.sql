-- CHECK CONSTRAINT of tables, foreign tables and domains. Servers 12+. Mirrors getTableAttrs, getDomainConstraints, dumpTableSchema and
-- dumpConstraint of pg_dump.c: inherited ones are printed for partitions only (ATTACH PARTITION expects them there), and
-- then only inside CREATE TABLE, which leaves out what is NOT VALID.
SELECT
    n.nspname AS schema,
    t.relname AS parent,
    o.conname AS name,
    pg_get_constraintdef(o.oid) AS definition,
    CASE WHEN o.conislocal THEN d.description END AS comment  -- pg_dump prints no comment of an inherited one
FROM pg_constraint o
JOIN pg_class t ON t.oid = o.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = o.oid AND d.objsubid = 0
WHERE o.contype = 'c'
  AND t.relkind IN ('r', 'p', 'f')
  AND t.relpersistence <> 't'
  AND (o.conislocal OR (t.relispartition AND o.convalidated))
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
UNION ALL
SELECT n.nspname, t.typname, o.conname, pg_get_constraintdef(o.oid), d.description
FROM pg_constraint o
JOIN pg_type t ON t.oid = o.contypid
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = o.oid AND d.objsubid = 0
WHERE o.contype = 'c'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_type'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
