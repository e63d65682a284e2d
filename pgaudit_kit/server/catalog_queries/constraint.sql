-- CONSTRAINT: primary keys, unique and exclusion constraints. Servers 12+. Mirrors getIndexes and dumpConstraint of
-- pg_dump.c: those of partitions are printed too; one whose index is not ready or not valid is not. Not-null constraints
-- (18) belong to their column, except NOT VALID ones, which pg_dump prints as CONSTRAINT.
SELECT
    n.nspname AS schema,
    t.relname AS parent,
    o.conname AS name,
    pg_get_constraintdef(o.oid) AS definition,
    d.description AS comment,
    xd.description AS index_comment,
    CASE WHEN ic.reloptions IS NOT NULL THEN (
        SELECT string_agg(quote_ident(r.option_name) || '='
            || CASE WHEN quote_ident(r.option_value) = r.option_value THEN r.option_value
                    ELSE '''' || replace(r.option_value, '''', '''''') || '''' END, ', ' ORDER BY r.place)
        FROM pg_options_to_table(ic.reloptions) WITH ORDINALITY AS r(option_name, option_value, place)
        WHERE o.contype <> 'x'  -- pg_get_constraintdef prints them itself there
    ) END AS options,
    CASE WHEN ic.oid IS NOT NULL THEN coalesce(ts.spcname, '') END AS tablespace,
    quote_ident(pn.nspname) || '.' || quote_ident(pc.relname) AS attached_to,
    CASE WHEN i.indisclustered THEN 'true' END AS clustered
FROM pg_constraint o
JOIN pg_class t ON t.oid = o.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_class ic ON ic.oid = o.conindid AND o.contype IN ('p', 'u', 'x')
LEFT JOIN pg_index i ON i.indexrelid = ic.oid
LEFT JOIN pg_inherits h ON h.inhrelid = ic.oid
LEFT JOIN pg_class pc ON pc.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = pc.relnamespace
LEFT JOIN pg_tablespace ts ON ts.oid = ic.reltablespace
LEFT JOIN pg_description xd ON xd.classoid = 'pg_class'::regclass AND xd.objoid = ic.oid AND xd.objsubid = 0
LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = o.oid AND d.objsubid = 0
WHERE t.relkind IN ('r', 'p', 'f')
  AND t.relpersistence <> 't'
  AND (
    (o.contype IN ('p', 'u', 'x') AND i.indisready AND (i.indisvalid OR t.relkind = 'p'))
    OR (o.contype = 'n' AND NOT o.convalidated AND o.conislocal)
  )
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
