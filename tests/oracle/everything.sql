-- Every kind of entry that pg_dump can write of a PostgreSQL 13 (and newer), awkward names and rows included.
-- Roles "the owner's" and watcher must exist. Dumped by every version in every format, it must always say the same.
ALTER DATABASE :database SET work_mem = '4MB';
ALTER DATABASE :database SET search_path = 'app', '$user', 'it''s';
ALTER ROLE watcher IN DATABASE :database SET statement_timeout = 7000;
COMMENT ON DATABASE :database IS 'every kind; one''s own';
GRANT CONNECT ON DATABASE :database TO watcher;

CREATE SCHEMA app AUTHORIZATION "the owner's";
CREATE SCHEMA "Weird Sch;ema";
COMMENT ON SCHEMA app IS E'several\nlines; --';
GRANT USAGE ON SCHEMA app TO watcher;
CREATE SCHEMA empty_one;
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION hstore SCHEMA app;
CREATE EXTENSION file_fdw;
CREATE EXTENSION btree_gist SCHEMA public;
REVOKE EXECUTE ON FUNCTION app.hstore(text, text) FROM PUBLIC;

-- types
CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', E'tab\tbed', E'\\.', '');
CREATE TYPE app.pair AS (a integer, "B c" text COLLATE "C", list numeric(10, 2)[]);
COMMENT ON COLUMN app.pair."B c" IS 'of a composite type';
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE app.shell;
CREATE TYPE app.base;
CREATE FUNCTION app.base_in(cstring) RETURNS app.base LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.base_out(app.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.base (INPUT = app.base_in, OUTPUT = app.base_out, INTERNALLENGTH = variable, STORAGE = extended, CATEGORY = 'X', DEFAULT = 'none; yet');
CREATE DOMAIN app.positive AS integer DEFAULT 1 CONSTRAINT "more than; 0" CHECK (VALUE > 0);
ALTER DOMAIN app.positive ADD CONSTRAINT less CHECK (VALUE < 1000000) NOT VALID;
COMMENT ON DOMAIN app.positive IS 'a domain';
COMMENT ON CONSTRAINT "more than; 0" ON DOMAIN app.positive IS 'of a domain';
GRANT USAGE ON TYPE app.mood TO watcher;
CREATE COLLATION app.coll (LOCALE = 'C');

-- routines
CREATE FUNCTION app.lt(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE FUNCTION app.quoting(a text, VARIADIC rest text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  -- $$ and $_$ and $q$ ; '
  PERFORM $q$ COPY public.t (a) FROM stdin;
\.
$q$;
  RETURN 'it''s ; $_X$' || a;
END
$body$;
CREATE FUNCTION app."odd Näme"(IN "a b" integer, OUT "out" text, INOUT c app.mood) STABLE STRICT SECURITY DEFINER COST 7 LANGUAGE plpgsql
    SET search_path = "A b", app AS 'BEGIN END';
CREATE FUNCTION app.rows(n integer) RETURNS TABLE (a integer, b text) LANGUAGE sql ROWS 9 AS 'SELECT 1, ''x''';
CREATE FUNCTION app.win(anyelement) RETURNS anyelement LANGUAGE internal WINDOW AS 'window_first_value';
CREATE PROCEDURE app.empty_body(INOUT begin integer) LANGUAGE plpgsql AS $$BEGIN END$$;
COMMENT ON FUNCTION app.quoting(text, text[]) IS 'a function';
COMMENT ON PROCEDURE app.empty_body(integer) IS 'a procedure';
GRANT EXECUTE ON FUNCTION app.rows(integer) TO watcher;
REVOKE EXECUTE ON FUNCTION app.lt(integer, integer) FROM PUBLIC;
CREATE AGGREGATE app.agg0(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
CREATE AGGREGATE app.agg1(integer) (SFUNC = int4pl, STYPE = integer, COMBINEFUNC = int4pl, PARALLEL = SAFE);
CREATE AGGREGATE app.agg2(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
COMMENT ON AGGREGATE app.agg0(*) IS 'an aggregate';
CREATE OPERATOR app.<<< (LEFTARG = integer, RIGHTARG = integer, FUNCTION = app.lt, COMMUTATOR = OPERATOR(app.>>>), RESTRICT = scalarltsel);
CREATE OPERATOR app.@-/ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE OPERATOR app.@-/ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int8pl);
COMMENT ON OPERATOR app.<<< (integer, integer) IS 'an operator';
CREATE OPERATOR FAMILY app.fam USING btree;
CREATE OPERATOR CLASS app.cls FOR TYPE integer USING hash AS OPERATOR 1 =, FUNCTION 1 hashint4(integer);
CREATE OPERATOR CLASS app.cls FOR TYPE integer USING btree FAMILY app.fam AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
CREATE CAST (text AS app.mood) WITH INOUT AS ASSIGNMENT;
CREATE FUNCTION app.from_sql(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'textin';
CREATE TRANSFORM FOR app.pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.from_sql(internal));
CREATE DEFAULT CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TRUSTED LANGUAGE mylang HANDLER plpgsql_call_handler;
GRANT USAGE ON LANGUAGE mylang TO watcher;
CREATE TEXT SEARCH TEMPLATE app.tmpl (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = pg_catalog.simple, STOPWORDS = 'english', ACCEPT = 'false');
CREATE TEXT SEARCH PARSER app.prs (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH CONFIGURATION app.conf (PARSER = app.prs);
ALTER TEXT SEARCH CONFIGURATION app.conf ADD MAPPING FOR asciiword, word WITH app.dict, simple;

-- foreign data
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS ("odd name" 'x''y');
CREATE SERVER far TYPE 't' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (path E'c:\\x''y;\\', other '-- not a comment');
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS ("user" 'u', password 'p');
CREATE USER MAPPING FOR "the owner's" SERVER far;
CREATE FOREIGN TABLE app.abroad (id integer OPTIONS (name 'x') NOT NULL, note text DEFAULT 'n', CONSTRAINT abroad_check CHECK (id > 0)) SERVER far OPTIONS (file E'a\\b');
GRANT USAGE ON FOREIGN SERVER far TO watcher;
GRANT USAGE ON FOREIGN DATA WRAPPER nowhere TO watcher;
COMMENT ON FOREIGN TABLE app.abroad IS 'far away';

-- tables
CREATE TABLE app.every_type (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    small smallint, big bigint, num numeric, price numeric(10, 2), r real, d double precision,
    yes boolean, bits bit varying(70), flags bit(3), body text, fixed character(5), doc jsonb, raw json, data bytea,
    tags text[], day date, at timestamptz, span interval, who uuid, feeling app.mood, point point, address inet, cash money,
    both_ app.pair, reach app.span, ranges int4range[], ci public.citext, kv app.hstore, low app.positive, x xml, v tsvector, o oid, n name
);
INSERT INTO app.every_type (small, big, num, price, r, d, yes, bits, flags, body, fixed, doc, raw, data, tags, day, at, span, who, feeling, point, address, cash) VALUES
    (1, 9223372036854775807, 'NaN', 1.50, 1.1, 1e300, true, B'101', B'111', 'plain', 'ab', '{"a": [1, null]}', '{"a":  1}', '\x00ff5c', '{a,NULL,"b c"}', '2024-01-01', '2024-01-01 00:00:00.5+00', '1 day', '00000000-0000-0000-0000-000000000001', 'sad', '(1,2)', '10.0.0.1/8', 12.34),
    (-1, -9223372036854775808, 1e30, -0.01, '-Infinity', 'NaN', false, B'', B'000', '', '', '[]', '[]', '', '{}', 'infinity', '-infinity', '-1 mons', NULL, E'\\.', NULL, '::1', -0.01),
    (NULL, NULL, NULL, NULL, 1e-30, -0.0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '4713-01-01 BC', '5874-01-01 00:00+00', NULL, NULL, 'it''s ok', NULL, NULL, NULL),
    (0, 0, 0.00000000000000000001, 99999999.99, 0, 0.1, true, B'0', B'010', E'tab\there, line\nend, return\r, back\\slash, bell\x07, del\x7F, feed\f, vert\x0B, bs\b, nel\u0085 sep\u2028', E'\\.', '"\\u0041\\n"', '"\n"', '\x5c2e0a', ARRAY[E'\\', '"', ',', '{}', E'a\tb'], '0001-01-01', '1970-01-01 00:00+00', '178000000 years', 'ffffffff-ffff-ffff-ffff-ffffffffffff', E'tab\tbed', '(1e100,-0)', '0.0.0.0', 92233720368547758.07),
    (5, 5, 5, 5, 5, 5, true, NULL, NULL, E'\\.', E'\\N', 'null', 'null', '\x', '{{a,b},{c,d}}', '2024-02-29', '2038-01-19 03:14:08+00', '00:00:00.000001', NULL, '', NULL, NULL, NULL),
    (6, 6, 6, 6, 6, 6, false, NULL, NULL, E'\\N', E'\n', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (9, 9, 9, 9, 9, 9, false, NULL, NULL, E'--\n-- PostgreSQL database dump complete\n--\n\\.\n\nDROP TABLE t; COPY public.t (a) FROM stdin;\n', 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (10, 10, 10, 10, 10, 10, false, NULL, NULL, '😀 Ünïcödé 漢字 '' '''' " $$ $_$ ; ( ) { } -- /* */ \', 'é', '{"k": "😀"}', NULL, NULL, '{😀}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO app.every_type (both_, reach, ranges, ci, kv, low, x, v, o, n) VALUES
    (ROW(1, E'a,"b)\\\n', '{1.50,NULL}'), '[1.5,infinity)', '{"[1,2)",empty,NULL}', 'CiTeXt', 'a=>1, "b c"=>NULL', 7, E'<a b="1">x &amp; \\ </a>', 'a:1 ''b c'':2A', 4294967295, 'n');

CREATE TABLE app.one_text (body text);
INSERT INTO app.one_text VALUES (''), ('x'), (''), (NULL), (E'\\.'), (E'\n'), (E'\r'), (E'\r\n'), (' '), (E'\\N'), ('\N');
CREATE TABLE app.no_columns ();
INSERT INTO app.no_columns DEFAULT VALUES;
INSERT INTO app.no_columns DEFAULT VALUES;
CREATE TABLE app.no_columns_no_rows ();
CREATE TABLE app.empty (a integer, b text);
CREATE TABLE app.generated (a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED, b text, "both" text GENERATED ALWAYS AS (b || 'x;') STORED, c text);
INSERT INTO app.generated (a, b, c) VALUES (1, 'one', 'c1'), (2, NULL, E'c\t2'), (3, '', '');
CREATE TABLE app.only_generated (g integer GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO app.only_generated DEFAULT VALUES;
CREATE TABLE app.dropped (a integer, gone text, b text);
INSERT INTO app.dropped VALUES (1, 'gone', 'stays');
ALTER TABLE app.dropped DROP COLUMN gone, ADD c integer DEFAULT 5;
CREATE TABLE app.typed OF app.pair (a WITH OPTIONS NOT NULL DEFAULT 3, PRIMARY KEY (a));
INSERT INTO app.typed VALUES (1, 'one', NULL), (2, E'\t', '{1,2}');
CREATE TABLE app.parent (id integer NOT NULL DEFAULT 5, name text, CONSTRAINT id_ok CHECK (id > 0), CONSTRAINT alone CHECK (id <> 13) NO INHERIT);
CREATE TABLE app.other_parent (name text NOT NULL, more text);
CREATE TABLE app.child (extra text) INHERITS (app.parent);
CREATE TABLE app.grandchild (id integer DEFAULT 6) INHERITS (app.child, app.other_parent);
INSERT INTO app.parent VALUES (1, 'parent');
INSERT INTO app.child VALUES (2, 'child', 'x');
INSERT INTO app.grandchild VALUES (3, 'grandchild', 'y', 'z');
CREATE TABLE app.serials (a serial, b bigserial PRIMARY KEY, c smallserial, d integer GENERATED BY DEFAULT AS IDENTITY (START 7 INCREMENT 3));
INSERT INTO app.serials DEFAULT VALUES;
CREATE UNLOGGED TABLE app.unlogged (a integer) WITH (fillfactor = 70, autovacuum_enabled = off);
INSERT INTO app.unlogged VALUES (1);
CREATE TABLE app.elsewhere (a text) USING heap2;
ALTER TABLE app.elsewhere ALTER a SET STORAGE EXTERNAL, ALTER a SET STATISTICS 7, ALTER a SET (n_distinct = 5), REPLICA IDENTITY FULL;
COMMENT ON TABLE app.elsewhere IS 'x';
COMMENT ON COLUMN app.elsewhere.a IS E'a \\ column';
CREATE TABLE app.guarded (id integer, owner text DEFAULT CURRENT_USER, "col umn" text);
ALTER TABLE app.guarded OWNER TO "the owner's";
ALTER TABLE app.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "own; rows" ON app.guarded AS RESTRICTIVE FOR UPDATE TO watcher, CURRENT_USER USING (owner = CURRENT_USER) WITH CHECK (id > 0);
CREATE POLICY seen ON app.guarded FOR SELECT USING (true);
COMMENT ON POLICY seen ON app.guarded IS 'a policy';
INSERT INTO app.guarded VALUES (1, 'me', 'c');
GRANT SELECT, INSERT (id, "col umn"), UPDATE (id) ON app.guarded TO watcher WITH GRANT OPTION;
GRANT ALL ON app.empty TO watcher;
GRANT SELECT ON app.empty TO PUBLIC;

-- partitions
CREATE TABLE app.parted (k app.mood, v integer) PARTITION BY HASH (k);
CREATE TABLE app.parted_0 PARTITION OF app.parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.parted_1 PARTITION OF app.parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO app.parted SELECT m, i FROM unnest(enum_range(NULL::app.mood)) m, generate_series(1, 5) i;
CREATE TABLE app.by_day (day date NOT NULL, v text DEFAULT 'v', id integer, CONSTRAINT v_ok CHECK (v <> '')) PARTITION BY RANGE (day);
CREATE TABLE app.by_day_2024 PARTITION OF app.by_day FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (v);
CREATE TABLE "Weird Sch;ema"."by day; 2024 'may'" PARTITION OF app.by_day_2024 (v DEFAULT 'may') FOR VALUES IN ('may', 'it''s', E'\\');
CREATE TABLE app.by_day_2024_rest (extra integer, v text, id integer, day date NOT NULL, CONSTRAINT v_ok CHECK (v <> ''));
ALTER TABLE app.by_day_2024_rest DROP extra;
ALTER TABLE app.by_day_2024 ATTACH PARTITION app.by_day_2024_rest DEFAULT;
CREATE TABLE app.by_day_old PARTITION OF app.by_day FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
INSERT INTO app.by_day VALUES ('2024-05-05', 'may', 1), ('2024-06-05', 'june', 2), ('1999-01-01', 'x', 3);
ALTER TABLE app.by_day ADD PRIMARY KEY (day, v, id);
CREATE INDEX by_day_id ON app.by_day (id DESC NULLS LAST) INCLUDE (v) WHERE id > 0;
CREATE TABLE app.refers (day date, v text, id integer, FOREIGN KEY (day, v, id) REFERENCES app.by_day ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);

-- constraints, indexes, statistics
CREATE TABLE app.kept (a integer UNIQUE DEFERRABLE INITIALLY DEFERRED, b integer REFERENCES app.every_type (id), r int4range, s text COLLATE "C", t text NOT NULL,
    EXCLUDE USING gist (r WITH &&) WHERE (a > 3), CONSTRAINT "odd; name" CHECK (s <> ';'));
ALTER TABLE app.kept ADD CONSTRAINT late CHECK (a > 0) NOT VALID;
ALTER TABLE app.kept ADD CONSTRAINT late_fk FOREIGN KEY (a) REFERENCES app.every_type (id) ON UPDATE SET NULL NOT VALID;
CREATE UNIQUE INDEX "in dex" ON app.kept (lower(s) COLLATE "C" DESC, a) WHERE s <> ';';
CREATE UNIQUE INDEX kept_t ON app.kept (t) WITH (fillfactor = 50);
ALTER TABLE app.kept REPLICA IDENTITY USING INDEX kept_t, CLUSTER ON kept_t;
CREATE INDEX kept_expr ON app.kept ((a + 1));
ALTER INDEX app.kept_expr ALTER COLUMN 1 SET STATISTICS 400;
COMMENT ON INDEX app."in dex" IS 'an index';
COMMENT ON CONSTRAINT late ON app.kept IS 'a constraint';
CREATE STATISTICS app.st (ndistinct, dependencies) ON a, b FROM app.kept;
ALTER STATISTICS app.st SET STATISTICS 12;

-- views, rules, triggers
CREATE VIEW app.seen WITH (security_barrier) AS SELECT E'a\\b;\n\\.\n' AS text, "col umn", EXTRACT(epoch FROM now()) AS e FROM app.guarded WHERE 1 = -(-1);
COMMENT ON COLUMN app.seen.text IS 'of a view';
ALTER VIEW app.seen ALTER "col umn" SET DEFAULT 'd';
CREATE VIEW app.by_key AS SELECT id, body, feeling FROM app.every_type GROUP BY id;
CREATE VIEW app.on_by_key AS SELECT * FROM app.by_key;
CREATE MATERIALIZED VIEW app.counted WITH (fillfactor = 70) AS SELECT count(*) AS n, feeling FROM app.every_type GROUP BY feeling;
CREATE UNIQUE INDEX ON app.counted (feeling);
CREATE MATERIALIZED VIEW app.not_filled AS SELECT 1 AS a WITH NO DATA;
CREATE RULE several AS ON INSERT TO app.empty DO ALSO (INSERT INTO app.one_text VALUES ('a;b'); DELETE FROM app.one_text WHERE body = ')'; );
CREATE RULE "qui;et" AS ON DELETE TO app.empty DO INSTEAD NOTHING;
ALTER TABLE app.empty DISABLE RULE "qui;et";
COMMENT ON RULE several ON app.empty IS 'a rule';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "tou;ch" BEFORE INSERT OR UPDATE OF a ON app.kept FOR EACH ROW WHEN (NEW.a > 3) EXECUTE FUNCTION app.touch('a;b', 'it''s', E'\\');
CREATE CONSTRAINT TRIGGER two AFTER UPDATE ON app.kept DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.kept DISABLE TRIGGER "tou;ch", ENABLE ALWAYS TRIGGER two;
CREATE TRIGGER cloned AFTER INSERT ON app.by_day FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.by_day_old DISABLE TRIGGER cloned;
COMMENT ON TRIGGER two ON app.kept IS 'a trigger';
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER evt ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER evt DISABLE;
COMMENT ON EVENT TRIGGER evt IS 'on events';

-- sequences
CREATE SEQUENCE app.counter AS smallint START 5 INCREMENT -3 MINVALUE -9 MAXVALUE 9 CACHE 4 CYCLE;
SELECT setval('app.counter', -4);
CREATE SEQUENCE app.unused;
GRANT USAGE ON SEQUENCE app.unused TO watcher;

-- replication
CREATE PUBLICATION "pub lished" FOR TABLE app.kept, app.by_day WITH (publish = 'insert, update', publish_via_partition_root = true);
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere password=x''y' PUBLICATION x, "y z" WITH (connect = false, slot_name = 'slot_1');

-- names
CREATE TABLE "Weird Sch;ema"."we""ird
tab;le" ("a	b" integer, "c""d" text, "e,f)" text, "select" text);
INSERT INTO "Weird Sch;ema"."we""ird
tab;le" VALUES (1, 'x', 'y', 'z');
CREATE TABLE public."x; Type: VIEW; Schema: evil; Owner: me" (a integer CONSTRAINT "c; Type: TABLE; Schema: s; Owner: o" CHECK (a > 0));
INSERT INTO public."x; Type: VIEW; Schema: evil; Owner: me" VALUES (1);
CREATE TABLE public."a;b -- c" ("x'y" integer DEFAULT 1, "E" text DEFAULT '''', "$$" text DEFAULT '$$');
INSERT INTO public."a;b -- c" VALUES (1, E'\'', '$$');
CREATE TABLE public."C:\.\temp" (a text);
INSERT INTO public."C:\.\temp" VALUES (E'C:\\.\\temp');
CREATE TABLE public."Ünï 漢字 😀" ("ключ" integer PRIMARY KEY, " " text);
INSERT INTO public."Ünï 漢字 😀" VALUES (1, ' ');
CREATE TABLE public."COPY x (a) FROM stdin;
\." (a text);
INSERT INTO public."COPY x (a) FROM stdin;
\." VALUES ('\.');
CREATE TABLE public."INSERT INTO x VALUES (1);
" ("INSERT INTO x VALUES (1);
" integer GENERATED ALWAYS AS IDENTITY, "(a) VALUES (1);" text);
INSERT INTO public."INSERT INTO x VALUES (1);
" ("(a) VALUES (1);") VALUES (E'1);\nINSERT INTO x VALUES (1);\n'), (NULL), (');');
CREATE VIEW public."-- view" AS SELECT 'COPY x FROM stdin;
\.
--
-- Name: evil; Type: TABLE; Schema: public; Owner: me
--
' AS a;
COMMENT ON TABLE app.empty IS E'several lines\n--\n-- Name: evil; Type: TABLE; Schema: public; Owner: me\n--\n\nCREATE TABLE public.evil (a integer);\n\\.\n\\connect evil\n-- PostgreSQL database dump complete';
CREATE SCHEMA "a.b";
CREATE TABLE "a.b"."c.d" ("e.f" integer DEFAULT 1, "table" text, "user" serial, "Group" integer GENERATED BY DEFAULT AS IDENTITY,
    CONSTRAINT "g.h" CHECK ("e.f" OPERATOR(app.<<<) 5 AND "e.f" OPERATOR(app.@-/) 1 > 0), CONSTRAINT "select" UNIQUE ("e.f", "user"));
INSERT INTO "a.b"."c.d" ("e.f", "table") VALUES (2, 'in "a.b"."c.d"');
CREATE INDEX "i.j" ON "a.b"."c.d" (("e.f" OPERATOR(app.@-/) 1) DESC) WHERE "e.f" OPERATOR(app.<<<) 3;
CREATE VIEW "a.b"."order" AS SELECT "e.f" OPERATOR(app.<<<) 3 AS "order", "table" COLLATE "C" AS "from", "user" IN (1, 2) AS "end" FROM "a.b"."c.d";
CREATE FUNCTION "a.b"."or"("in" "a.b"."c.d", "Out" integer DEFAULT 3, VARIADIC "any" app.mood[] DEFAULT '{sad}') RETURNS "a.b"."c.d" LANGUAGE sql AS 'SELECT $1';
CREATE TRIGGER "when" BEFORE UPDATE OF "e.f", "table" ON "a.b"."c.d" FOR EACH ROW WHEN (OLD."e.f" OPERATOR(app.<<<) NEW."e.f") EXECUTE FUNCTION app.touch('a.b');

-- what depends on itself
CREATE TABLE app.circle (id integer);
CREATE FUNCTION app.of_circle(app.circle) RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER TABLE app.circle ADD n integer DEFAULT app.of_circle(NULL::app.circle), ADD CHECK (app.of_circle(circle) > 0);
INSERT INTO app.circle (id) VALUES (1);
CREATE VIEW app.loop_a AS SELECT 1 AS x, 'y'::text AS "Y";
CREATE VIEW app.loop_b AS SELECT x, "Y" FROM app.loop_a;
CREATE OR REPLACE VIEW app.loop_a AS SELECT x, "Y" FROM app.loop_b;
COMMENT ON VIEW app.loop_a IS 'of itself';

-- long and large
CREATE TABLE app.big (id bigint PRIMARY KEY, body text, "when" timestamptz);
INSERT INTO app.big
    SELECT i, repeat(chr(33 + i % 90), i % 200) || CASE i % 97 WHEN 0 THEN E'\\.' WHEN 1 THEN E'\n\\.\n' WHEN 2 THEN E'a\tb\\' ELSE '' END, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 second'
    FROM generate_series(1, 2000) i;
CREATE TABLE app.long_rows (id integer, body text);
INSERT INTO app.long_rows SELECT i, repeat(md5(i::text), 40000) FROM generate_series(1, 2) i;
SELECT lo_from_bytea(70001, '\x00010203'), lo_from_bytea(70002, ''), lo_from_bytea(3000000001, convert_to(repeat('large ', 20000), 'UTF8'));
COMMENT ON LARGE OBJECT 70001 IS 'first';
GRANT SELECT ON LARGE OBJECT 70001 TO watcher;
GRANT SELECT ON LARGE OBJECT 3000000001 TO watcher;
ALTER LARGE OBJECT 70002 OWNER TO "the owner's";

ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "the owner's" GRANT USAGE ON SEQUENCES TO watcher WITH GRANT OPTION;
