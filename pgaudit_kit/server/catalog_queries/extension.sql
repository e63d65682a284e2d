-- EXTENSION. Servers 12+. Mirrors getExtensions and selectDumpableExtension of pg_dump.c (11+): what initdb installed
-- (plpgsql) has a built-in OID and is not listed.
SELECT
    x.extname AS name,
    n.nspname AS extension_schema,
    x.extversion AS version,
    d.description AS comment
FROM pg_extension x
JOIN pg_namespace n ON n.oid = x.extnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_extension'::regclass AND d.objoid = x.oid AND d.objsubid = 0
WHERE x.oid >= 16384
