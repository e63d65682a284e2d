-- TYPE: enums, composite types, ranges, base types, shells. Servers 12+. Mirrors getTypes, selectDumpableType, dumpEnumType,
-- dumpCompositeType, dumpRangeType, dumpBaseType and dumpUndefinedType of pg_dump.c: no array types, no row types of relations;
-- multirange types come with their range. Columns of composite types: column.sql.
SELECT
    nullif(t.typrelid, 0) AS relation,
    n.nspname AS schema,
    t.typname AS name,
    pg_get_userbyid(t.typowner) AS owner,
    d.description AS comment,
    CASE
        WHEN t.typtype = 'e' THEN 'enum'
        WHEN t.typtype = 'c' THEN 'composite'
        WHEN t.typtype = 'r' THEN 'range'
        WHEN t.typisdefined THEN 'base'
        ELSE 'shell'
    END AS form,
    (
        SELECT string_agg('''' || replace(e.enumlabel, '''', '''''') || '''', ', ' ORDER BY e.enumsortorder)
        FROM pg_enum e
        WHERE e.enumtypid = t.oid
    ) AS labels,
    format_type(r.rngsubtype, NULL) AS subtype,
    format_type(r.rngmultitypid, NULL) AS multirange_type_name,  -- [>=14]
    CASE WHEN NOT o.opcdefault THEN quote_ident(opn.nspname) || '.' || quote_ident(o.opcname) END AS subtype_opclass,
    quote_ident(ln.nspname) || '.' || quote_ident(l.collname) AS "collation",
    nullif(r.rngcanonical::regproc::text, '-') AS canonical,
    nullif(r.rngsubdiff::regproc::text, '-') AS subtype_diff,
    CASE WHEN f.base THEN CASE t.typlen WHEN -1 THEN 'variable' ELSE t.typlen::text END END AS internallength,
    CASE WHEN f.base THEN t.typinput::regproc::text END AS input,
    CASE WHEN f.base THEN t.typoutput::regproc::text END AS output,
    CASE WHEN f.base THEN nullif(t.typreceive::regproc::text, '-') END AS receive,
    CASE WHEN f.base THEN nullif(t.typsend::regproc::text, '-') END AS send,
    CASE WHEN f.base THEN nullif(t.typmodin::regproc::text, '-') END AS typmod_in,
    CASE WHEN f.base THEN nullif(t.typmodout::regproc::text, '-') END AS typmod_out,
    CASE WHEN f.base THEN nullif(t.typanalyze::regproc::text, '-') END AS analyze,
    CASE WHEN f.base THEN nullif(t.typsubscript::regproc::text, '-') END AS subscript,  -- [>=14]
    CASE WHEN f.base AND t.typcollation <> 0 THEN 'true' END AS collatable,
    CASE
        WHEN NOT f.base THEN NULL
        WHEN t.typdefaultbin IS NOT NULL THEN pg_get_expr(t.typdefaultbin, 0)
        ELSE '''' || replace(t.typdefault, '''', '''''') || ''''
    END AS "default",
    CASE WHEN f.base AND t.typelem <> 0 THEN format_type(t.typelem, NULL) END AS element,
    CASE WHEN f.base AND t.typcategory <> 'U' THEN '''' || replace(t.typcategory::text, '''', '''''') || '''' END AS category,
    CASE WHEN f.base AND t.typispreferred THEN 'true' END AS preferred,
    CASE WHEN f.base AND t.typdelim <> ',' THEN '''' || replace(t.typdelim::text, '''', '''''') || '''' END AS delimiter,
    CASE WHEN f.base THEN CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END END AS alignment,
    CASE
        WHEN f.base THEN CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'x' THEN 'extended' ELSE 'main' END
    END AS storage,
    CASE WHEN f.base AND t.typbyval THEN 'true' END AS passedbyvalue
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL (SELECT t.typtype = 'b' AND t.typisdefined AS base) AS f
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_type st ON st.oid = r.rngsubtype
LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc
LEFT JOIN pg_namespace opn ON opn.oid = o.opcnamespace
LEFT JOIN pg_collation l ON l.oid = r.rngcollation AND r.rngcollation <> st.typcollation
LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid AND d.objsubid = 0
WHERE (t.typtype IN ('e', 'r', 'b', 'p') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT FROM pg_type a WHERE a.typarray = t.oid)
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_type'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
