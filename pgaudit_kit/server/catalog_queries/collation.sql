-- COLLATION. Servers 12+. Mirrors getCollations and dumpCollation of pg_dump.c. The catalog's columns changed names and meaning
-- in 15, 16 and 17, hence the detour by JSON.
SELECT
    n.nspname AS schema,
    c.collname AS name,
    pg_get_userbyid(c.collowner) AS owner,
    d.description AS comment,
    CASE c.collprovider WHEN 'b' THEN 'builtin' WHEN 'c' THEN 'libc' WHEN 'd' THEN 'default' WHEN 'i' THEN 'icu' END AS provider,
    '''' || replace(x.locale, '''', '''''') || '''' AS locale,
    CASE WHEN x.locale IS NULL THEN '''' || replace(c.collcollate, '''', '''''') || '''' END AS lc_collate,
    CASE WHEN x.locale IS NULL THEN '''' || replace(c.collctype, '''', '''''') || '''' END AS lc_ctype,
    CASE WHEN NOT c.collisdeterministic THEN 'false' END AS deterministic,
    '''' || replace((to_jsonb(c) ->> 'collicurules'), '''', '''''') || '''' AS rules
FROM pg_collation c
JOIN pg_namespace n ON n.oid = c.collnamespace
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN c.collprovider IN ('b', 'i') THEN coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate)
        WHEN c.collcollate = c.collctype THEN c.collcollate
    END AS locale
) x
LEFT JOIN pg_description d ON d.classoid = 'pg_collation'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_collation'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
