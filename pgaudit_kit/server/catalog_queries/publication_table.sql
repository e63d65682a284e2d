-- PUBLICATION TABLE: a table that is published by name. Servers 12+. Mirrors getPublicationTables and dumpPublicationTable of
-- pg_dump.c: tables of extensions are left out.
SELECT
    n.nspname AS schema,
    c.relname AS parent,
    p.pubname AS name,
    array(  -- [>=15]
        SELECT a.attname::text FROM unnest(m.prattrs) k(attnum) JOIN pg_attribute a ON a.attrelid = m.prrelid AND a.attnum = k.attnum  -- [>=15]
        ORDER BY a.attnum  -- [>=15]
    ) AS columns_list,  -- [>=15]
    pg_get_expr(m.prqual, m.prrelid) AS where  -- [>=15]
    NULL AS where  -- [<15]
FROM pg_publication_rel m
JOIN pg_publication p ON p.oid = m.prpubid
JOIN pg_class c ON c.oid = m.prrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
