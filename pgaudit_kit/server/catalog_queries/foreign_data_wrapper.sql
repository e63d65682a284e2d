-- FOREIGN DATA WRAPPER. Servers 12+. Mirrors getForeignDataWrappers and dumpForeignDataWrapper of pg_dump.c.
SELECT
    f.fdwname AS name,
    pg_get_userbyid(f.fdwowner) AS owner,
    d.description AS comment,
    nullif(f.fdwhandler::regproc::text, '-') AS handler,
    nullif(f.fdwvalidator::regproc::text, '-') AS validator,
    (SELECT json_agg(json_build_array(o.option_name, o.option_value)) FROM pg_options_to_table(f.fdwoptions) o)::text AS options_pairs
FROM pg_foreign_data_wrapper f
LEFT JOIN pg_description d ON d.classoid = 'pg_foreign_data_wrapper'::regclass AND d.objoid = f.oid AND d.objsubid = 0
WHERE f.oid >= 16384
  AND f.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_foreign_data_wrapper'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
