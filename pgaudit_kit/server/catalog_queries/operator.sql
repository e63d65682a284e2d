-- OPERATOR. Servers 12+. Mirrors getOperators and dumpOpr of pg_dump.c: not those that are only named as commutator or
-- negator of another and have no function yet.
SELECT
    n.nspname AS schema,
    o.oprname || ' (' || coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE') || ', '
        || coalesce(format_type(nullif(o.oprright, 0), NULL), 'NONE') || ')' AS name,
    pg_get_userbyid(o.oprowner) AS owner,
    d.description AS comment,
    CASE WHEN fn.nspname <> 'pg_catalog' THEN quote_ident(fn.nspname) || '.' ELSE '' END || quote_ident(f.proname) AS function,
    'OPERATOR(' || quote_ident(cn.nspname) || '.' || c.oprname || ')' AS commutator,
    'OPERATOR(' || quote_ident(gn.nspname) || '.' || g.oprname || ')' AS negator,
    CASE WHEN o.oprcanmerge THEN 'true' END AS merges,
    CASE WHEN o.oprcanhash THEN 'true' END AS hashes,
    CASE WHEN rn.nspname <> 'pg_catalog' THEN quote_ident(rn.nspname) || '.' ELSE '' END || quote_ident(r.proname) AS restrict,
    CASE WHEN jn.nspname <> 'pg_catalog' THEN quote_ident(jn.nspname) || '.' ELSE '' END || quote_ident(j.proname) AS "join"
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_proc f ON f.oid = o.oprcode
JOIN pg_namespace fn ON fn.oid = f.pronamespace
LEFT JOIN pg_operator c ON c.oid = o.oprcom
LEFT JOIN pg_namespace cn ON cn.oid = c.oprnamespace
LEFT JOIN pg_operator g ON g.oid = o.oprnegate
LEFT JOIN pg_namespace gn ON gn.oid = g.oprnamespace
LEFT JOIN pg_proc r ON r.oid = o.oprrest
LEFT JOIN pg_namespace rn ON rn.oid = r.pronamespace
LEFT JOIN pg_proc j ON j.oid = o.oprjoin
LEFT JOIN pg_namespace jn ON jn.oid = j.pronamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_operator'::regclass AND d.objoid = o.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND o.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_operator'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
