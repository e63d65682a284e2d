-- ACCESS METHOD. Servers 12+. Mirrors getAccessMethods and dumpAccessMethod of pg_dump.c.
SELECT
    a.amname AS name,
    d.description AS comment,
    CASE a.amtype WHEN 'i' THEN 'INDEX' WHEN 't' THEN 'TABLE' END AS type,
    a.amhandler::regproc::text AS handler
FROM pg_am a
LEFT JOIN pg_description d ON d.classoid = 'pg_am'::regclass AND d.objoid = a.oid AND d.objsubid = 0
WHERE a.oid >= 16384
  AND a.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_am'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
