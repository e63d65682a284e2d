-- CAST. Servers 12+. Mirrors getCasts, selectDumpableCast and dumpCast of pg_dump.c: built-in ones have OIDs below 16384, those
-- between a range and its multirange come with the range.
SELECT
    'CAST (' || format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) || ')' AS name,
    d.description AS comment,
    CASE c.castmethod WHEN 'b' THEN 'WITHOUT FUNCTION' WHEN 'i' THEN 'WITH INOUT' ELSE 'WITH FUNCTION '
        || quote_ident(pn.nspname) || '.' || quote_ident(p.proname) || '(' || coalesce((
        SELECT string_agg(format_type(t.type, NULL), ', ' ORDER BY t.place) FROM unnest(p.proargtypes) WITH ORDINALITY AS t(type, place)
    ), '') || ')' END AS method,
    CASE c.castcontext WHEN 'a' THEN 'ASSIGNMENT' WHEN 'i' THEN 'IMPLICIT' END AS context
FROM pg_cast c
LEFT JOIN pg_proc p ON p.oid = c.castfunc
LEFT JOIN pg_namespace pn ON pn.oid = p.pronamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_cast'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_range r WHERE r.rngtypid = c.castsource AND r.rngmultitypid = c.casttarget)  -- [>=14]
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_cast'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
