-- STATISTICS: extended ones. Servers 12+. Mirrors getExtendedStatistics and dumpStatisticsExt of pg_dump.c.
SELECT
    n.nspname AS schema,
    s.stxname AS name,
    pg_get_userbyid(s.stxowner) AS owner,
    d.description AS comment,
    CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget::text END AS statistics,  -- [>=13]
    pg_get_statisticsobjdef(s.oid) AS definition
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_statistic_ext'::regclass AND d.objoid = s.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND s.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_statistic_ext'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
