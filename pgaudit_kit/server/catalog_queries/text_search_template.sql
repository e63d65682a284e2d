-- TEXT SEARCH TEMPLATE. Servers 12+. Mirrors getTSTemplates and dumpTSTemplate of pg_dump.c.
SELECT
    n.nspname AS schema,
    x.tmplname AS name,
    d.description AS comment,
    nullif(x.tmplinit::regproc::text, '-') AS init,
    nullif(x.tmpllexize::regproc::text, '-') AS lexize
FROM pg_ts_template x
JOIN pg_namespace n ON n.oid = x.tmplnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_ts_template'::regclass AND d.objoid = x.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND x.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_ts_template'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
