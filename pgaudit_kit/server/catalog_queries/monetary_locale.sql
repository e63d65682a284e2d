-- Names of locales that lc_monetary may be set to: the session's own first, then C, those of this server's databases, and those that
-- initdb found on its machine. Whether one is still installed shows when it is used. Servers 12+.
SELECT l.name
FROM (
    SELECT current_setting('lc_monetary') AS name, 0 AS rank
    UNION ALL
    SELECT 'C', 1
    UNION ALL
    SELECT b.datcollate::text, 2
    FROM pg_database b
    UNION ALL
    SELECT v.name, 3
    FROM (VALUES ('en_US.UTF-8'), ('en_GB.UTF-8'), ('de_DE.UTF-8'), ('fr_FR.UTF-8'), ('ja_JP.UTF-8')) v(name)
    UNION ALL
    SELECT c.collcollate::text, 4
    FROM pg_collation c
    WHERE c.collprovider = 'c' AND c.collcollate IS NOT NULL
) l
WHERE l.name <> ''
GROUP BY l.name
ORDER BY min(l.rank), l.name
