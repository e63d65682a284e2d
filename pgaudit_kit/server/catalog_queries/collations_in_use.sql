-- The collations by which anything of this database is ordered, with the version that was recorded when they were made, and the one
-- that the system provides now; "" is that of the database itself. Servers 12+; the database's own has a version since 15.
SELECT n.nspname || '.' || c.collname AS name, c.collversion AS recorded, pg_collation_actual_version(c.oid) AS actual
FROM pg_collation c
JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE c.oid IN (
    SELECT a.attcollation
    FROM pg_attribute a
    JOIN pg_class r ON r.oid = a.attrelid
    JOIN pg_namespace s ON s.oid = r.relnamespace
    WHERE s.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    UNION ALL
    SELECT t.typcollation FROM pg_type t WHERE t.typtype = 'd'
)
UNION ALL                                                                                                           -- [>=15]
SELECT '' AS name, b.datcollversion AS recorded, pg_database_collation_actual_version(b.oid) AS actual              -- [>=15]
FROM pg_database b                                                                                                  -- [>=15]
WHERE b.datname = current_database()                                                                                -- [>=15]
