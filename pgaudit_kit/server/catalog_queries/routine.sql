-- FUNCTION (window functions included) and PROCEDURE. Servers 12+. Mirrors getFuncs and dumpFunc of pg_dump.c: no
-- aggregates, no constructor functions of range types (deptype 'i').
SELECT
    CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
    n.nspname AS schema,
    p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
    pg_get_userbyid(p.proowner) AS owner,
    d.description AS comment,
    pg_get_function_arguments(p.oid) AS arguments,
    CASE WHEN p.prokind <> 'p' THEN pg_get_function_result(p.oid) END AS result,
    l.lanname AS language,
    CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) ELSE p.prosrc END AS body,  -- [>=14]
    p.prosrc AS body,                                                                                 -- [<14]
    nullif(p.probin, '') AS object_file,
    CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' END AS volatility,
    CASE WHEN p.proisstrict THEN 'true' END AS strict,
    CASE WHEN p.prosecdef THEN 'true' END AS security_definer,
    CASE WHEN p.proleakproof THEN 'true' END AS leakproof,
    CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END AS parallel,
    CASE WHEN p.procost NOT IN (0, CASE WHEN l.lanname IN ('c', 'internal') THEN 1 ELSE 100 END) THEN p.procost::text END AS cost,
    CASE WHEN p.proretset AND p.prorows NOT IN (0, 1000) THEN p.prorows::text END AS rows,
    nullif(p.prosupport::text, '-') AS support,
    CASE p.prokind WHEN 'w' THEN 'true' END AS window,
    (
        SELECT string_agg('FOR TYPE ' || format_type(t.type, NULL), ', ' ORDER BY t.place)
        FROM unnest(p.protrftypes) WITH ORDINALITY AS t(type, place)
    ) AS transforms,
    (
        -- list settings are stored quoted as identifiers and printed as string literals: makeAlterConfigCommand, dumputils.c
        SELECT string_agg('SET ' || quote_ident(c.name) || ' TO ' || CASE
            WHEN lower(c.name) IN ('local_preload_libraries', 'search_path', 'session_preload_libraries', 'shared_preload_libraries',
                                   'temp_tablespaces', 'unix_socket_directories')
            THEN (
                SELECT string_agg('''' || replace(coalesce(replace(m.part[1], '""', '"'), m.part[2]), '''', '''''') || '''', ', '
                                  ORDER BY m.place)
                FROM regexp_matches(c.value, '"((?:[^"]|"")*)"|([^",[:space:]]+)', 'g') WITH ORDINALITY AS m(part, place)
            )
            ELSE '''' || replace(c.value, '''', '''''') || ''''
        END, E'\n' ORDER BY c.place)
        FROM (
            SELECT split_part(s.item, '=', 1) AS name, substr(s.item, strpos(s.item, '=') + 1) AS value, s.place
            FROM unnest(p.proconfig) WITH ORDINALITY AS s(item, place)
        ) c
    ) AS config
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid AND d.objsubid = 0
WHERE p.prokind <> 'a'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
