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
    -- getTypes: base, range and shell types; multirange types come with their range
    SELECT 'pg_type'::regclass::oid, t.oid, 'TYPE', h.nspname, t.typname,
        CASE WHEN t.typtype = 'r' THEN 'range type' WHEN t.typisdefined THEN 'base type' ELSE 'shell type' END
    FROM pg_type t
    JOIN home h ON h.oid = t.typnamespace
    WHERE t.typtype IN ('b', 'r', 'p')
      AND NOT EXISTS (SELECT FROM pg_type a WHERE a.typarray = t.oid)
    -- getAggregates
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 'AGGREGATE', h.nspname,
        p.proname || '(' || CASE WHEN p.pronargs = 0 THEN '*' ELSE (
            SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.place) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(type, place)
        ) END || ')', 'aggregate'
    FROM pg_proc p JOIN home h ON h.oid = p.pronamespace
    WHERE p.prokind = 'a'
    -- getOperators, getOpclasses, getOpfamilies
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 'OPERATOR', h.nspname, o.oprname,
        'operator (' || format_type(o.oprleft, NULL) || ', ' || format_type(o.oprright, NULL) || ')'
    FROM pg_operator o JOIN home h ON h.oid = o.oprnamespace
    UNION ALL
    SELECT 'pg_opclass'::regclass, o.oid, 'OPERATOR CLASS', h.nspname, o.opcname, 'operator class using ' || a.amname
    FROM pg_opclass o JOIN home h ON h.oid = o.opcnamespace JOIN pg_am a ON a.oid = o.opcmethod
    UNION ALL
    SELECT 'pg_opfamily'::regclass, o.oid, 'OPERATOR FAMILY', h.nspname, o.opfname, 'operator family using ' || a.amname
    FROM pg_opfamily o JOIN home h ON h.oid = o.opfnamespace JOIN pg_am a ON a.oid = o.opfmethod
    -- getCollations, getConversions
    UNION ALL
    SELECT 'pg_collation'::regclass, c.oid, 'COLLATION', h.nspname, c.collname, 'collation'
    FROM pg_collation c JOIN home h ON h.oid = c.collnamespace
    UNION ALL
    SELECT 'pg_conversion'::regclass, c.oid, 'CONVERSION', h.nspname, c.conname, 'conversion'
    FROM pg_conversion c JOIN home h ON h.oid = c.connamespace
    -- getTSParsers, getTSTemplates, getTSDictionaries, getTSConfigurations
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, x.oid, 'TEXT SEARCH PARSER', h.nspname, x.prsname, 'text search parser'
    FROM pg_ts_parser x JOIN home h ON h.oid = x.prsnamespace
    UNION ALL
    SELECT 'pg_ts_template'::regclass, x.oid, 'TEXT SEARCH TEMPLATE', h.nspname, x.tmplname, 'text search template'
    FROM pg_ts_template x JOIN home h ON h.oid = x.tmplnamespace
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, x.oid, 'TEXT SEARCH DICTIONARY', h.nspname, x.dictname, 'text search dictionary'
    FROM pg_ts_dict x JOIN home h ON h.oid = x.dictnamespace
    UNION ALL
    SELECT 'pg_ts_config'::regclass, x.oid, 'TEXT SEARCH CONFIGURATION', h.nspname, x.cfgname, 'text search configuration'
    FROM pg_ts_config x JOIN home h ON h.oid = x.cfgnamespace
    -- getCasts, getTransforms, getProcLangs, getAccessMethods: no schema; built-in ones have OIDs below 16384
    UNION ALL
    SELECT 'pg_cast'::regclass, c.oid, 'CAST', NULL,
        'CAST (' || format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) || ')', 'cast'
    FROM pg_cast c
    WHERE c.oid >= 16384
      AND NOT EXISTS (SELECT FROM pg_range r WHERE r.rngtypid = c.castsource AND r.rngmultitypid = c.casttarget)  -- [>=14]
    UNION ALL
    SELECT 'pg_transform'::regclass, t.oid, 'TRANSFORM', NULL,
        'TRANSFORM FOR ' || format_type(t.trftype, NULL) || ' LANGUAGE ' || l.lanname, 'transform'
    FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
    WHERE t.oid >= 16384
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 'PROCEDURAL LANGUAGE', NULL, l.lanname, 'procedural language'
    FROM pg_language l
    WHERE l.oid >= 16384
    UNION ALL
    SELECT 'pg_am'::regclass, a.oid, 'ACCESS METHOD', NULL, a.amname, 'access method'
    FROM pg_am a
    WHERE a.oid >= 16384
    -- getForeignDataWrappers, getForeignServers, dumpUserMappings, getTables; options may hold secrets and are not read
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, 'FOREIGN DATA WRAPPER', NULL, f.fdwname, 'foreign data wrapper'
    FROM pg_foreign_data_wrapper f
    WHERE f.oid >= 16384
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 'SERVER', NULL, s.srvname, 'foreign server' FROM pg_foreign_server s
    UNION ALL
    SELECT 0, 0, 'USER MAPPING', NULL, 'USER MAPPING ' || u.usename || ' SERVER ' || u.srvname, 'user mapping' FROM pg_user_mappings u
    UNION ALL
    SELECT 0, 0, 'FOREIGN TABLE', r.nspname, r.relname, 'foreign table' FROM relation r WHERE r.relkind = 'f'
    -- getExtendedStatistics
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 'STATISTICS', h.nspname, s.stxname, 'extended statistics'
    FROM pg_statistic_ext s JOIN home h ON h.oid = s.stxnamespace
    -- getPolicies: also those on tables of extensions
    UNION ALL
    SELECT 0, 0, 'POLICY', h.nspname, c.relname || ' ' || p.polname, 'row-level security policy'
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN home h ON h.oid = c.relnamespace
    -- getEventTriggers
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, e.oid, 'EVENT TRIGGER', NULL, e.evtname, 'event trigger' FROM pg_event_trigger e
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
    -- dumpTableSchema, dumpIndex: settings of single columns
    UNION ALL
    SELECT 0, 0, CASE r.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END,
        r.nspname, r.relname, 'settings of column ' || quote_ident(a.attname) || ': ' || concat_ws(', ',
            CASE WHEN coalesce(a.attstattarget, -1) >= 0 THEN 'STATISTICS ' || a.attstattarget END,
            CASE WHEN r.relkind IN ('r', 'p', 'm') AND a.attstorage <> t.typstorage THEN 'STORAGE ' || CASE a.attstorage
                WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
            CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END,  -- [>=14]
            array_to_string(a.attoptions, ', '))
    FROM relation r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE r.relkind IN ('r', 'p', 'm', 'i', 'I')
      AND (coalesce(a.attstattarget, -1) >= 0
           OR (r.relkind IN ('r', 'p', 'm') AND a.attstorage <> t.typstorage)
           OR a.attcompression IN ('p', 'l')  -- [>=14]
           OR a.attoptions IS NOT NULL)
    -- getTableAttrs: a default on a view's column
    UNION ALL
    SELECT 0, 0, 'DEFAULT', r.nspname, r.relname || ' ' || a.attname, 'default of a view column'
    FROM relation r
    JOIN pg_attrdef d ON d.adrelid = r.oid
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.adnum
    WHERE r.relkind = 'v'
    -- dumpIndex: a comment on the index behind a constraint, beside the constraint's own
    UNION ALL
    SELECT 0, 0, 'COMMENT', r.nspname, 'INDEX ' || quote_ident(r.relname), 'comment on the index of a constraint'
    FROM pg_description d
    JOIN relation r ON r.oid = d.objoid AND r.relkind IN ('i', 'I')
    JOIN pg_constraint o ON o.conindid = r.oid AND o.contype IN ('p', 'u', 'x')
    WHERE d.classoid = 'pg_class'::regclass
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
