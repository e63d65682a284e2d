-- Policies, publications, subscriptions, foreign data, large objects, privileges and security labels: each with every attribute.
-- Needs the roles access_reader, access_granter and "Odd; Role". Servers 15+.
CREATE SCHEMA k;
CREATE SCHEMA other;
CREATE TABLE k.t (id integer PRIMARY KEY, a text, "B c" text, k integer);
ALTER TABLE k.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON k.t;
CREATE POLICY "Pol; 2" ON k.t AS RESTRICTIVE FOR UPDATE TO access_reader, "Odd; Role" USING (id > 3 AND a <> ') USING (') WITH CHECK (a IS NOT NULL);
COMMENT ON POLICY "Pol; 2" ON k.t IS 'second';
CREATE PUBLICATION every_table FOR ALL TABLES WITH (publish = 'insert, truncate');
CREATE PUBLICATION some_of FOR TABLE k.t (id, "B c") WHERE (id > 5) WITH (publish_via_partition_root = true);
CREATE PUBLICATION schemas FOR TABLES IN SCHEMA k;
COMMENT ON PUBLICATION some_of IS 'some tables';
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere password=hidden-0' PUBLICATION x, "Y z" WITH (connect = false, enabled = false, binary = true, streaming = on, synchronous_commit = local, slot_name = 'my_slot', two_phase = true, disable_on_error = true);
COMMENT ON SUBSCRIPTION sub IS 's';
CREATE SUBSCRIPTION bare CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE);
CREATE EXTENSION hstore;
CREATE FUNCTION k.handler() RETURNS fdw_handler LANGUAGE internal AS 'textin';
CREATE FOREIGN DATA WRAPPER validated VALIDATOR postgresql_fdw_validator;
CREATE FOREIGN DATA WRAPPER fdw OPTIONS (host 'h', authtype 'hidden-1');
CREATE FOREIGN DATA WRAPPER bare;
CREATE FOREIGN DATA WRAPPER wrapping;
COMMENT ON FOREIGN DATA WRAPPER fdw IS 'w';
CREATE FOREIGN DATA WRAPPER handled HANDLER k.handler OPTIONS (api_key 'hidden-2', filename E'c:\\x');
CREATE SERVER srv TYPE 'ty''pe' VERSION '1.2' FOREIGN DATA WRAPPER wrapping OPTIONS (host 'h;', dbname 'x', passfile 'hidden-3');
CREATE SERVER plain FOREIGN DATA WRAPPER bare;
COMMENT ON SERVER srv IS 'server';
CREATE USER MAPPING FOR PUBLIC SERVER srv OPTIONS (user 'u', password 'hidden-4');
CREATE USER MAPPING FOR postgres SERVER srv OPTIONS (password 'hidden-5');
CREATE USER MAPPING FOR access_reader SERVER plain;
CREATE FOREIGN TABLE k.ft (id integer NOT NULL DEFAULT 3, x text OPTIONS (column_name 'y y'), z text COLLATE "C", g integer GENERATED ALWAYS AS (id * 2) STORED, CONSTRAINT positive CHECK (id > 0)) SERVER srv OPTIONS (schema_name 's', table_name 'it''s');
COMMENT ON FOREIGN TABLE k.ft IS 'foreign';
COMMENT ON COLUMN k.ft.x IS 'foreign column';
CREATE FOREIGN TABLE k.secret () SERVER plain OPTIONS (token 'hidden-6');
CREATE TABLE k.loose (a integer);
CREATE TABLE k.parent (a integer, b text DEFAULT 'x');
CREATE FOREIGN TABLE k.child (c date) INHERITS (k.parent) SERVER plain;
ALTER FOREIGN TABLE k.child ALTER COLUMN b SET DEFAULT 'y', ALTER COLUMN a SET NOT NULL;
CREATE TABLE k.parts (a integer, b text) PARTITION BY LIST (a);
CREATE FOREIGN TABLE k.part_1 PARTITION OF k.parts FOR VALUES IN (1) SERVER plain OPTIONS (table_name 't');
ALTER FOREIGN TABLE k.ft ALTER COLUMN id SET STATISTICS 100;
CREATE FUNCTION k.f(a integer DEFAULT 1, VARIADIC b text[] DEFAULT '{}') RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION k.on_drop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION k.trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER on_foreign AFTER INSERT ON k.ft FOR EACH ROW EXECUTE FUNCTION k.trg();
CREATE PROCEDURE k.p(a integer) LANGUAGE sql AS '';
CREATE AGGREGATE k.agg0(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
CREATE AGGREGATE k.agg1(n integer) (SFUNC = int4pl, STYPE = integer);
CREATE AGGREGATE k.agg2(p double precision ORDER BY v double precision) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_cont_float8_final);
CREATE SEQUENCE k.s;
CREATE VIEW k.v AS SELECT id, a FROM k.t;
CREATE MATERIALIZED VIEW k.mv AS SELECT id, a FROM k.t;
CREATE TYPE k.e AS ENUM ('a');
CREATE DOMAIN k.d AS text;
CREATE TRUSTED LANGUAGE mylang HANDLER plpgsql_call_handler;
SELECT lo_create(5), lo_create(6), lo_create(7), lo_create(4100000000), lo_create(2001);
COMMENT ON LARGE OBJECT 5 IS 'five';
ALTER LARGE OBJECT 7 OWNER TO access_reader;
GRANT SELECT ON LARGE OBJECT 6 TO PUBLIC;
GRANT SELECT, UPDATE ON LARGE OBJECT 2001 TO access_reader WITH GRANT OPTION;

