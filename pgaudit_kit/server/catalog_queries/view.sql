-- VIEW. Servers 12+. Mirrors getTables and dumpTableSchema (createViewAsClause) of pg_dump.c. The definition is
-- pg_get_viewdef without its final semicolon; column_attributes holds attributes by name.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    pg_get_userbyid(c.relowner) AS owner,
    d.description AS comment,
    regexp_replace(pg_get_viewdef(c.oid), ';\Z', '') AS definition,
    CASE WHEN c.reloptions IS NOT NULL THEN (
        SELECT string_agg(quote_ident(o.option_name) || '='
            || CASE WHEN quote_ident(o.option_value) = o.option_value THEN o.option_value
                    ELSE '''' || replace(o.option_value, '''', '''''') || '''' END, ', ' ORDER BY o.place)
        FROM pg_options_to_table(c.reloptions) WITH ORDINALITY AS o(option_name, option_value, place)
        WHERE o.option_name <> 'check_option'
    ) END AS options,
    CASE WHEN c.reloptions IS NOT NULL THEN (
        SELECT upper(o.option_value) FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'check_option'
    ) END AS check_option,
    (
        SELECT json_object_agg('column ' || a.attname || ' ' || s.attribute, s.value)::text
        FROM pg_attribute a
        LEFT JOIN pg_attrdef ad ON ad.adrelid = c.oid AND ad.adnum = a.attnum
        LEFT JOIN pg_description cd ON cd.classoid = 'pg_class'::regclass AND cd.objoid = c.oid AND cd.objsubid = a.attnum
        CROSS JOIN LATERAL (VALUES ('comment', cd.description), ('default', pg_get_expr(ad.adbin, ad.adrelid))) AS s(attribute, value)
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND s.value IS NOT NULL
    ) AS column_attributes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.relkind = 'v'
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
