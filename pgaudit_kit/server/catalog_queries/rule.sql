-- RULE. Servers 12+. Mirrors getRules and dumpRule of pg_dump.c: not the _RETURN rule that is a view's own query.
SELECT
    n.nspname AS schema,
    t.relname AS parent,
    r.rulename AS name,
    regexp_replace(pg_get_ruledef(r.oid), ';\Z', '') AS definition,
    d.description AS comment,
    CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END AS enabled
FROM pg_rewrite r
JOIN pg_class t ON t.oid = r.ev_class
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_rewrite'::regclass AND d.objoid = r.oid AND d.objsubid = 0
WHERE NOT (r.ev_type = '1' AND r.is_instead AND t.relkind IN ('v', 'm'))
  AND t.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
