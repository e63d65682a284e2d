-- FK CONSTRAINT. Servers 12+. Mirrors getConstraints and dumpConstraint of pg_dump.c: what a partition has from its
-- parent's foreign key (conparentid) is not printed.
SELECT
    n.nspname AS schema,
    t.relname AS parent,
    o.conname AS name,
    pg_get_constraintdef(o.oid) AS definition,
    d.description AS comment
FROM pg_constraint o
JOIN pg_class t ON t.oid = o.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = o.oid AND d.objsubid = 0
WHERE o.contype = 'f'
  AND o.conparentid = 0
  AND t.relkind IN ('r', 'p')
  AND t.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
