-- Columns of TABLE, FOREIGN TABLE and composite TYPE. Servers 12+. Mirrors getTableAttrs, flagInhAttrs, shouldPrintColumn and
-- dumpTableSchema of pg_dump.c: a child table prints only its own columns; of an inherited one only what it overrides,
-- in ALTER TABLE commands, so such a column has those attributes alone. Partitions print all columns. A typed table
-- prints a column only when it has a default or NOT NULL, without its type but with its collation.
WITH wanted AS (
    SELECT c.oid, c.relname, c.relkind, c.relispartition, c.reloftype
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'c', 'f')
      AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
),
-- What the parents of a child or partition have under the same column name
above AS (
    SELECT
        i.inhrelid,
        pa.attname,
        bool_or(pa.attnotnull) AS not_null,
        bool_or(pn.oid IS NOT NULL) AS proven,  -- [>=18] by one parent at least; NOT VALID on all that have it, a child says its own
        array_agg(DISTINCT pg_get_expr(pd.adbin, pd.adrelid)) FILTER (WHERE pa.attgenerated <> '') AS generated
    FROM pg_inherits i
    JOIN wanted w ON w.oid = i.inhrelid
    JOIN pg_attribute pa ON pa.attrelid = i.inhparent AND pa.attnum > 0 AND NOT pa.attisdropped
    LEFT JOIN pg_attrdef pd ON pd.adrelid = pa.attrelid AND pd.adnum = pa.attnum
    LEFT JOIN pg_constraint pn ON pn.conrelid = pa.attrelid AND pn.contype = 'n' AND pn.conkey[1] = pa.attnum AND pn.convalidated  -- [>=18]
    GROUP BY i.inhrelid, pa.attname
),
described AS (
    SELECT
        w.oid AS relation,
        a.attnum,
        a.attname,
        (a.attislocal OR w.relispartition OR w.relkind = 'c') AS own,
        w.reloftype <> 0 AS typed,
        format_type(a.atttypid, a.atttypmod) AS type,
        CASE
            WHEN a.attcollation <> t.typcollation THEN (
                SELECT quote_ident(ln.nspname) || '.' || quote_ident(l.collname)
                FROM pg_collation l JOIN pg_namespace ln ON ln.oid = l.collnamespace
                WHERE l.oid = a.attcollation
            )
        END AS "collation",
        CASE
            WHEN w.relkind = 'c' THEN NULL
            WHEN nn.oid IS NOT NULL AND (nn.conislocal OR w.relispartition OR NOT above.proven) THEN 'true'     -- [>=18]
            WHEN a.attnotnull AND (w.relispartition OR NOT coalesce(above.not_null, false)) THEN 'true'       -- [<18]
        END AS not_null,
        nullif(nn.conname, w.relname || '_' || a.attname || '_not_null') AS not_null_name,  -- [>=18] determineNotNullFlags
        CASE WHEN nn.connoinherit THEN 'true' END AS not_null_no_inherit,                   -- [>=18]
        nd.description AS not_null_comment,  -- [>=18] also of an inherited one, which is not printed itself
        -- names no column, so that the table need not be opened for it
        CASE WHEN a.attgenerated = '' THEN pg_get_expr(ad.adbin, 0) END AS "default",
        CASE
            WHEN ad.oid IS NULL OR a.attgenerated = '' THEN NULL
            -- a child takes over the expression of its parents when that is its own
            WHEN NOT w.relispartition AND above.generated = array[pg_get_expr(ad.adbin, ad.adrelid)] THEN NULL
            WHEN a.attgenerated = 's' THEN pg_get_expr(ad.adbin, ad.adrelid) || ' STORED'
            WHEN a.attgenerated = 'v' THEN pg_get_expr(ad.adbin, ad.adrelid) || ' VIRTUAL'
        END AS generated,
        CASE
            WHEN a.attidentity = '' THEN NULL
            -- a partition has the identity of its parent (17+) but not the sequence, and then prints nothing
            WHEN NOT EXISTS (
                SELECT FROM pg_depend s
                WHERE s.classid = 'pg_class'::regclass AND s.refclassid = 'pg_class'::regclass
                  AND s.refobjid = w.oid AND s.refobjsubid = a.attnum AND s.deptype = 'i'
            ) THEN NULL
            WHEN a.attidentity = 'a' THEN 'ALWAYS'
            WHEN a.attidentity = 'd' THEN 'BY DEFAULT'
        END AS identity,
        CASE WHEN w.relkind <> 'c' AND a.attstorage <> t.typstorage THEN CASE a.attstorage
            WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END AS storage,
        CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,  -- [>=14]
        CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END AS statistics,
        array_to_string(a.attoptions, ', ') AS options,
        CASE WHEN a.attfdwoptions IS NOT NULL THEN (
            SELECT json_agg(json_build_array(o.option_name, o.option_value)) FROM pg_options_to_table(a.attfdwoptions) o
        ) END::text AS foreign_options_pairs,
        d.description AS comment
    FROM wanted w
    JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
    LEFT JOIN pg_constraint nn ON nn.conrelid = w.oid AND nn.contype = 'n' AND nn.conkey[1] = a.attnum AND nn.convalidated  -- [>=18]
    LEFT JOIN pg_description nd ON nd.classoid = 'pg_constraint'::regclass AND nd.objoid = nn.oid AND nd.objsubid = 0  -- [>=18]
    LEFT JOIN above ON above.inhrelid = w.oid AND above.attname = a.attname
    LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = w.oid AND d.objsubid = a.attnum
)
SELECT
    relation,
    attnum,
    attname AS name,
    CASE WHEN own AND NOT typed THEN type END AS type,
    CASE WHEN own AND (NOT typed OR not_null IS NOT NULL OR "default" IS NOT NULL OR generated IS NOT NULL) THEN "collation" END
        AS "collation",
    not_null,
    CASE WHEN not_null IS NOT NULL THEN not_null_name END AS not_null_name,              -- [>=18]
    CASE WHEN not_null IS NOT NULL THEN not_null_no_inherit END AS not_null_no_inherit,  -- [>=18]
    not_null_comment,                                                                    -- [>=18]
    "default",
    CASE WHEN own THEN generated END AS generated,
    identity,
    storage,
    compression,  -- [>=14]
    statistics,
    options,
    foreign_options_pairs,
    comment
FROM described
WHERE (own AND NOT typed) OR not_null IS NOT NULL OR "default" IS NOT NULL OR comment IS NOT NULL
   OR storage IS NOT NULL OR statistics IS NOT NULL OR options IS NOT NULL OR foreign_options_pairs IS NOT NULL
   OR compression IS NOT NULL  -- [>=14]
   OR not_null_comment IS NOT NULL  -- [>=18]
