-- OPERATOR FAMILY. Servers 12+. Mirrors getOpfamilies and dumpOpfamily of pg_dump.c: the members that are loose in it.
SELECT
    n.nspname AS schema,
    o.opfname || ' USING ' || a.amname AS name,
    pg_get_userbyid(o.opfowner) AS owner,
    d.description AS comment,
    (
        SELECT string_agg(m.amopstrategy || ' ' || m.member, E'\n' ORDER BY m.amopstrategy, m.member COLLATE "C")
        FROM (
            SELECT ao.amopstrategy, ao.amopopr::regoperator::text
                || coalesce(' FOR ORDER BY ' || quote_ident(sn.nspname) || '.' || quote_ident(sf.opfname), '') AS member
            FROM pg_depend x
            JOIN pg_amop ao ON ao.oid = x.objid
            LEFT JOIN pg_opfamily sf ON sf.oid = ao.amopsortfamily
            LEFT JOIN pg_namespace sn ON sn.oid = sf.opfnamespace
            WHERE x.refclassid = 'pg_opfamily'::regclass AND x.refobjid = o.oid AND x.classid = 'pg_amop'::regclass
              AND ao.amopfamily = o.oid  -- and not one of another family that orders by this one
        ) m
    ) AS operators,
    (
        SELECT string_agg(m.amprocnum || ' ' || m.member, E'\n' ORDER BY m.amprocnum, m.member COLLATE "C")
        FROM (
            SELECT ap.amprocnum, '(' || format_type(ap.amproclefttype, NULL) || ', ' || format_type(ap.amprocrighttype, NULL) || ') '
                || ap.amproc::regprocedure::text AS member
            FROM pg_depend x
            JOIN pg_amproc ap ON ap.oid = x.objid
            WHERE x.refclassid = 'pg_opfamily'::regclass AND x.refobjid = o.oid AND x.classid = 'pg_amproc'::regclass
        ) m
    ) AS functions
FROM pg_opfamily o
JOIN pg_namespace n ON n.oid = o.opfnamespace
JOIN pg_am a ON a.oid = o.opfmethod
LEFT JOIN pg_description d ON d.classoid = 'pg_opfamily'::regclass AND d.objoid = o.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND o.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_opfamily'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