GRANT SELECT ON k.t TO PUBLIC;
GRANT INSERT, UPDATE ON k.t TO access_reader WITH GRANT OPTION;
GRANT ALL ON k.t TO "Odd; Role";
GRANT UPDATE ON k.t TO access_granter WITH GRANT OPTION;
GRANT USAGE ON SCHEMA k TO access_granter WITH GRANT OPTION;
SET SESSION AUTHORIZATION access_granter;
GRANT UPDATE ON k.t TO "Odd; Role";
GRANT USAGE ON SCHEMA k TO access_reader;
RESET SESSION AUTHORIZATION;
GRANT SELECT (id), UPDATE ("B c") ON k.t TO access_reader; GRANT ALL (k) ON k.t TO access_reader;
GRANT SELECT (id) ON k.v TO PUBLIC;
GRANT SELECT (xmin) ON k.t TO PUBLIC;
GRANT SELECT ON k.v TO PUBLIC;
GRANT ALL ON k.mv TO PUBLIC;
GRANT SELECT ON k.ft TO PUBLIC;
GRANT SELECT (x) ON k.ft TO access_reader;
REVOKE DELETE ON k.parent FROM postgres;
REVOKE ALL ON k.parts FROM postgres;
GRANT USAGE ON SEQUENCE k.s TO PUBLIC;
REVOKE EXECUTE ON FUNCTION k.f FROM PUBLIC;
GRANT EXECUTE ON FUNCTION k.f TO "Odd; Role";
REVOKE ALL ON PROCEDURE k.p FROM PUBLIC;
REVOKE ALL ON FUNCTION k.agg0() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION k.agg1 TO access_reader;
GRANT EXECUTE ON FUNCTION k.agg2 TO access_reader;
GRANT USAGE ON TYPE k.e TO access_reader;
REVOKE USAGE ON DOMAIN k.d FROM PUBLIC;
GRANT USAGE ON SCHEMA k TO PUBLIC;
GRANT USAGE ON LANGUAGE mylang TO access_reader;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON FOREIGN SERVER srv TO access_reader;
GRANT USAGE ON FOREIGN DATA WRAPPER fdw TO access_reader;
GRANT CREATE ON SCHEMA public TO access_granter;
REVOKE EXECUTE ON FUNCTION hstore(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hstore(text, text) TO access_reader;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_authid TO access_reader;
GRANT SELECT (rolname) ON pg_catalog.pg_authid TO access_granter;
REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_class TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA k GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA k GRANT ALL ON TABLES TO access_reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE access_granter GRANT USAGE ON SCHEMAS TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE access_granter IN SCHEMA k GRANT USAGE ON SEQUENCES TO access_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE access_granter REVOKE ALL ON TYPES FROM access_granter;
CREATE EVENT TRIGGER evt ON sql_drop EXECUTE FUNCTION k.on_drop();

-- No provider of security labels comes with PostgreSQL
SET allow_system_table_mods = on;
INSERT INTO pg_seclabel
SELECT objid, classid, subid, provider, classid::regclass || ' label'
FROM (VALUES
    ('pg_class'::regclass::oid, 'k.t'::regclass::oid, 0),
    ('pg_class'::regclass, 'k.t'::regclass, 3),
    ('pg_class'::regclass, 'k.v'::regclass, 0),
    ('pg_class'::regclass, 'k.v'::regclass, 1),
    ('pg_class'::regclass, 'k.mv'::regclass, 0),
    ('pg_class'::regclass, 'k.ft'::regclass, 0),
    ('pg_class'::regclass, 'k.s'::regclass, 0),
    ('pg_type'::regclass, 'k.e'::regtype, 0),
    ('pg_type'::regclass, 'k.d'::regtype, 0),
    ('pg_proc'::regclass, 'k.f'::regproc, 0),
    ('pg_proc'::regclass, 'k.p'::regproc, 0),
    ('pg_proc'::regclass, 'k.agg1'::regproc, 0),
    ('pg_proc'::regclass, 'public.hstore(text, text)'::regprocedure, 0),
    ('pg_namespace'::regclass, 'k'::regnamespace, 0),
    ('pg_language'::regclass, (SELECT oid FROM pg_language WHERE lanname = 'mylang'), 0),
    ('pg_event_trigger'::regclass, (SELECT oid FROM pg_event_trigger), 0),
    ('pg_publication'::regclass, (SELECT oid FROM pg_publication WHERE pubname = 'schemas'), 0),
    ('pg_largeobject'::regclass, 6, 0)
) AS o(classid, objid, subid)
CROSS JOIN (VALUES ('first'), ('second')) AS p(provider);
INSERT INTO pg_shseclabel
SELECT oid, 'pg_subscription'::regclass, 'first', 'of a subscription' FROM pg_subscription WHERE subname = 'sub' AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT oid, 'pg_database'::regclass, 'first', 'of a database' FROM pg_database WHERE datname = current_database();
RESET allow_system_table_mods;
