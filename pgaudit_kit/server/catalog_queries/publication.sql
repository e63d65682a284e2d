-- PUBLICATION. Servers 12+. Mirrors getPublications and dumpPublication of pg_dump.c.
SELECT
    p.pubname AS name,
    pg_get_userbyid(p.pubowner) AS owner,
    d.description AS comment,
    CASE WHEN p.puballtables THEN 'true' END AS all_tables,
    concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
              CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS publish
    , CASE WHEN p.pubviaroot THEN 'true' END AS via_partition_root  -- [>=13]
    , CASE p.pubgencols WHEN 's' THEN 'stored' END AS generated_columns  -- [>=18]
FROM pg_publication p
LEFT JOIN pg_description d ON d.classoid = 'pg_publication'::regclass AND d.objoid = p.oid AND d.objsubid = 0
WHERE p.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_publication'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
)
