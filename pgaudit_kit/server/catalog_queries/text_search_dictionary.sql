-- TEXT SEARCH DICTIONARY. Servers 12+. Mirrors getTSDictionaries and dumpTSDictionary of pg_dump.c.
SELECT
    n.nspname AS schema,
    x.dictname AS name,
    pg_get_userbyid(x.dictowner) AS owner,
    d.description AS comment,
    quote_ident(tn.nspname) || '.' || quote_ident(t.tmplname) AS template,
    x.dictinitoption AS options
FROM pg_ts_dict x
JOIN pg_namespace n ON n.oid = x.dictnamespace
JOIN pg_ts_template t ON t.oid = x.dicttemplate
JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_ts_dict'::regclass AND d.objoid = x.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND x.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_ts_dict'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
