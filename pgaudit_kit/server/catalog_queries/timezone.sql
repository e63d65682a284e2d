-- The zones under which each of these timestamptz texts (ISO DateStyle) prints back unchanged, the session's own and UTC
-- first. Servers 12+. Text equal in its local part is equal in its offset too: both are of the same instant.
WITH given AS MATERIALIZED (
    SELECT v::timestamptz AS instant, regexp_replace(v, '[+-]\d\d(:\d\d){0,2}(?= BC$|$)', '')::timestamp AS local
    FROM unnest(%(values)s::text[]) AS v
),
candidate AS (
    SELECT current_setting('TimeZone') AS name, 0 AS rank
    UNION ALL
    SELECT 'UTC', 1
    UNION ALL
    SELECT z.name, CASE WHEN z.name ~ '^(posix/|right/|Etc/|localtime$|Factory$)' OR strpos(z.name, '/') = 0 THEN 3 ELSE 2 END
    FROM pg_timezone_names z
)
SELECT c.name
FROM candidate c
WHERE NOT EXISTS (SELECT FROM given g WHERE (g.instant AT TIME ZONE c.name) <> g.local)
ORDER BY c.rank, c.name
LIMIT 1
