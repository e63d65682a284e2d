-- POLICY. Servers 12+. Mirrors getPolicies and dumpPolicy of pg_dump.c: those on tables of extensions are not printed.
SELECT
    n.nspname AS schema,
    c.relname AS parent,
    p.polname AS name,
    d.description AS comment,
    CASE WHEN NOT p.polpermissive THEN 'true' END AS restrictive,
    CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' END AS command,
    CASE WHEN p.polroles <> '{0}' THEN array(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles)) END AS roles_list,
    pg_get_expr(p.polqual, p.polrelid) AS using,
    pg_get_expr(p.polwithcheck, p.polrelid) AS check
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_policy'::regclass AND d.objoid = p.oid AND d.objsubid = 0
WHERE c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
