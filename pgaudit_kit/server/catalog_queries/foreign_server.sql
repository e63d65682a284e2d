-- SERVER. Servers 12+. Mirrors getForeignServers and dumpForeignServer of pg_dump.c.
SELECT
    s.srvname AS name,
    pg_get_userbyid(s.srvowner) AS owner,
    d.description AS comment,
    nullif(s.srvtype, '') AS server_type,
    nullif(s.srvversion, '') AS server_version,
    f.fdwname AS wrapper,
    (SELECT json_agg(json_build_array(o.option_name, o.option_value)) FROM pg_options_to_table(s.srvoptions) o)::text AS options_pairs
FROM pg_foreign_server s
JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
LEFT JOIN pg_description d ON d.classoid = 'pg_foreign_server'::regclass AND d.objoid = s.oid AND d.objsubid = 0
WHERE s.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_foreign_server'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
)
