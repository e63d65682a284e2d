-- What the attributes that the other mutations do not reach, and those that people change most, stand on. Needs the role
-- attributes_owner and the tablespace attributes_space. Servers 18+.
CREATE SCHEMA a;
SET search_path = a;
CREATE EXTENSION citext SCHEMA public;
CREATE ACCESS METHOD heap_two TYPE TABLE HANDLER heap_tableam_handler;
CREATE COLLATION sorted FROM "C";
UPDATE pg_collation SET collprovider = 'i', colllocale = 'und', collcollate = NULL, collctype = NULL, collicurules = '&V < w' WHERE collname = 'sorted';
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN number AS integer;
CREATE DOMAIN filled AS text NOT NULL;
CREATE DOMAIN word AS text COLLATE "C";
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION one(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n + 1';
CREATE FUNCTION linked() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION supported(integer, integer) RETURNS SETOF integer LANGUAGE internal IMMUTABLE STRICT SUPPORT generate_series_int4_support AS 'generate_series_int4';
CREATE FUNCTION windowed() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE FUNCTION transformed(n integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN n; END';
CREATE PROCEDURE p(n integer) LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE PROCEDURE in_c() LANGUAGE internal AS 'int4in';
UPDATE pg_proc SET prolang = (SELECT oid FROM pg_language WHERE lanname = 'c'), probin = '$libdir/one', prosrc = 'symbol' WHERE proname = 'in_c';
CREATE TRANSFORM FOR integer LANGUAGE plpgsql (FROM SQL WITH FUNCTION pg_catalog.prsd_lextype(internal));
CREATE SEQUENCE counter;
CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL, price numeric(10,2) DEFAULT 0, word text, "Other word" text, during int4range,
    CONSTRAINT positive CHECK (price > 0), CONSTRAINT once UNIQUE (n), CONSTRAINT apart EXCLUDE USING gist (during WITH &&));
ALTER TABLE t ADD CONSTRAINT later CHECK (n > 0) NOT VALID;
CREATE TABLE child (id integer, t_id integer CONSTRAINT t_fkey REFERENCES t);
ALTER TABLE child ADD CONSTRAINT old_fkey FOREIGN KEY (id) REFERENCES t NOT VALID;
CREATE INDEX t_word ON t (word);
CREATE UNIQUE INDEX t_id_n ON t (id, n);
CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON t USING (id = 1);
CREATE STATISTICS of_t (ndistinct) ON id, n FROM t;
CREATE TABLE parts (id integer, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE by_range (id integer, v text) PARTITION BY RANGE (id);
CREATE VIEW seen AS SELECT id, word FROM t;
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW empty AS SELECT 1 AS one WITH NO DATA;
ALTER FUNCTION supported(integer, integer) DEPENDS ON EXTENSION citext;
ALTER PROCEDURE in_c() DEPENDS ON EXTENSION citext;
ALTER MATERIALIZED VIEW empty DEPENDS ON EXTENSION citext;
ALTER INDEX t_id_n DEPENDS ON EXTENSION citext;
ALTER INDEX t_pkey DEPENDS ON EXTENSION citext;
ALTER TRIGGER touched ON t DEPENDS ON EXTENSION citext;
CREATE PUBLICATION pub FOR TABLE t, child;
CREATE FOREIGN DATA WRAPPER fdw;
GRANT SELECT ON seen TO attributes_owner;  -- a dump without any privilege may have been made without them
