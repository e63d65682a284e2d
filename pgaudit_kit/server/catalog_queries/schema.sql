-- SCHEMA. Servers 12+. Mirrors getNamespaces, selectDumpableNamespace and dumpNamespace of pg_dump.c.
-- Schema public exists in every database; pg_dump 15+ prints it only when its owner is not pg_database_owner (so always
-- of a server before 15) or its comment is not initdb's. It is listed only then; a comment that was removed is '', as
-- pg_dump's COMMENT ... IS '' says.
SELECT
    n.nspname AS name,
    pg_get_userbyid(n.nspowner) AS owner,
    CASE
        WHEN n.nspname = 'public' THEN nullif(coalesce(d.description, ''), 'standard public schema')
        ELSE d.description
    END AS comment
FROM pg_namespace n
LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND n.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
  AND NOT (
    n.nspname = 'public'
    AND pg_get_userbyid(n.nspowner) = 'pg_database_owner'
    AND coalesce(d.description, '') = 'standard public schema'
  )
