-- Comments and security labels of large objects. Servers 12+.
SELECT d.objoid::bigint AS oid, 'comment' AS attribute, d.description AS text
FROM pg_description d
WHERE d.classoid = 'pg_largeobject'::regclass
UNION ALL
SELECT s.objoid::bigint, 'security_label', string_agg(s.provider || ': ' || s.label, E'\n' ORDER BY s.provider || ': ' || s.label COLLATE "C")
FROM pg_seclabel s
WHERE s.classoid = 'pg_largeobject'::regclass
GROUP BY s.objoid
