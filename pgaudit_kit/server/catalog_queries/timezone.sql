-- The zones under which each of these timestamptz texts (ISO DateStyle) prints back unchanged, the session's own and UTC
-- first, a fixed offset last. Servers 12+. Text equal in its local part is equal in its offset too: both are of the same instant.
WITH given AS MATERIALIZED (
    SELECT v::timestamptz AS instant, regexp_replace(v, '[+-]\d\d(:\d\d){0,2}(?= BC$|$)', '')::timestamp AS local
    FROM unnest(%(values)s::text[]) AS v
),
candidate AS (
    SELECT f.name, f.rank
    FROM (VALUES (%(first)s::text, -1), (current_setting('TimeZone'), 0), ('UTC', 1), (%(fixed)s::text, 4)) f(name, rank)
    WHERE f.name IS NOT NULL
    UNION ALL
    SELECT z.name, CASE WHEN z.name ~ '^(posix/|right/|Etc/|localtime$|Factory$)' OR strpos(z.name, '/') = 0 THEN 3 ELSE 2 END
    FROM pg_timezone_names z
)
SELECT c.name
FROM candidate c
WHERE NOT EXISTS (SELECT FROM given g WHERE (g.instant AT TIME ZONE c.name) <> g.local)
ORDER BY c.rank, c.name
LIMIT 1
