-- Sequences that feed a column of whole numbers. All servers: what owns one (serial: deptype a, ALTER SEQUENCE ... OWNED BY;
-- identity: deptype i), and what has it in its default, so that several tables may share one. Columns that a child table or a partition
-- inherits are its parent's. Mirrors the owning-column part of getTables and getOwnedSeqs in pg_dump.c.
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
  JOIN (
       SELECT d.objid AS sequence, d.refobjid AS fed, d.refobjsubid AS number
         FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
       UNION
       SELECT d.refobjid, e.adrelid, e.adnum
         FROM pg_depend d
         JOIN pg_attrdef e ON e.oid = d.objid
        WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid = 0
       ) f ON f.sequence = s.oid
  JOIN pg_class t ON t.oid = f.fed AND t.relkind IN ('r', 'p')
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.number AND a.attinhcount = 0
  JOIN pg_type y ON y.oid = a.atttypid
 WHERE s.relkind = 'S'
   AND s.relpersistence <> 't'
   AND coalesce(nullif(y.typbasetype, 0), y.oid) IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
   AND s.oid NOT IN (
     SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
   )
 ORDER BY sn.nspname, s.relname, tn.nspname, t.relname, a.attname
