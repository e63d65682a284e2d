-- MATERIALIZED VIEW. Servers 12+. Mirrors getTables and dumpTableSchema of pg_dump.c; column_attributes as in view.sql.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    pg_get_userbyid(c.relowner) AS owner,
    d.description AS comment,
    regexp_replace(pg_get_viewdef(c.oid), ';\Z', '') AS definition,
    coalesce(ts.spcname, '') AS tablespace,
    am.amname AS access_method,
    CASE WHEN c.relispopulated THEN 'true' ELSE 'false' END AS populated,
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
    (
        SELECT json_object_agg('column ' || a.attname || ' ' || s.attribute, s.value)::text
        FROM pg_attribute a
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_description cd ON cd.classoid = 'pg_class'::regclass AND cd.objoid = c.oid AND cd.objsubid = a.attnum
        CROSS JOIN LATERAL (
            VALUES
                ('comment', cd.description),
                ('statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END),
                ('storage', CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage
                    WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
                ('compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),  -- [>=14]
                ('options', array_to_string(a.attoptions, ', '))
        ) AS s(attribute, value)
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND s.value IS NOT NULL
    ) AS column_attributes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid AND tc.relkind = 't'
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.relkind = 'm'
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
