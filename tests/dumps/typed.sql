-- Every built-in type, values at the ends of its range, and values that no other system's type can hold.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE SCHEMA odd;
CREATE TYPE public.mood AS ENUM ('sad', 'it''s ok', 'happy, {very}', 'tab	bed');
CREATE TYPE odd."Mood" AS ENUM ('b', 'a');
CREATE TYPE public.pair AS (a integer, b text);
CREATE DOMAIN public.positive AS numeric(10, 3) CHECK (VALUE > 0);
CREATE DOMAIN odd.very_positive AS public.positive CHECK (VALUE > 10);
CREATE DOMAIN odd.moods AS public.mood[];

CREATE TABLE public.plain_values (
    id integer PRIMARY KEY, i2 smallint, i8 bigint, o oid, serial serial, f4 real, f8 double precision, n numeric, price numeric(10, 2),
    wide numeric(38, 10), wider numeric(60, 30), odd_scale numeric(3, -2), ok boolean, body text, vc character varying(20), c character(5), nm name, ch "char", ci citext,
    day date, clock time, clock_tz timetz, ts timestamp, ts3 timestamp(3), at timestamptz, at0 timestamptz(0), span interval, span_ym interval year to month,
    who uuid, raw bytea, js json, jb jsonb, feeling public.mood, quoted odd."Mood", positive public.positive, very odd.very_positive,
    ints integer[], texts text[], matrix integer[][], shifted integer[], days date[], stamps timestamptz[], prices numeric(5, 2)[], moods public.mood[], dom_moods odd.moods,
    boxes box[], bytes bytea[], spans interval[], pairs public.pair[],
    r int4range, rn numrange, rt tstzrange, mr int4multirange, pair public.pair, hs hstore,
    pt point, ln line, seg lseg, bx box, pth path, poly polygon, circ circle, ip inet, net cidr, mac macaddr, mac8 macaddr8,
    b bit(3), vb bit varying(70), cash money, tsv tsvector, tsq tsquery, lsn pg_lsn, jp jsonpath, x8 xid8, x xid, cls regclass
);
INSERT INTO public.plain_values VALUES (
    1, 32767, 9223372036854775807, 4294967295, 1, 1.1, 1e300, 123456789012345678901234567890.1234567890, 99999999.99,
    1234567890123456789012345678.0123456789, 12345.000000000000000000000000000001, 1200, true, 'plain', 'vc', 'ab', 'name', 'x', 'CiText',
    '2024-02-29', '23:59:59.999999', '12:00:00.5+02', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.7', '2024-03-31 01:30:00+00', '1970-01-01 00:00:00+00', '1 year 2 mons -3 days 04:05:06.789', '1 year 2 mons',
    '00000000-0000-0000-0000-000000000001', '\x00ff5c0a22', '{"a":  [1, null, "\u0041\n"]}', '{"a": 1.10}', 'it''s ok', 'a', 1.5, 11.125,
    '{1,NULL,-3}', ARRAY['a', NULL, '', 'NULL', 'b c', '"q"', E'\\', ',', '{}', E'tab\there\nline'], '{{1,2},{3,NULL}}', '[0:1]={7,8}', '{2024-01-01,0001-01-01}',
    '{"2024-01-01 00:00:00+00"}', '{1.50,NULL}', '{sad,"happy, {very}"}', '{"it''s ok"}', '{(1,1),(0,0);(2,2),(1,1)}', ARRAY['\x00ff'::bytea, ''], '{1 day,-1 mons}', ARRAY[(1, 'x,y')::public.pair],
    '[1,10)', '(,1.5]', '["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")', '{[1,3),[5,7)}', (1, 'a "b" c'), 'a=>1, "b c"=>NULL',
    '(1,2)', '{1,2,3}', '[(1,2),(3,4)]', '(3,4),(1,2)', '((0,0),(1,1))', '((0,0),(1,1),(1,0))', '<(1,2),3>', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
    B'101', B'1', 12.34, 'a fat cat', 'fat & cat', '16/B374D848', '$.a[*] ? (@ > 1)', '18446744073709551615', '4294967295', 'pg_class'
), (
    2, -32768, -9223372036854775808, 0, 2, -0.0, 5e-324, 0, -0.01,
    -9999999999999999999999999999.9999999999, -0.000000000000000000000000000001, -99900, false, '', '', '', '', '', '',
    '0001-01-01', '00:00:00', '00:00:00-15:59', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999', '9999-12-31 12:00:00+00', '0001-01-02 12:00:00+00', '-178000000 years', '-1 years',
    'ffffffff-ffff-ffff-ffff-ffffffffffff', '', 'null', 'null', 'tab	bed', 'b', 0.001, 10.001,
    '{}', '{}', '{}', '[-1:0]={NULL,2}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    'empty', '(,)', 'empty', '{}', (NULL, ''), '',
    '(-0,1e300)', '{-1,0,0}', '[(0,0),(0,0)]', '(0,0),(0,0)', '[(0,0)]', '((0,0))', '<(0,0),0>', '::1', '::/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00',
    B'000', B'', -0.01, '', '', '0/0', '$', '0', '0', '0'
);
INSERT INTO public.plain_values (id) VALUES (3);
INSERT INTO public.plain_values (id, f4, f8, n, body, vc, js, jb, raw, span, texts, ts, at) VALUES
    (4, 'NaN', '-Infinity', 'NaN', E'tab\there, line\nend, return\r, back\\slash, bell\x07, del\x7F, feed\f, vert\x0B, bs\b', E'\\N', '[]', '{}', '\x5c78', '2562047788:00:54.775807', '{{a,"b,c"},{NULL,"d}"}}', '2024-01-01 00:00:00.1', '1890-06-01 12:00:00+00'),
    (5, 'Infinity', 'NaN', '-Infinity', E'\\.', E'\\', '1', '1', '\x5c5c', '-1 mons +2 days -00:00:00.000001', '[2:2][0:0]={{x}}', '2024-01-01 00:00:00.000001', '2024-07-01 12:00:00+00'),
    (6, 1e-45, 'Infinity', 'Infinity', E'\uFEFF', E'\uFEFFx', '"\\\\n"', '"\\\\n"', '\x6e', '00:00:00', '{😀}', NULL, NULL),
    (7, 3.4028235e38, 0.1, 1e-20, '😀 Ünïcödé 漢字', 'NULL', NULL, NULL, NULL, '-00:00:01', NULL, NULL, NULL);

