-- What a backup records of the server: where its WAL stands, and which roles and tablespaces the objects of this database depend on.
-- Servers 12+. Dependencies on the role that initdb made are not in pg_shdepend (it is pinned), but it owns things: see owners.
SELECT
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS wal_lsn,
    array(
        SELECT DISTINCT r.rolname::text
        FROM pg_shdepend d
        JOIN pg_roles r ON r.oid = d.refobjid
        WHERE d.refclassid = 'pg_authid'::regclass
          AND (d.dbid = b.oid OR (d.classid = 'pg_database'::regclass AND d.objid = b.oid))
    ) AS roles,
    array(
        SELECT DISTINCT t.spcname::text
        FROM pg_tablespace t
        WHERE t.spcname NOT IN ('pg_default', 'pg_global')
          AND (t.oid = b.dattablespace OR t.oid IN (SELECT c.reltablespace FROM pg_class c))
    ) AS tablespaces
FROM pg_database b
WHERE b.datname = current_database()
