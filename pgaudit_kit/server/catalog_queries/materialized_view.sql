-- MATERIALIZED VIEW. Servers 12+. Mirrors getTables and dumpTableSchema of pg_dump.c; column_comments as in view.sql.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    pg_get_userbyid(c.relowner) AS owner,
    d.description AS comment,
    regexp_replace(pg_get_viewdef(c.oid), ';\Z', '') AS definition,
    coalesce(ts.spcname, '') AS tablespace,
    am.amname AS access_method,
    (
        SELECT string_agg(o.prefix || quote_ident(o.option_name) || '='
            || CASE WHEN quote_ident(o.option_value) = o.option_value THEN o.option_value
                    ELSE '''' || replace(o.option_value, '''', '''''') || '''' END, ', ' ORDER BY o.prefix, o.place)
        FROM (
            SELECT '' AS prefix, m.* FROM pg_options_to_table(c.reloptions) WITH ORDINALITY AS m(option_name, option_value, place)
            UNION ALL
            SELECT 'toast.', m.* FROM pg_options_to_table(tc.reloptions) WITH ORDINALITY AS m(option_name, option_value, place)
        ) o
    ) AS options,
    (
        SELECT json_object_agg(a.attname, cd.description)::text
        FROM pg_description cd
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = cd.objsubid
        WHERE cd.classoid = 'pg_class'::regclass AND cd.objoid = c.oid AND cd.objsubid > 0
    ) AS column_comments
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
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
