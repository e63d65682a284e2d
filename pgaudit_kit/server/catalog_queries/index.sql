-- INDEX of tables and materialized views. Servers 12+. Mirrors getIndexes and dumpIndex of pg_dump.c: none that backs a
-- constraint. One that is not ready or not valid is in no dump, except on partitioned tables, and is listed all the same.
SELECT
    n.nspname AS schema,
    t.relname AS parent,
    ic.relname AS name,
    pg_get_indexdef(i.indexrelid) AS definition,
    d.description AS comment,
    (
        SELECT json_object_agg('column ' || a.attnum || ' statistics', a.attstattarget::text)::text
        FROM pg_attribute a
        WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0
          AND i.indexprs IS NOT NULL  -- ALTER INDEX refuses it of a column of the table (tablecmds.c, ATExecSetStatistics)
    ) AS column_attributes,
    coalesce(ts.spcname, '') AS tablespace,
    quote_ident(pn.nspname) || '.' || quote_ident(pc.relname) AS attached_to,
    CASE WHEN i.indisready AND i.indisvalid THEN 'true' ELSE 'false' END AS valid,
    CASE WHEN i.indisclustered THEN 'true' END AS clustered
FROM pg_index i
JOIN pg_class ic ON ic.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_tablespace ts ON ts.oid = ic.reltablespace
LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_class pc ON pc.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = pc.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = i.indexrelid AND d.objsubid = 0
WHERE t.relkind IN ('r', 'p', 'm')
  AND t.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
