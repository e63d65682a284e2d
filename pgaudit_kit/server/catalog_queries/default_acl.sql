-- DEFAULT ACL. Servers 12+. Mirrors getDefaultACLs and dumpDefaultACL of pg_dump.c: what is IN SCHEMA is added to the rest.
SELECT
    n.nspname AS schema,
    CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
        WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' ELSE a.defaclobjtype::text END AS objects,
    pg_get_userbyid(a.defaclrole) AS owner,
    (
        SELECT json_agg(json_build_array(CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END, pg_get_userbyid(e.grantor),
                                         e.privilege_type, e.is_grantable))
        FROM aclexplode(a.defaclacl) e
    )::text AS acl
FROM pg_default_acl a
LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
