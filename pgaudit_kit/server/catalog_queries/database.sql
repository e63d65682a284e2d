-- The database itself. Servers 12+. Mirrors dumpDatabase and dumpDatabaseConfig of pg_dump.c. settings: (role, null for all;
-- name=value as stored).
SELECT
    b.datname AS name,
    pg_get_userbyid(b.datdba) AS owner,
    d.description AS comment,
    pg_encoding_to_char(b.encoding) AS encoding,
    CASE b.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS locale_provider,  -- [>=15]
    'libc' AS locale_provider,                                                                             -- [<15]
    b.datcollate::text AS lc_collate,
    b.datctype::text AS lc_ctype,
    b.daticulocale::text AS locale,                                                      -- [>=15] [<17]
    b.datlocale AS locale,                                                               -- [>=17]
    b.daticurules AS icu_rules,                                                          -- [>=16]
    CASE WHEN t.spcname <> 'pg_default' THEN t.spcname::text ELSE '' END AS tablespace,
    CASE WHEN b.datconnlimit >= 0 THEN b.datconnlimit::text END AS connection_limit,
    CASE WHEN b.datistemplate THEN 'true' END AS template,
    (SELECT json_agg(json_build_array(l.provider, l.label)) FROM pg_shseclabel l
     WHERE l.classoid = 'pg_database'::regclass AND l.objoid = b.oid)::text AS label_pairs,
    (
        SELECT json_agg(json_build_array(CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END, pg_get_userbyid(e.grantor),
                                         e.privilege_type, e.is_grantable))
        FROM aclexplode(b.datacl) e
    )::text AS acl,
    b.datacl IS NULL AS as_made,
    NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'public') AS without_public,
    (
        SELECT json_agg(json_build_array(CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, c.setting))
        FROM pg_db_role_setting s
        CROSS JOIN LATERAL unnest(s.setconfig) AS c(setting)
        WHERE s.setdatabase = b.oid
    )::text AS settings
FROM pg_database b
JOIN pg_tablespace t ON t.oid = b.dattablespace
LEFT JOIN pg_shdescription d ON d.classoid = 'pg_database'::regclass AND d.objoid = b.oid
WHERE b.datname = current_database()
