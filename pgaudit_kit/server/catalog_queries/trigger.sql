-- TRIGGER. Servers 12+. Mirrors getTriggers and dumpTrigger of pg_dump.c: no internal ones; what a partition has from its
-- parent's trigger only when it is enabled otherwise, and then without definition (ALTER TABLE ... DISABLE TRIGGER alone).
SELECT
    n.nspname AS schema,
    t.relname AS parent,
    g.tgname AS name,
    CASE WHEN g.tgparentid = 0 THEN pg_get_triggerdef(g.oid, false) END AS definition,      -- [>=13]
    CASE WHEN up.oid IS NULL THEN pg_get_triggerdef(g.oid, false) END AS definition,        -- [<13]
    d.description AS comment,
    CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END AS enabled
FROM pg_trigger g
JOIN pg_class t ON t.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_trigger up ON up.oid = g.tgparentid                                            -- [>=13]
LEFT JOIN pg_depend k ON k.classid = 'pg_trigger'::regclass AND k.objid = g.oid AND k.refclassid = 'pg_trigger'::regclass  -- [<13]
LEFT JOIN pg_trigger up ON up.oid = k.refobjid                                              -- [<13]
LEFT JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = g.oid AND d.objsubid = 0
WHERE ((NOT g.tgisinternal AND up.oid IS NULL) OR g.tgenabled <> up.tgenabled)
  AND t.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND t.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
