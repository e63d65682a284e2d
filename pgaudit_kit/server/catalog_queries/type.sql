-- TYPE: enums and composite types. Servers 12+. Mirrors getTypes, selectDumpableType, dumpEnumType and dumpCompositeType
-- of pg_dump.c: no array types, no row types of relations. Columns of composite types: column.sql.
SELECT
    nullif(t.typrelid, 0) AS relation,
    n.nspname AS schema,
    t.typname AS name,
    pg_get_userbyid(t.typowner) AS owner,
    d.description AS comment,
    CASE t.typtype WHEN 'e' THEN 'enum' ELSE 'composite' END AS form,
    (
        SELECT string_agg('''' || replace(e.enumlabel, '''', '''''') || '''', ', ' ORDER BY e.enumsortorder)
        FROM pg_enum e
        WHERE e.enumtypid = t.oid
    ) AS labels
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid AND d.objsubid = 0
WHERE (t.typtype = 'e' OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
