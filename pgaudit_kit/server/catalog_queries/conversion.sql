-- CONVERSION. Servers 12+. Mirrors getConversions and dumpConversion of pg_dump.c.
SELECT
    n.nspname AS schema,
    c.conname AS name,
    pg_get_userbyid(c.conowner) AS owner,
    d.description AS comment,
    CASE WHEN c.condefault THEN 'true' END AS "default",
    pg_encoding_to_char(c.conforencoding) AS for_encoding,
    pg_encoding_to_char(c.contoencoding) AS to_encoding,
    c.conproc::regproc::text AS function
FROM pg_conversion c
JOIN pg_namespace n ON n.oid = c.connamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_conversion'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_conversion'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
