-- TABLE: ordinary, partitioned and typed tables. Servers 12+. Mirrors getTables, selectDumpableTable, getInherits and
-- dumpTableSchema of pg_dump.c. Columns: column.sql. options: appendReloptionsArray of src/bin/pg_dump/dumputils.c.
SELECT
    c.oid AS relation,
    n.nspname AS schema,
    c.relname AS name,
    pg_get_userbyid(c.relowner) AS owner,
    d.description AS comment,
    coalesce(ts.spcname, '') AS tablespace,
    am.amname AS access_method,
    CASE WHEN c.reloptions IS NOT NULL OR tc.reloptions IS NOT NULL THEN (
        SELECT string_agg(o.prefix || quote_ident(o.option_name) || '='
            || CASE WHEN quote_ident(o.option_value) = o.option_value THEN o.option_value
                    ELSE '''' || replace(o.option_value, '''', '''''') || '''' END, ', ' ORDER BY o.prefix, o.place)
        FROM (
            SELECT '' AS prefix, m.* FROM pg_options_to_table(c.reloptions) WITH ORDINALITY AS m(option_name, option_value, place)
            UNION ALL
            SELECT 'toast.', m.* FROM pg_options_to_table(tc.reloptions) WITH ORDINALITY AS m(option_name, option_value, place)
        ) o
    ) END AS options,
    CASE c.relpersistence WHEN 'u' THEN 'unlogged' END AS persistence,
    CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
    CASE WHEN c.relispartition THEN p.parents END AS partition_of,
    CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
    CASE WHEN NOT c.relispartition THEN p.parents END AS inherits,
    nullif(concat_ws(', ', CASE WHEN c.relrowsecurity THEN 'enabled' END, CASE WHEN c.relforcerowsecurity THEN 'forced' END), '')
        AS row_security,
    CASE c.relreplident
        WHEN 'f' THEN 'FULL'
        WHEN 'n' THEN 'NOTHING'
        WHEN 'i' THEN (
            SELECT 'USING INDEX ' || ic.relname
            FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
            WHERE i.indrelid = c.oid AND i.indisreplident
        )
    END AS replica_identity,
    CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid AND tc.relkind = 't'
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
LEFT JOIN (
    SELECT i.inhrelid, string_agg(quote_ident(pn.nspname) || '.' || quote_ident(pc.relname), ', ' ORDER BY i.inhseqno) AS parents
    FROM pg_inherits i
    JOIN pg_class pc ON pc.oid = i.inhparent
    JOIN pg_namespace pn ON pn.oid = pc.relnamespace
    GROUP BY i.inhrelid
) p ON p.inhrelid = c.oid
WHERE c.relkind IN ('r', 'p')
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
