-- Sequences that feed a column: serial (deptype a, ALTER SEQUENCE ... OWNED BY) and identity (deptype i). All servers.
-- Mirrors the owning-column part of getTables and getOwnedSeqs in pg_dump.c.
SELECT
       sn.nspname AS schema,
       s.relname AS name,
       quote_ident(sn.nspname) || '.' || quote_ident(s.relname) AS sequence,
       tn.nspname AS table_schema,
       t.relname AS table_name,
       a.attname AS column_name,
       q.seqincrement AS increment
  FROM pg_class s
  JOIN pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_sequence q ON q.seqrelid = s.oid
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.objsubid = 0
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  JOIN pg_class t ON t.oid = d.refobjid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
 WHERE s.relkind = 'S'
   AND s.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = s.oid AND e.deptype = 'e')
 ORDER BY sn.nspname, s.relname
