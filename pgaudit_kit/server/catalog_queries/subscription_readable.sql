-- Whether this role may read all of pg_subscription that pg_dump prints, its connection string aside, and whose names anyone may
-- read, for the case that it may not. Servers 12+.
SELECT s.subname AS name, bool_and(has_column_privilege('pg_subscription', a.attnum, 'SELECT')) AS readable
FROM pg_subscription s
JOIN pg_attribute a ON a.attrelid = 'pg_subscription'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'subconninfo'
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY s.subname
