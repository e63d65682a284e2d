-- Privileges and security labels that are not as on a new object: one row per object or column that has any. Servers 12+.
-- Mirrors getAdditionalACLs and collectSecLabels of pg_dump.c and what its get... functions read of each catalog: objects of
-- extensions and of pg_catalog too: of their privileges pg_dump prints what changed since CREATE EXTENSION or initdb (pg_init_privs).
-- kind, schema, name: the object's key; word: of GRANT ... ON; arguments: of a routine, as GRANT names it; column_name: of a
-- column; acl, initial: (grantee, null for PUBLIC; grantor; privilege; grantable); label_pairs: (provider, label).
WITH label AS (
    SELECT classoid, objoid, objsubid, json_agg(json_build_array(provider, label) ORDER BY provider) AS labels
    FROM pg_seclabel
    GROUP BY classoid, objoid, objsubid
),
labelled AS (
    SELECT classoid, objoid FROM label WHERE objsubid = 0
),
bearer(classid, objid, subid, kind, schema, name, arguments, column_name, word, owner, acl) AS (
    SELECT 'pg_class'::regclass::oid, c.oid, 0,
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
            ELSE 'TABLE' END,
        n.nspname, c.relname::text, NULL, NULL::name, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.relowner, c.relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND c.relpersistence <> 't'
      AND (c.relacl IS NOT NULL OR c.oid IN (SELECT objoid FROM labelled WHERE classoid = 'pg_class'::regclass))
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum,
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
            WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
        n.nspname, c.relname, NULL, a.attname, 'TABLE', c.relowner, a.attacl
    FROM (
        SELECT attrelid, attnum FROM pg_attribute WHERE attacl IS NOT NULL
        UNION  -- all are revoked that initdb or an extension granted
        SELECT objoid, objsubid FROM pg_init_privs WHERE classoid = 'pg_class'::regclass AND objsubid <> 0
        UNION
        SELECT objoid, objsubid FROM label WHERE classoid = 'pg_class'::regclass AND objsubid <> 0
    ) k
    JOIN pg_attribute a ON a.attrelid = k.attrelid AND a.attnum = k.attnum
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT a.attisdropped
      AND c.relpersistence <> 't'
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0,
        CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
        n.nspname,
        p.proname || '(' || CASE
            WHEN p.prokind = 'a' THEN coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*')
            ELSE pg_get_function_identity_arguments(p.oid) END || ')',
        CASE WHEN p.prokind = 'a' THEN coalesce((
            SELECT string_agg(format_type(t.type, NULL), ', ' ORDER BY t.place) FROM unnest(p.proargtypes) WITH ORDINALITY AS t(type, place)
        ), '') ELSE pg_get_function_identity_arguments(p.oid) END,
        NULL, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.proowner, p.proacl
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE (p.proacl IS NOT NULL OR p.oid IN (SELECT objoid FROM labelled WHERE classoid = 'pg_proc'::regclass))
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'i')
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname, NULL, NULL,
        'TYPE', t.typowner, t.typacl
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE (t.typacl IS NOT NULL OR t.oid IN (SELECT objoid FROM labelled WHERE classoid = 'pg_type'::regclass))
      AND (t.typrelid = 0 OR c.relkind = 'c')
      AND t.typtype <> 'm'  -- getTypes: a dummy, although default privileges reach it up to 16
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 0, 'SCHEMA', NULL, n.nspname, NULL, NULL, 'SCHEMA', n.nspowner, n.nspacl
    FROM pg_namespace n
    WHERE (n.nspname !~ '^pg_' OR n.nspname = 'pg_catalog')
      AND n.nspname <> 'information_schema'
      AND (n.nspacl IS NOT NULL OR n.nspname = 'public' OR n.oid IN (SELECT objoid FROM labelled WHERE classoid = 'pg_namespace'::regclass))
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 0, 'PROCEDURAL LANGUAGE', NULL, l.lanname, NULL, NULL, 'LANGUAGE', l.lanowner,
        CASE WHEN l.lanpltrusted THEN l.lanacl END
    FROM pg_language l
    WHERE l.lanispl  -- getProcLangs does not read c, internal and sql
      AND (l.lanacl IS NOT NULL OR l.oid IN (SELECT objoid FROM labelled WHERE classoid = 'pg_language'::regclass))
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, 0, 'FOREIGN DATA WRAPPER', NULL, f.fdwname, NULL, NULL, 'FOREIGN DATA WRAPPER',
        f.fdwowner, f.fdwacl
    FROM pg_foreign_data_wrapper f
    WHERE f.fdwacl IS NOT NULL
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 0, 'SERVER', NULL, s.srvname, NULL, NULL, 'FOREIGN SERVER', s.srvowner, s.srvacl
    FROM pg_foreign_server s
    WHERE s.srvacl IS NOT NULL
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, x.oid, 0, 'EVENT TRIGGER', NULL, x.evtname, NULL, NULL, NULL, x.evtowner, NULL
    FROM pg_event_trigger x
    WHERE x.oid IN (SELECT objoid FROM labelled WHERE classoid = 'pg_event_trigger'::regclass)
    UNION ALL
    SELECT 'pg_publication'::regclass, p.oid, 0, 'PUBLICATION', NULL, p.pubname, NULL, NULL, NULL, p.pubowner, NULL
    FROM pg_publication p
    WHERE p.oid IN (SELECT objoid FROM labelled WHERE classoid = 'pg_publication'::regclass)
)
SELECT
    b.kind,
    b.schema,
    b.name,
    b.arguments,
    b.column_name,
    b.word,
    pg_get_userbyid(b.owner) AS owner,
    (
        SELECT json_agg(json_build_array(CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END, pg_get_userbyid(e.grantor),
                                         e.privilege_type, e.is_grantable))
        FROM aclexplode(b.acl) e
    )::text AS acl,
    b.acl IS NULL AND i.initprivs IS NULL AS as_made,
    (
        SELECT json_agg(json_build_array(CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END, pg_get_userbyid(e.grantor),
                                         e.privilege_type, e.is_grantable))
        FROM aclexplode(i.initprivs) e
    )::text AS initial,
    l.labels::text AS label_pairs
FROM bearer b
LEFT JOIN pg_init_privs i ON i.classoid = b.classid AND i.objoid = b.objid AND i.objsubid = b.subid
LEFT JOIN label l ON l.classoid = b.classid AND l.objoid = b.objid AND l.objsubid = b.subid
WHERE b.schema IS NULL
   OR (b.schema = 'pg_catalog' AND b.acl IS DISTINCT FROM i.initprivs)  -- else as initdb made it, which is most of them
   OR (b.schema !~ '^pg_' AND b.schema <> 'information_schema')