-- What Python's types cannot hold.
CREATE TABLE odd.values (id integer, day date, clock time, clock_tz timetz, ts timestamp, at timestamptz, price numeric(10, 2), span interval, days date[], note text);
INSERT INTO odd.values VALUES
    (1, 'infinity', '24:00:00', '24:00:00+02', 'infinity', '-infinity', 'NaN', '1 day', '{infinity,2024-01-01}', 'infinity'),
    (2, '-infinity', '12:00:00', '12:00:00+02', '-infinity', 'infinity', 1.50, NULL, NULL, ''),
    (3, '4713-01-01 BC', '00:00:00.000001', '00:00:00+15:59:59', '4713-01-01 00:00:00 BC', '4713-01-02 00:00:00+00 BC', NULL, NULL, '{"0044-03-15 BC"}', NULL),
    (4, '5874897-12-31', NULL, NULL, '294276-12-31 23:59:59.999999', '294276-12-31 12:59:59.999999+00', -1, '-1 mons', '{}', 'x'),
    (5, '2024-01-01', NULL, NULL, '2024-01-01 12:00:00', '2024-01-01 12:00:00+00', 0, '00:00:01', NULL, 'y'),
    (6, '10000-01-01', NULL, NULL, '10000-01-01 00:00:00', '9999-12-31 23:59:59+00', 0, '00:00:01', NULL, 'y'),
    (7, NULL, NULL, NULL, NULL, '0001-01-01 00:00:00+00', NULL, NULL, NULL, NULL);

CREATE TABLE public.parent (id integer, price numeric(5, 1));
CREATE TABLE public.child (extra public.mood, at timestamptz) INHERITS (public.parent);
INSERT INTO public.parent VALUES (1, 1.5);
INSERT INTO public.child VALUES (2, 2.5, 'sad', '2024-01-01 00:00:00+00');
CREATE TABLE public.typed_table OF public.pair;
INSERT INTO public.typed_table VALUES (1, 'x');
CREATE TABLE public.measured (day date NOT NULL, value double precision) PARTITION BY RANGE (day);
CREATE TABLE public.measured_2023 PARTITION OF public.measured FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE odd.measured_2024 (value double precision, day date NOT NULL);
ALTER TABLE public.measured ATTACH PARTITION odd.measured_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO public.measured VALUES ('2023-05-05', 1.5), ('2024-06-06', 2.5), ('2024-07-07', 'NaN');
CREATE TABLE public.no_columns ();
INSERT INTO public.no_columns DEFAULT VALUES;
INSERT INTO public.no_columns DEFAULT VALUES;
CREATE TABLE public.empty (a integer, b timestamptz, c public.mood, d text[], e numeric);
CREATE TABLE public.one_text (body text);
INSERT INTO public.one_text VALUES (''), ('x'), (NULL), (''), (E'\\N'), (E'\uFEFF'), ('');
CREATE TABLE public.computed (a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED, b text);
INSERT INTO public.computed (a, b) VALUES (1, 'one');
CREATE TABLE public.users (id integer, name text, "Name" text);
CREATE TABLE public."Users" (id integer, other text);
INSERT INTO public.users VALUES (1, 'small', 'SMALL'), (2, 'two', 'TWO');
INSERT INTO public."Users" VALUES (1, 'capital');
CREATE TABLE odd.users (id integer);
CREATE TABLE odd.only_here (id integer, "we""ird, name" text);
INSERT INTO odd.only_here VALUES (1, 'found');
CREATE TABLE public."Quo""ted; table" ("a b" integer, "select" numeric);
INSERT INTO public."Quo""ted; table" VALUES (1, 1.10), (2, 22.005);
CREATE VIEW public.seen AS SELECT id FROM public.users;
CREATE MATERIALIZED VIEW public.counted AS SELECT count(*) FROM public.users;
CREATE TABLE public.big (id bigint, n integer, body text, at timestamptz, price numeric(10, 2), ok boolean, who uuid, feeling public.mood);
INSERT INTO public.big SELECT i, nullif(i % 1000, 7), repeat(chr(33 + i % 90), i % 50) || CASE i % 97 WHEN 1 THEN E'\n\\' ELSE '' END,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute', i / 7.0, i % 3 = 0, md5(i::text)::uuid, (enum_range(NULL::public.mood))[1 + i % 4]
    FROM generate_series(1, 120000) i;
CREATE TABLE public.ends_odd (LIKE public.big);
INSERT INTO public.ends_odd SELECT * FROM public.big WHERE id <= 30000;
INSERT INTO public.ends_odd VALUES (30001, NULL, NULL, 'infinity', 'NaN', NULL, NULL, NULL);
