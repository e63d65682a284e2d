-- AGGREGATE. Servers 12+. Mirrors getAggregates and dumpAgg of pg_dump.c: what is at its default is not printed.
SELECT
    n.nspname AS schema,
    p.proname || '(' || coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*') || ')' AS name,
    pg_get_userbyid(p.proowner) AS owner,
    d.description AS comment,
    nullif(a.aggtransfn::regproc::text, '-') AS sfunc,
    format_type(a.aggtranstype, NULL) AS stype,
    nullif(a.aggtransspace, 0)::text AS sspace,
    '''' || replace(a.agginitval, '''', '''''') || '''' AS initcond,
    nullif(a.aggfinalfn::regproc::text, '-') AS finalfunc,
    CASE WHEN a.aggfinalfn <> 0 AND a.aggfinalextra THEN 'true' END AS finalfunc_extra,
    CASE
        WHEN a.aggfinalfn = 0 OR a.aggfinalmodify = CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END THEN NULL
        WHEN a.aggfinalmodify = 'r' THEN 'READ_ONLY'
        WHEN a.aggfinalmodify = 's' THEN 'SHAREABLE'
        ELSE 'READ_WRITE'
    END AS finalfunc_modify,
    nullif(a.aggcombinefn::regproc::text, '-') AS combinefunc,
    nullif(a.aggserialfn::regproc::text, '-') AS serialfunc,
    nullif(a.aggdeserialfn::regproc::text, '-') AS deserialfunc,
    nullif(a.aggmtransfn::regproc::text, '-') AS msfunc,
    nullif(a.aggminvtransfn::regproc::text, '-') AS minvfunc,
    CASE WHEN a.aggmtransfn <> 0 THEN format_type(a.aggmtranstype, NULL) END AS mstype,
    nullif(a.aggmtransspace, 0)::text AS msspace,
    '''' || replace(a.aggminitval, '''', '''''') || '''' AS minitcond,
    nullif(a.aggmfinalfn::regproc::text, '-') AS mfinalfunc,
    CASE WHEN a.aggmfinalfn <> 0 AND a.aggmfinalextra THEN 'true' END AS mfinalfunc_extra,
    CASE
        WHEN a.aggmfinalfn = 0 OR a.aggmfinalmodify = CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END THEN NULL
        WHEN a.aggmfinalmodify = 'r' THEN 'READ_ONLY'
        WHEN a.aggmfinalmodify = 's' THEN 'SHAREABLE'
        ELSE 'READ_WRITE'
    END AS mfinalfunc_modify,
    'OPERATOR(' || quote_ident(so.nspname) || '.' || o.oprname || ')' AS sortop,
    CASE a.aggkind WHEN 'h' THEN 'true' END AS hypothetical,
    CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END AS parallel
FROM pg_aggregate a
JOIN pg_proc p ON p.oid = a.aggfnoid
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_operator o ON o.oid = a.aggsortop
LEFT JOIN pg_namespace so ON so.oid = o.oprnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND p.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
