-- Everything else in the catalog that pg_dump dumps and that records.objects.ATTRIBUTES does not describe: one row per
-- object, kind = pg_dump's TOC desc, name = its tag. Servers 12+. Mirrors the get... functions of pg_dump.c that the
-- sections name, selectDumpable... for what is left out, and buildACLCommands of dumputils.c for privileges.
WITH home AS (  -- schemas whose objects are dumped
    SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
),
member AS (  -- extensions bring these back themselves
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
relation AS (
    SELECT c.oid, c.relname, c.relkind, h.nspname
    FROM pg_class c
    JOIN home h ON h.oid = c.relnamespace
    WHERE c.relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
),
found(classid, objid, kind, schema, name, reason) AS (
    -- getForeignDataWrappers, getForeignServers, dumpUserMappings, getTables; options may hold secrets and are not read
    SELECT 'pg_foreign_data_wrapper'::regclass::oid, f.oid, 'FOREIGN DATA WRAPPER', NULL, f.fdwname, 'foreign data wrapper'
    FROM pg_foreign_data_wrapper f
    WHERE f.oid >= 16384
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 'SERVER', NULL, s.srvname, 'foreign server' FROM pg_foreign_server s
    UNION ALL
    SELECT 0, 0, 'USER MAPPING', NULL, 'USER MAPPING ' || u.usename || ' SERVER ' || u.srvname, 'user mapping' FROM pg_user_mappings u
    UNION ALL
    SELECT 0, 0, 'FOREIGN TABLE', r.nspname, r.relname, 'foreign table' FROM relation r WHERE r.relkind = 'f'
    -- getPolicies: also those on tables of extensions
    UNION ALL
    SELECT 0, 0, 'POLICY', h.nspname, c.relname || ' ' || p.polname, 'row-level security policy'
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN home h ON h.oid = c.relnamespace
    -- getPublications, getPublicationTables, getPublicationNamespaces, getSubscriptions
    UNION ALL
    SELECT 'pg_publication'::regclass, p.oid, 'PUBLICATION', NULL, p.pubname, 'publication' FROM pg_publication p
    UNION ALL
    SELECT 0, 0, 'PUBLICATION TABLE', r.nspname, p.pubname || ' ' || r.relname, 'table of a publication'
    FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid JOIN relation r ON r.oid = m.prrelid
    UNION ALL                                                                                               -- [>=15]
    SELECT 0, 0, 'PUBLICATION TABLES IN SCHEMA', h.nspname, p.pubname || ' ' || h.nspname, 'schema of a publication'  -- [>=15]
    FROM pg_publication_namespace m JOIN pg_publication p ON p.oid = m.pnpubid JOIN home h ON h.oid = m.pnnspid       -- [>=15]
    UNION ALL
    SELECT 0, 0, 'SUBSCRIPTION', NULL, s.subname, 'subscription'
    FROM pg_subscription s
    WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    -- getDefaultACLs
    UNION ALL
    SELECT 0, 0, 'DEFAULT ACL', n.nspname, 'DEFAULT PRIVILEGES FOR ' || CASE a.defaclobjtype
            WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
            WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' ELSE a.defaclobjtype::text END,
        'default privileges of objects made by ' || pg_get_userbyid(a.defaclrole)
    FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
    -- getLOs: there may be millions, so they are one row
    UNION ALL
    SELECT 0, 0, 'BLOB', NULL, count(*) || ' large objects', 'contents, owners and privileges of large objects'
    FROM pg_largeobject_metadata
    HAVING count(*) > 0
    -- dumpIndex: not of the index behind a constraint
    UNION ALL
    SELECT 0, 0, 'INDEX', r.nspname, r.relname, 'statistics target of a column of the index of a constraint; pg_dump leaves it out'
    FROM relation r
    JOIN pg_constraint o ON o.conindid = r.oid AND o.contype = 'x'
    WHERE r.relkind IN ('i', 'I')
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attstattarget >= 0)
    -- getIndexes leaves these out of every dump
    UNION ALL
    SELECT 0, 0, 'INDEX', r.nspname, ic.relname, 'invalid index; pg_dump leaves it out'
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN relation r ON r.oid = i.indrelid
    WHERE r.relkind IN ('r', 'p', 'm') AND NOT (i.indisready AND (i.indisvalid OR r.relkind = 'p'))
    -- collectSecLabels
    UNION ALL
    SELECT 0, 0, 'SECURITY LABEL', s.objnamespace::regnamespace::text, s.objtype || ' ' || s.objname, 'security label of ' || s.provider
    FROM pg_seclabels s
    WHERE s.objtype <> 'role' AND s.objtype <> 'database' AND s.objtype <> 'tablespace'
),
-- Privileges: dumped when they differ from what initdb or the extension gave (pg_init_privs), else from the built-in default
privilege(classid, objid, subid, schema, name, acl, standard) AS (
    SELECT 'pg_class'::regclass::oid, c.oid, 0, n.nspname,
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || quote_ident(c.relname),
        c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relacl IS NOT NULL AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, n.nspname,
        'COLUMN ' || quote_ident(c.relname) || '.' || quote_ident(a.attname), a.attacl, '{}'
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, n.nspname,
        CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || quote_ident(p.proname)
            || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        p.proacl, acldefault('f', p.proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proacl IS NOT NULL
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, n.nspname, 'TYPE ' || quote_ident(t.typname), t.typacl, acldefault('T', t.typowner)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typacl IS NOT NULL
    UNION ALL
    -- of public, pg_dump 15+ takes as given what 15 gives it, whatever initdb did (getNamespaces)
    SELECT CASE WHEN n.nspname <> 'public' THEN 'pg_namespace'::regclass END, n.oid, 0, n.nspname, 'SCHEMA ' || quote_ident(n.nspname),
        n.nspacl, acldefault('n', n.nspowner)
            || CASE WHEN n.nspname = 'public' THEN array[makeaclitem(0, n.nspowner, 'USAGE', false)] ELSE '{}' END
    FROM pg_namespace n
    WHERE n.nspacl IS NOT NULL
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 0, NULL, 'LANGUAGE ' || quote_ident(l.lanname), l.lanacl, acldefault('l', l.lanowner)
    FROM pg_language l
    WHERE l.lanacl IS NOT NULL AND l.lanpltrusted
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, 0, NULL, 'FOREIGN DATA WRAPPER ' || quote_ident(f.fdwname),
        f.fdwacl, acldefault('F', f.fdwowner)
    FROM pg_foreign_data_wrapper f
    WHERE f.fdwacl IS NOT NULL
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 0, NULL, 'FOREIGN SERVER ' || quote_ident(s.srvname), s.srvacl, acldefault('S', s.srvowner)
    FROM pg_foreign_server s
    WHERE s.srvacl IS NOT NULL
),
changed AS (
    SELECT p.schema, p.name, array(SELECT unnest(p.acl)::text) AS now, array(SELECT unnest(coalesce(i.initprivs, p.standard))::text) AS was
    FROM privilege p
    LEFT JOIN pg_init_privs i ON i.classoid = p.classid AND i.objoid = p.objid AND i.objsubid = p.subid
    WHERE p.schema IS NULL OR p.schema = 'pg_catalog' OR (p.schema !~ '^pg_' AND p.schema <> 'information_schema')
)
SELECT kind, schema, name, reason
FROM found f
WHERE f.classid = 0
   OR NOT EXISTS (SELECT FROM member m WHERE m.classid = f.classid AND m.objid = f.objid)
UNION ALL
SELECT 'ACL', CASE WHEN name LIKE 'SCHEMA %' THEN NULL ELSE schema END, name, 'privileges'
FROM changed
WHERE NOT (now @> was AND was @> now)
