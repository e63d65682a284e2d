-- TRANSFORM. Servers 12+. Mirrors getTransforms and dumpTransform of pg_dump.c.
SELECT
    'TRANSFORM FOR ' || format_type(x.trftype, NULL) || ' LANGUAGE ' || quote_ident(l.lanname) AS name,
    d.description AS comment,
    quote_ident(fn.nspname) || '.' || quote_ident(f.proname) || '(' || coalesce((
        SELECT string_agg(format_type(t.type, NULL), ', ' ORDER BY t.place) FROM unnest(f.proargtypes) WITH ORDINALITY AS t(type, place)
    ), '') || ')' AS from_sql,
    quote_ident(gn.nspname) || '.' || quote_ident(g.proname) || '(' || coalesce((
        SELECT string_agg(format_type(t.type, NULL), ', ' ORDER BY t.place) FROM unnest(g.proargtypes) WITH ORDINALITY AS t(type, place)
    ), '') || ')' AS to_sql
FROM pg_transform x
JOIN pg_language l ON l.oid = x.trflang
LEFT JOIN pg_proc f ON f.oid = x.trffromsql
LEFT JOIN pg_namespace fn ON fn.oid = f.pronamespace
LEFT JOIN pg_proc g ON g.oid = x.trftosql
LEFT JOIN pg_namespace gn ON gn.oid = g.pronamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_transform'::regclass AND d.objoid = x.oid AND d.objsubid = 0
WHERE x.oid >= 16384
  AND x.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_transform'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
