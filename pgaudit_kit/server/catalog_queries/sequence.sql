-- SEQUENCE, identity sequences included. Servers 12+. Mirrors getTables, collectSequences, getOwnedSeqs and dumpSequence
-- of pg_dump.c. Its state: sequence_state.sql.
SELECT
    c.oid AS relation,
    n.nspname AS schema,
    c.relname AS name,
    pg_get_userbyid(c.relowner) AS owner,
    d.description AS comment,
    CASE WHEN s.seqtypid <> 'bigint'::regtype THEN format_type(s.seqtypid, NULL) END AS data_type,
    s.seqstart::text AS start,
    s.seqincrement::text AS increment,
    CASE WHEN s.seqmin <> (CASE WHEN s.seqincrement > 0 THEN 1 ELSE lowest END) THEN s.seqmin::text END AS minimum,
    CASE WHEN s.seqmax <> (CASE WHEN s.seqincrement > 0 THEN highest ELSE -1 END) THEN s.seqmax::text END AS maximum,
    CASE WHEN s.seqcache <> 1 THEN s.seqcache::text END AS cache,
    CASE WHEN s.seqcycle THEN 'true' END AS cycle,
    quote_ident(tn.nspname) || '.' || quote_ident(tc.relname) || '.' || quote_ident(a.attname) AS owned_by,
    -- an identity sequence is created with the persistence of its table, and pg_dump says only what differs from it
    CASE
        WHEN dep.deptype = 'i' AND c.relpersistence = tc.relpersistence THEN NULL
        WHEN c.relpersistence = 'u' THEN 'unlogged'
        WHEN dep.deptype = 'i' AND tc.relpersistence = 'u' THEN 'logged'
    END AS persistence
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequence s ON s.seqrelid = c.oid
CROSS JOIN LATERAL (
    SELECT
        CASE s.seqtypid WHEN 'smallint'::regtype THEN -32768 WHEN 'integer'::regtype THEN -2147483648 ELSE -9223372036854775808 END
            AS lowest,
        CASE s.seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647 ELSE 9223372036854775807 END
            AS highest
) AS limits
LEFT JOIN pg_depend dep ON dep.classid = 'pg_class'::regclass AND dep.objid = c.oid AND dep.objsubid = 0
    AND dep.refclassid = 'pg_class'::regclass AND dep.refobjsubid > 0 AND dep.deptype IN ('a', 'i')
LEFT JOIN pg_class tc ON tc.oid = dep.refobjid
LEFT JOIN pg_namespace tn ON tn.oid = tc.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = dep.refobjid AND a.attnum = dep.refobjsubid
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.relkind = 'S'
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
