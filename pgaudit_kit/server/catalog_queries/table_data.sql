-- The tables whose rows can be read, as pg_dump would dump them. Servers 12+. Mirrors makeTableDataInfo,
-- fmtCopyColumnList and dumpTableData_copy of pg_dump.c: ordinary tables, no generated columns, attribute order.
-- usable, denied and hidden_by say whether this role may read them all: pg_dump sets row_security = off, and then COPY
-- refuses a table of which a policy would hide rows.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    quote_ident(n.nspname) AS schema_sql,
    quote_ident(c.relname) AS name_sql,
    quote_ident(current_user) AS role_sql,
    array(
        SELECT a.attname::text
        FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        ORDER BY a.attnum
    ) AS columns,
    has_schema_privilege(n.oid, 'USAGE') AS schema_usable,
    has_table_privilege(c.oid, 'SELECT') OR (has_any_column_privilege(c.oid, 'SELECT') AND NOT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
          AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')
    )) AS selectable,
    CASE WHEN row_security_active(c.oid) THEN coalesce(
        (SELECT string_agg(quote_ident(p.polname), ', ' ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid), ''
    ) END AS hidden_by
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE
-- [ordinary_tables]
ORDER BY n.nspname, c.relname
