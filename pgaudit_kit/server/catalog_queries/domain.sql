-- DOMAIN. Servers 12+. Mirrors getTypes and dumpDomain of pg_dump.c; its checks: check_constraint.sql.
SELECT
    n.nspname AS schema,
    t.typname AS name,
    pg_get_userbyid(t.typowner) AS owner,
    d.description AS comment,
    format_type(t.typbasetype, t.typtypmod) AS base_type,
    CASE WHEN t.typcollation <> b.typcollation THEN quote_ident(ln.nspname) || '.' || quote_ident(l.collname) END AS "collation",
    CASE
        WHEN t.typdefaultbin IS NOT NULL THEN pg_get_expr(t.typdefaultbin, 'pg_type'::regclass)
        ELSE '''' || replace(t.typdefault, '''', '''''') || ''''
    END AS "default",
    nullif(nn.conname, t.typname || '_not_null') AS not_null_name,  -- [>=17]
    nd.description AS not_null_comment,                             -- [>=17]
    CASE WHEN t.typnotnull THEN 'true' END AS not_null
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_collation l ON l.oid = t.typcollation
LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
LEFT JOIN pg_constraint nn ON nn.contypid = t.oid AND nn.contype = 'n'                                              -- [>=17]
LEFT JOIN pg_description nd ON nd.classoid = 'pg_constraint'::regclass AND nd.objoid = nn.oid AND nd.objsubid = 0  -- [>=17]
LEFT JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid AND d.objsubid = 0
WHERE t.typtype = 'd'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_type'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
