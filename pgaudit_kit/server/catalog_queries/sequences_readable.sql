-- The sequences whose state this role may read with SELECT last_value, is_called FROM it. Servers 12-17.
SELECT c.oid AS relation, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS qualified
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S'
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE')
  -- CASE, because the planner may ask in any order and refuses to ask this of anything else
  AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') END
ORDER BY c.oid
