-- BLOB: large objects with the same owner and privileges, a thousand at most in one row, because there may be millions.
-- The thousand is LARGE_OBJECTS_TOGETHER of records/settings.py. Servers 12+. Mirrors getLOs of pg_dump.c.
WITH together AS (
    SELECT lomowner, lomacl::text AS acl, array_agg(oid::bigint ORDER BY oid) AS oids
    FROM pg_largeobject_metadata
    GROUP BY oid::bigint / 1000, lomowner, lomacl::text  -- an aclitem can be neither sorted nor hashed
)
SELECT
    pg_get_userbyid(l.lomowner) AS owner,
    (
        SELECT json_agg(json_build_array(CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END, pg_get_userbyid(e.grantor),
                                         e.privilege_type, e.is_grantable))
        FROM aclexplode(l.acl::aclitem[]) e
    )::text AS acl,
    l.acl IS NULL AS as_made,
    l.oids
FROM together l
