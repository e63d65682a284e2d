-- TEXT SEARCH PARSER. Servers 12+. Mirrors getTSParsers and dumpTSParser of pg_dump.c.
SELECT
    n.nspname AS schema,
    x.prsname AS name,
    d.description AS comment,
    nullif(x.prsstart::regproc::text, '-') AS start,
    nullif(x.prstoken::regproc::text, '-') AS gettoken,
    nullif(x.prsend::regproc::text, '-') AS "end",
    nullif(x.prsheadline::regproc::text, '-') AS headline,
    nullif(x.prslextype::regproc::text, '-') AS lextypes
FROM pg_ts_parser x
JOIN pg_namespace n ON n.oid = x.prsnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_ts_parser'::regclass AND d.objoid = x.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND x.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_ts_parser'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
