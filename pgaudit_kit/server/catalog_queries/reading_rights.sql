-- Who asks, and the catalogs and views of pg_catalog of which this role may not read what the other queries need. Servers 12+.
-- Of pg_subscription only columns are open to everyone (system_views.sql); subscription_readable.sql asks which.
SELECT
    quote_ident(current_user) AS role,
    array(
        SELECT c.relname::text
        FROM pg_class c
        WHERE c.relnamespace = 'pg_catalog'::regnamespace
          AND c.relkind IN ('r', 'v')
          AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
          AND NOT has_table_privilege(c.oid, 'SELECT')
          AND NOT CASE WHEN c.relname = 'pg_subscription'
                       THEN has_column_privilege(c.oid, 'subname', 'SELECT') AND has_column_privilege(c.oid, 'subdbid', 'SELECT')
                       ELSE false END
    ) AS catalogs
