-- The subscriptions, whose names anyone may read, and what this role may not read of pg_subscription that pg_dump prints, its
-- connection string aside. Servers 12+.
SELECT
    s.subname AS name,
    array(
        SELECT a.attname::text
        FROM pg_attribute a
        WHERE a.attrelid = 'pg_subscription'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'subconninfo'
          AND NOT has_column_privilege('pg_subscription', a.attnum, 'SELECT')
        ORDER BY a.attnum
    ) AS closed
FROM pg_subscription s
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
