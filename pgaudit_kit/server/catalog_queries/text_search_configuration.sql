-- TEXT SEARCH CONFIGURATION. Servers 12+. Mirrors getTSConfigurations and dumpTSConfig of pg_dump.c.
SELECT
    n.nspname AS schema,
    x.cfgname AS name,
    pg_get_userbyid(x.cfgowner) AS owner,
    d.description AS comment,
    quote_ident(pn.nspname) || '.' || quote_ident(p.prsname) AS parser,
    (
        SELECT string_agg(m.mapping, E'\n' ORDER BY m.mapping COLLATE "C")
        FROM (
            SELECT t.alias || ': ' || string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS mapping
            FROM pg_ts_config_map m
            JOIN ts_token_type(x.cfgparser) t ON t.tokid = m.maptokentype
            WHERE m.mapcfg = x.oid
            GROUP BY t.alias
        ) m
    ) AS mappings
FROM pg_ts_config x
JOIN pg_namespace n ON n.oid = x.cfgnamespace
JOIN pg_ts_parser p ON p.oid = x.cfgparser
JOIN pg_namespace pn ON pn.oid = p.prsnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_ts_config'::regclass AND d.objoid = x.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND x.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_ts_config'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
