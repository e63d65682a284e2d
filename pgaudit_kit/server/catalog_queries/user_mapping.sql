-- USER MAPPING: the names of its options, never their values. Servers 12+. Mirrors dumpUserMappings of pg_dump.c. Whose options
-- this role may not see (pg_user_mappings shows none then: system_views.sql) has option_names null; '' is one that has none.
SELECT
    u.usename AS name,
    u.srvname AS parent,
    CASE WHEN u.umoptions IS NOT NULL OR m.readable
         THEN array(SELECT o.option_name FROM pg_options_to_table(u.umoptions) o) END AS option_names_list
FROM pg_user_mappings u
JOIN pg_foreign_server s ON s.oid = u.srvid
CROSS JOIN LATERAL (
    SELECT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
        OR (u.umuser = 0 AND pg_has_role(s.srvowner, 'USAGE'))
        OR (u.usename = current_user AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE'))) AS readable
) m
WHERE u.srvid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_foreign_server'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
)
