-- What was told to depend on extensions (ALTER ... DEPENDS ON EXTENSION), and on which. Servers 12+. Mirrors append_depends_on_extension
-- of pg_dump.c and its callers. kind, schema, name, parent: the object's key.
SELECT o.kind, o.schema, o.name, o.parent, array_agg(e.extname::text) AS extensions
FROM pg_depend d
JOIN pg_extension e ON e.oid = d.refobjid
JOIN (
    SELECT 'pg_proc'::regclass::oid AS classid, p.oid, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
        n.nspname AS schema, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name, NULL::name AS parent
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind <> 'a'
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, 'MATERIALIZED VIEW', n.nspname, c.relname, NULL
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm'
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, CASE WHEN o.oid IS NULL THEN 'INDEX' ELSE 'CONSTRAINT' END, n.nspname, c.relname, t.relname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_index i ON i.indexrelid = c.oid
    JOIN pg_class t ON t.oid = i.indrelid
    LEFT JOIN pg_constraint o ON o.conrelid = t.oid AND o.conindid = c.oid AND o.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 'pg_trigger'::regclass, g.oid, 'TRIGGER', n.nspname, g.tgname, t.relname
    FROM pg_trigger g
    JOIN pg_class t ON t.oid = g.tgrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
) AS o ON o.classid = d.classid AND o.oid = d.objid
WHERE d.refclassid = 'pg_extension'::regclass
  AND d.deptype = 'x'
GROUP BY o.kind, o.schema, o.name, o.parent
