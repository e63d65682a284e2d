-- PROCEDURAL LANGUAGE. Servers 12+. Mirrors getProcLangs, getFuncs and dumpProcLang of pg_dump.c: the functions are printed only
-- when all of them are among those that pg_dump reads, which those of pg_catalog are not, unless a cast or a transform uses
-- them or their privileges were changed. Without them the language's name alone is printed.
SELECT
    l.lanname AS name,
    pg_get_userbyid(l.lanowner) AS owner,
    d.description AS comment,
    CASE WHEN x.told AND l.lanpltrusted THEN 'true' END AS trusted,
    CASE WHEN x.told THEN x.names[1] END AS handler,
    CASE WHEN x.told THEN x.names[2] END AS inline,
    CASE WHEN x.told THEN x.names[3] END AS validator
FROM pg_language l
CROSS JOIN LATERAL (
    SELECT
        bool_and(f.oid = 0 OR pn.nspname <> 'pg_catalog'
            OR EXISTS (SELECT FROM pg_cast c WHERE c.oid >= 16384 AND c.castfunc = f.oid)
            OR EXISTS (SELECT FROM pg_transform t WHERE t.oid >= 16384 AND f.oid IN (t.trffromsql, t.trftosql))
            OR p.proacl IS DISTINCT FROM (
                SELECT i.initprivs FROM pg_init_privs i WHERE i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.objsubid = 0
            )) AS told,
        array_agg(quote_ident(pn.nspname) || '.' || quote_ident(p.proname) ORDER BY f.place) AS names
    FROM unnest(array[l.lanplcallfoid, l.laninline, l.lanvalidator]) WITH ORDINALITY AS f(oid, place)
    LEFT JOIN pg_proc p ON p.oid = f.oid
    LEFT JOIN pg_namespace pn ON pn.oid = p.pronamespace
) x
LEFT JOIN pg_description d ON d.classoid = 'pg_language'::regclass AND d.objoid = l.oid AND d.objsubid = 0
WHERE l.oid >= 16384
  AND l.lanispl
  AND l.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_language'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
