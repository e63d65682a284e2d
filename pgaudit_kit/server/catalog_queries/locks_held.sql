-- Tables of this database that nobody can read now, and who holds, or waits for, the lock that keeps all readers waiting. Servers 12+.
-- A prepared transaction has no pid; what other roles do is told to members of pg_read_all_stats only.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    l.pid,
    l.granted,
    a.usename::text AS "user",
    a.application_name AS application,
    extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start))::float8 AS seconds
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation'
  AND l.database = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
  AND l.mode = 'AccessExclusiveLock'
  AND c.relkind IN ('r', 'p', 'm', 'S', 'v', 'f')
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
ORDER BY l.granted DESC, seconds DESC NULLS LAST, n.nspname, c.relname
