-- How many large objects there are, and how many of them this role may not read. Servers 12+. Mirrors what lo_open asks
-- (inv_open of inv_api.c): SELECT on each, which its owner has and nobody else by default, unless lo_compat_privileges is on.
SELECT
    count(*) AS objects,
    count(*) FILTER (WHERE NOT l.readable) AS denied,
    (array_agg(l.oid::bigint ORDER BY l.oid) FILTER (WHERE NOT l.readable))[1:5] AS denied_oids
FROM (
    SELECT
        m.oid,
        current_setting('lo_compat_privileges')::boolean
            OR pg_has_role(m.lomowner, 'USAGE')
            OR EXISTS (
                SELECT FROM aclexplode(m.lomacl) e
                WHERE e.privilege_type = 'SELECT' AND (e.grantee = 0 OR pg_has_role(e.grantee, 'USAGE'))
            ) AS readable
    FROM pg_largeobject_metadata m
) l
HAVING count(*) > 0
