-- The ordinary tables that pg_dump dumps, as a condition on c (pg_class) and n (pg_namespace); not those that belong to an extension.
c.relkind = 'r'
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND c.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
