-- A database in which every place where a reader can stumble is there: names, rows, bodies, comments, large objects.
CREATE SCHEMA app;
CREATE SCHEMA "Weird Sch;ema";
CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', 'tab	bed', '\.');

CREATE TABLE app.every_type (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    small smallint, big bigint, num numeric, price numeric(10, 2), r real, d double precision,
    yes boolean, bits bit varying(70), flags bit(3), body text, fixed character(5), doc jsonb, raw json, data bytea,
    tags text[], day date, at timestamptz, span interval, who uuid, feeling app.mood, point point, address inet, cash money
);
INSERT INTO app.every_type (small, big, num, price, r, d, yes, bits, flags, body, fixed, doc, raw, data, tags, day, at, span, who, feeling, point, address, cash) VALUES
    (1, 9223372036854775807, 'NaN', 1.50, 1.1, 1e300, true, B'101', B'111', 'plain', 'ab', '{"a": [1, null]}', '{"a":  1}', '\x00ff5c', '{a,NULL,"b c"}', '2024-01-01', '2024-01-01 00:00:00.5+00', '1 day', '00000000-0000-0000-0000-000000000001', 'sad', '(1,2)', '10.0.0.1/8', 12.34),
    (-1, -9223372036854775808, 'Infinity', -0.01, '-Infinity', 'NaN', false, B'', B'000', '', '', '[]', '[]', '', '{}', 'infinity', '-infinity', '-1 mons', NULL, '\.', NULL, '::1', -0.01),
    (NULL, NULL, 1e30, NULL, 1e-30, -0.0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '4713-01-01 BC', '5874-01-01 00:00+00', NULL, NULL, 'it''s ok', NULL, NULL, NULL),
    (0, 0, 0.00000000000000000001, 99999999.99, 0, 0.1, true, B'0', B'010', E'tab\there, line\nend, return\r, back\\slash, bell\x07, del\x7F, feed\f, vert\x0B, bs\b', E'\\.', '"\\u0041\\n"', '"\n"', '\x5c2e0a', ARRAY[E'\\', '"', ',', '{}', E'a\tb'], '0001-01-01', '1970-01-01 00:00+00', '178000000 years', 'ffffffff-ffff-ffff-ffff-ffffffffffff', E'tab\tbed', '(1e100,-0)', '0.0.0.0', 92233720368547758.07),
    (5, 5, 5, 5, 5, 5, true, NULL, NULL, E'\\.', E'\\N', 'null', 'null', '\x', '{{a,b},{c,d}}', '2024-02-29', '2038-01-19 03:14:08+00', '00:00:00.000001', NULL, 'sad', NULL, NULL, NULL),
    (6, 6, 6, 6, 6, 6, false, NULL, NULL, E'\\N', E'\n', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (7, 7, 7, 7, 7, 7, false, NULL, NULL, 'NULL', 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (8, 8, 8, 8, 8, 8, false, NULL, NULL, E'-- Name: fake; Type: TABLE; Schema: public; Owner: me', 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (9, 9, 9, 9, 9, 9, false, NULL, NULL, E'--\n-- PostgreSQL database dump complete\n--\n\\.\n\nDROP TABLE t; COPY public.t (a) FROM stdin;\n', 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (10, 10, 10, 10, 10, 10, false, NULL, NULL, '😀 Ünïcödé 漢字 '' '''' " $$ $_$ ; ( ) { } -- /* */ \', 'é', '{"k": "😀"}', NULL, NULL, '{😀}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE app.one_text (body text);
INSERT INTO app.one_text VALUES (''), ('x'), (''), (NULL), (E'\\.'), (E'\n');
CREATE TABLE app.no_columns ();
INSERT INTO app.no_columns DEFAULT VALUES;
INSERT INTO app.no_columns DEFAULT VALUES;
INSERT INTO app.no_columns DEFAULT VALUES;
CREATE TABLE app.no_columns_no_rows ();
CREATE TABLE app.empty (a integer, b text);
CREATE TABLE app.generated (a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED, b text, "both" text GENERATED ALWAYS AS (b || 'x') STORED, c text);
INSERT INTO app.generated (a, b, c) VALUES (1, 'one', 'c1'), (2, NULL, E'c\t2'), (3, '', '');
CREATE TABLE app.dropped (a integer, gone text, b text);
INSERT INTO app.dropped VALUES (1, 'gone', 'stays');
ALTER TABLE app.dropped DROP COLUMN gone;
CREATE TABLE app.parent (id integer, name text);
CREATE TABLE app.child (extra text) INHERITS (app.parent);
CREATE TABLE app.grandchild (more text) INHERITS (app.child);
INSERT INTO app.parent VALUES (1, 'parent');
INSERT INTO app.child VALUES (2, 'child', 'x');
INSERT INTO app.grandchild VALUES (3, 'grandchild', 'y', 'z');

CREATE TABLE app.parted (k app.mood, v integer) PARTITION BY HASH (k);
CREATE TABLE app.parted_0 PARTITION OF app.parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.parted_1 PARTITION OF app.parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO app.parted SELECT m, i FROM unnest(enum_range(NULL::app.mood)) m, generate_series(1, 5) i;
CREATE TABLE app.by_day (day date, v text) PARTITION BY RANGE (day);
CREATE TABLE app.by_day_2024 PARTITION OF app.by_day FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO app.by_day VALUES ('2024-05-05', 'may');

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
COMMENT ON TABLE app.empty IS E'several lines\n--\n-- Name: evil; Type: TABLE; Schema: public; Owner: me\n--\n\nCREATE TABLE public.evil (a integer);\n\\.\n\\connect evil\n-- PostgreSQL database dump complete';

CREATE FUNCTION app.quoting(a text, VARIADIC rest text[]) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  -- $$ and $_$ and $q$ ; '
  PERFORM $q$ COPY public.t (a) FROM stdin;
\.
$q$;
  RETURN 'it''s ; $_X$' || a;
END
$body$;
CREATE FUNCTION app.atomic(n integer DEFAULT 1) RETURNS integer LANGUAGE sql BEGIN ATOMIC
  SELECT 1;
  SELECT CASE WHEN n > 0 THEN CASE n WHEN 1 THEN 2 ELSE 3 END ELSE 0 END;
END;
CREATE FUNCTION app.returns(n integer) RETURNS integer LANGUAGE sql RETURN (n + 1);
CREATE PROCEDURE app.empty_body(INOUT begin integer) LANGUAGE plpgsql AS $$BEGIN END$$;
CREATE FUNCTION app.nothing() RETURNS void LANGUAGE sql AS '';
CREATE RULE several AS ON INSERT TO app.empty DO ALSO (INSERT INTO app.one_text VALUES ('a;b'); DELETE FROM app.one_text WHERE body = ')'; );
CREATE VIEW app.seen AS SELECT E'a\\b;\n\\.\n' AS text, "x'y" FROM public."a;b -- c" WHERE 1 = -(-1);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere OPTIONS (path E'c:\\x''y;\\', other '-- not a comment');
CREATE OPERATOR app.@-/ (FUNCTION = int4pl, LEFTARG = integer, RIGHTARG = integer);
CREATE SEQUENCE app.counter START 5;
SELECT setval('app.counter', 41);

CREATE TABLE app.big (id bigint PRIMARY KEY, body text, "when" timestamptz);
INSERT INTO app.big
    SELECT i, repeat(chr(33 + i % 90), i % 200) || CASE i % 97 WHEN 0 THEN E'\\.' WHEN 1 THEN E'\n\\.\n' WHEN 2 THEN E'a\tb\\' ELSE '' END, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 second'
    FROM generate_series(1, 25000) i;
CREATE TABLE app.long_rows (id integer, body text);
INSERT INTO app.long_rows SELECT i, repeat(md5(i::text), 100000) FROM generate_series(1, 3) i;

SELECT lo_from_bytea(70001, '\x00010203'), lo_from_bytea(70002, ''), lo_from_bytea(3000000001, convert_to(repeat('large ', 20000), 'UTF8'));
COMMENT ON LARGE OBJECT 70001 IS 'first';
CREATE MATERIALIZED VIEW app.counted AS SELECT count(*) FROM app.big;
