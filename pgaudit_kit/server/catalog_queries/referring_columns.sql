-- The columns of tables and what else can be read as one, with the operator by which a foreign key finds equal values and the collation it
-- uses. All servers. Mirrors ri_HashCompareOp and ri_GenerateQualCollation of ri_triggers.c: the default btree class of the type;
-- where there is none (varchar, enums, arrays), the operator of the same name in pg_catalog does.
SELECT n.nspname AS schema,
       c.relname AS name,
       c.relkind::text AS kind,
       a.attname AS column_name,
       coalesce(quote_ident(opn.nspname) || '.' || o.oprname, 'pg_catalog.=') AS equality,
       CASE WHEN a.attcollation <> 0 THEN quote_ident(ln.nspname) || '.' || quote_ident(l.collname) END AS collation
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type b ON b.oid = t.typbasetype
  LEFT JOIN pg_opclass k ON k.opcintype = coalesce(nullif(b.typbasetype, 0), b.oid, t.oid) AND k.opcdefault
                        AND k.opcmethod = (SELECT oid FROM pg_am WHERE amname = 'btree')
  LEFT JOIN pg_amop m ON m.amopfamily = k.opcfamily AND m.amoplefttype = k.opcintype AND m.amoprighttype = k.opcintype
                     AND m.amopstrategy = 3
  LEFT JOIN pg_operator o ON o.oid = m.amopopr
  LEFT JOIN pg_namespace opn ON opn.oid = o.oprnamespace
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname !~ '^pg_'
   AND n.nspname <> 'information_schema'
