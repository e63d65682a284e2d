-- What this role may do with each sequence, for those whose state it could not read. Servers 12+.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    quote_ident(n.nspname) AS schema_sql,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sequence_sql,
    has_schema_privilege(n.oid, 'USAGE') AS schema_usable,
    CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') END AS selectable
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S'
