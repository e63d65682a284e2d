-- The names of catalog queries that would give no row here, so that they need not be asked: most databases have no operator, no policy,
-- no foreign server, and asking for each took half the time that a snapshot of a small database took. Servers 12+.
-- A name must not be listed when its query would give a row, and may be missing when it would give none. What has no line is always asked.
WITH system AS (
    SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema'
),
relation AS (
    SELECT array_agg(DISTINCT relkind) AS kinds FROM pg_class WHERE relnamespace NOT IN (TABLE system)
),
routine AS (
    SELECT array_agg(DISTINCT prokind) AS kinds FROM pg_proc WHERE pronamespace NOT IN (TABLE system)
)
SELECT name
FROM (
    VALUES
        ('access_method', EXISTS (SELECT FROM pg_am WHERE oid >= 16384)),
        ('aggregate', (SELECT 'a' = ANY (kinds) FROM routine)),
        ('cast', EXISTS (SELECT FROM pg_cast WHERE oid >= 16384)),
        ('collation', EXISTS (SELECT FROM pg_collation WHERE collnamespace NOT IN (TABLE system))),
        ('conversion', EXISTS (SELECT FROM pg_conversion WHERE connamespace NOT IN (TABLE system))),
        ('default_acl', EXISTS (SELECT FROM pg_default_acl)),
        ('depends_on_extensions', EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'x')),
        ('domain', EXISTS (SELECT FROM pg_type WHERE typtype = 'd' AND typnamespace NOT IN (TABLE system))),
        ('event_trigger', EXISTS (SELECT FROM pg_event_trigger)),
        ('foreign_data_wrapper', EXISTS (SELECT FROM pg_foreign_data_wrapper)),
        ('foreign_server', EXISTS (SELECT FROM pg_foreign_server)),
        ('foreign_table', (SELECT 'f' = ANY (kinds) FROM relation)),
        ('language', EXISTS (SELECT FROM pg_language WHERE oid >= 16384)),
        ('large_object', EXISTS (SELECT FROM pg_largeobject_metadata)),
        ('large_object_texts', EXISTS (SELECT FROM pg_largeobject_metadata)),
        ('materialized_view', (SELECT 'm' = ANY (kinds) FROM relation)),
        ('operator', EXISTS (SELECT FROM pg_operator WHERE oprnamespace NOT IN (TABLE system))),
        ('operator_class', EXISTS (SELECT FROM pg_opclass WHERE opcnamespace NOT IN (TABLE system))),
        ('operator_family', EXISTS (SELECT FROM pg_opfamily WHERE opfnamespace NOT IN (TABLE system))),
        ('policy', EXISTS (SELECT FROM pg_policy)),
        ('publication', EXISTS (SELECT FROM pg_publication)),
        ('publication_schema', EXISTS (SELECT FROM pg_publication)),
        ('publication_table', EXISTS (SELECT FROM pg_publication)),
        ('routine', (SELECT kinds && '{f,p,w}' FROM routine)),
        ('sequence', (SELECT 'S' = ANY (kinds) FROM relation)),
        ('statistics', EXISTS (SELECT FROM pg_statistic_ext)),
        ('text_search_configuration', EXISTS (SELECT FROM pg_ts_config WHERE cfgnamespace NOT IN (TABLE system))),
        ('text_search_dictionary', EXISTS (SELECT FROM pg_ts_dict WHERE dictnamespace NOT IN (TABLE system))),
        ('text_search_parser', EXISTS (SELECT FROM pg_ts_parser WHERE prsnamespace NOT IN (TABLE system))),
        ('text_search_template', EXISTS (SELECT FROM pg_ts_template WHERE tmplnamespace NOT IN (TABLE system))),
        ('transform', EXISTS (SELECT FROM pg_transform)),
        ('trigger', EXISTS (SELECT FROM pg_trigger)),
        ('user_mapping', EXISTS (SELECT FROM pg_foreign_server)),  -- not everyone may read pg_user_mapping
        ('view', (SELECT 'v' = ANY (kinds) FROM relation))
) AS asked(name, found)
WHERE found IS NOT TRUE
