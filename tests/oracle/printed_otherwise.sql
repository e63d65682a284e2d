-- What one version of PostgreSQL prints otherwise than another, or may: every form of expression that ruleutils.c has a way of its own
-- for, and every clause that came or changed between 13 and 18. Runs on 13 and later; the roles reader and "some; body" must exist.
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'ok');
CREATE TYPE app.pair AS (a integer, b text);
CREATE TABLE app.t (
    a integer PRIMARY KEY, b text NOT NULL DEFAULT upper('x'), c numeric(10,2) DEFAULT 1.5, d date DEFAULT CURRENT_DATE, ts timestamp DEFAULT LOCALTIMESTAMP,
    tz timestamptz DEFAULT now(), iv interval DEFAULT '1 day 02:00:00', tags text[] DEFAULT ARRAY['a', 'b'], m app.mood DEFAULT 'sad', doc jsonb DEFAULT '{}',
    who text DEFAULT CURRENT_USER, p app.pair, x xml, r int4range, g numeric GENERATED ALWAYS AS (c * 2) STORED, "select" integer, bits bit varying(5) DEFAULT B'101',
    y integer DEFAULT EXTRACT(year FROM CURRENT_DATE), ct timetz DEFAULT CURRENT_TIME(2), neg integer DEFAULT -1, big bigint DEFAULT -9223372036854775808,
    v character varying(10) DEFAULT 'v', ch character(3) DEFAULT 'abc', b1 "char" DEFAULT 'c', n name DEFAULT 'n', o oid DEFAULT 3, rc regclass DEFAULT 'pg_class'::regclass,
    CONSTRAINT among CHECK (b IN ('a', 'b', 'c') AND a = ANY (ARRAY[1, 2, 3]) AND v IN ('x', 'y')), CONSTRAINT likes CHECK (b LIKE 'a%' OR b NOT ILIKE '%b' OR b ~ '^c' OR b SIMILAR TO 'd'),
    CONSTRAINT between_two CHECK (c BETWEEN 1 AND 10 AND c NOT BETWEEN SYMMETRIC 4 AND 3), CONSTRAINT unequal CHECK (b IS DISTINCT FROM 'x' AND (a > 1) IS NOT TRUE));
CREATE TABLE app.u (a integer REFERENCES app.t ON DELETE SET NULL ON UPDATE CASCADE, b integer, s text COLLATE "C");

CREATE VIEW app.one AS SELECT 1 + a AS more, b AS "B c", upper(b), t.* FROM (SELECT 1) AS q(one), app.t;
CREATE VIEW app.star AS SELECT * FROM app.t;
CREATE VIEW app.simple AS SELECT a, upper(b) AS up, "select", c + 1 AS more FROM app.t WHERE a > 1 AND b <> 'x' ORDER BY b DESC NULLS LAST LIMIT 3 OFFSET 1;
CREATE VIEW app.alias AS SELECT z.a, z.b FROM app.t z WHERE z.a IN (SELECT u.a FROM app.u);
CREATE VIEW app.whole_row AS SELECT t, (t.p).a, (p).b FROM app.t;
CREATE VIEW app.dates AS SELECT EXTRACT(epoch FROM tz) AS e, date_part('year', tz) AS dp, date_trunc('month', tz, 'UTC') AS dt, tz AT TIME ZONE 'UTC' AS at, ts AT TIME ZONE INTERVAL '1 hour' AS at2,
    timezone('UTC', tz) AS at3, (d, d) OVERLAPS (d, d + 1) AS ov, d + INTERVAL '1' DAY AS day, INTERVAL '1-2' YEAR TO MONTH AS ym, tz::timestamp(3) AS prec, CURRENT_TIMESTAMP(2) AS ct, LOCALTIME AS lt, CURRENT_DATE AS cd FROM app.t;
CREATE VIEW app.texts AS SELECT substring(b FROM 2 FOR 3) AS s1, substring(b FROM 2) AS s2, substring(b FROM 'x.*') AS s3, substring(b FROM '%#"x#"%' FOR '#') AS s4, substring(b, 2, 3) AS s5, substr(b, 2) AS s6,
    position('x' IN b) AS p, strpos(b, 'x') AS p2, overlay(b PLACING 'x' FROM 2 FOR 3) AS o, overlay(b PLACING 'x' FROM 2) AS o2, trim(b) AS t1, trim(LEADING 'x' FROM b) AS t2, trim(TRAILING FROM b) AS t3, trim(BOTH 'x' FROM b) AS t4, btrim(b) AS t5,
    ltrim(b, 'x') AS t6, collation for (b) AS cf, normalize(b, NFD) AS n, b IS NFC NORMALIZED AS isn, b IS NOT NORMALIZED AS isn2, b SIMILAR TO 'x' AS st, b NOT SIMILAR TO 'x' ESCAPE '#' AS st2, b LIKE 'x#%' ESCAPE '#' AS lk, b || 'x' AS cat,
    b COLLATE "C" AS coll, (b COLLATE "C") < 'x' AS coll2, char_length(b) AS cl, bit_length(b) AS bl, convert_from('x'::bytea, 'UTF8') AS cf2, U&'\00e4' AS uni, E'a\\b' AS esc, 'it''s' AS q, xmlexists('//a' PASSING BY REF x) AS xe FROM app.t;
CREATE VIEW app.forms AS SELECT CASE WHEN a > 1 THEN 'x' WHEN a IS NULL THEN NULL ELSE b END AS c1, CASE a WHEN 1 THEN 2 END AS c2, coalesce(b, 'x') AS co, nullif(b, 'x') AS nu, greatest(a, 1) AS gr, least(a, 1) AS le, row(a, b) <> row(1, 'x') AS ro, (a, b) = (1, 'x') AS re, row(a, b)::app.pair AS rp,
    array[a, 1] AS ar, array[[1, 2], [3, 4]] AS arr, tags[1] AS i1, tags[1:2] AS i2, array(SELECT 1) AS asub, a = ANY (ARRAY[1, 2]) AS an, a <> ALL ('{1,2}'::integer[]) AS al, a NOT IN (1, 2) AS ni, b IN ('a', 'b') AS ib, exists(SELECT 1 FROM app.u WHERE u.a = t.a) AS ex, (SELECT max(b) FROM app.u) AS sub,
    a::text AS k1, CAST(a AS bigint) AS k2, c::numeric(4, 1) AS k3, '1'::integer AS k4, integer '2' AS k5, b::varchar(3) AS k6, a::bigint::text AS k7, -a AS m1, - -a AS m2, -(-1) AS m3, @ a AS m4, a IS NULL AS isn, (a, b) IS NULL AS rn, (a > 1) IS UNKNOWN AS unk, NOT (a > 1) AS nt, a + 1 * 2 - 3 AS prec, (a + 1) * 2 AS prec2, a % 2 AS mo, a ^ 2 AS po,
    a BETWEEN 1 AND 2 AS be, a IS DISTINCT FROM 1 AS df, CURRENT_USER AS cu, SESSION_USER AS su, CURRENT_SCHEMA AS cs, CURRENT_CATALOG AS cc, USER AS us, (doc -> 'a') ->> 'b' AS js, doc @> '{}' AS jc, 'now'::timestamptz AS nw, NULL::text AS nl, '{}'::text[] AS em, 1::bit(3) AS bi, B'1' AS bc, X'1F' AS xc, 1e10 AS f, 1.0 AS nu1, true AS tr, 'x'::"char" AS ch, pg_typeof(a)::text AS rt, a OPERATOR(pg_catalog.+) 1 AS op FROM app.t;
CREATE VIEW app.xmls AS SELECT xmlelement(name "a b", xmlattributes(b AS "x", 'y' AS z), b) AS e, xmlforest(a, b AS "q") AS f, xmlconcat(x, x) AS c, xmlpi(name php, 'x') AS pi, xmlroot(x, version '1.0', standalone yes) AS r, xmlserialize(content x AS text) AS s, xmlserialize(document x AS character varying) AS s2, xmlparse(document '<a/>') AS p, xmlparse(content 'a' PRESERVE WHITESPACE) AS p2, x IS DOCUMENT AS d, xmlagg(x) OVER () AS ag FROM app.t;
CREATE VIEW app.aggregates AS SELECT b, count(*) AS n, count(DISTINCT a) AS d, sum(a) FILTER (WHERE a > 1) AS f, string_agg(b, ',' ORDER BY b DESC) AS s, percentile_cont(0.5) WITHIN GROUP (ORDER BY a) AS p, mode() WITHIN GROUP (ORDER BY b) AS mo, array_agg(a) AS ar, grouping(b) AS g, rank(1) WITHIN GROUP (ORDER BY a) AS rk FROM app.t GROUP BY GROUPING SETS ((b), ()) HAVING count(*) > 0;
CREATE VIEW app.grouped AS SELECT b, d, count(*) FROM app.t GROUP BY ROLLUP (b, d), CUBE (b) ORDER BY 1, 2 DESC;
CREATE VIEW app.by_key AS SELECT a, b FROM app.t GROUP BY a ORDER BY a;
CREATE VIEW app.windows AS SELECT a, row_number() OVER w AS r, sum(a) OVER (PARTITION BY b ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) AS s, lag(a, 1, 0) OVER (w ORDER BY a) AS l, first_value(a) OVER (ORDER BY a RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING) AS f, ntile(2) OVER (ORDER BY a GROUPS 1 PRECEDING) AS n FROM app.t WINDOW w AS (PARTITION BY b);
CREATE VIEW app.joins AS SELECT t.a, u.b, x.y FROM app.t JOIN app.u USING (a) LEFT JOIN app.u u2 ON u2.b = t.a CROSS JOIN LATERAL (SELECT t.a + 1 AS y) x NATURAL JOIN (SELECT 1 AS one) o;
CREATE VIEW app.joins2 AS SELECT t1.a, u1.b AS u1b, u3.a AS u3a FROM app.t t1 FULL JOIN (app.u u1 RIGHT JOIN app.u u3 ON u1.a = u3.a) ON t1.a = u1.b;
CREATE VIEW app.joined_using AS SELECT a, t.b, u.b AS ub FROM app.t FULL JOIN app.u USING (a);
CREATE VIEW app.functions_in_from AS SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g(i, o), unnest(ARRAY['a'], ARRAY[1]) AS un(x, y), ROWS FROM (generate_series(1, 2), json_each('{}')) AS rf(p, q, r), json_to_record('{}') AS jr(a integer, b text);
CREATE VIEW app.cte AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5), m AS MATERIALIZED (SELECT * FROM r), nm AS NOT MATERIALIZED (SELECT n FROM r) SELECT m.n, nm.n AS n2 FROM m, nm;
CREATE VIEW app.sets AS SELECT a FROM app.t UNION SELECT b FROM app.u UNION ALL (SELECT 1 EXCEPT SELECT 2) INTERSECT SELECT 3 ORDER BY 1;
CREATE VIEW app.sets_of_one AS SELECT a, b FROM app.t UNION ALL SELECT a, s FROM app.u;
CREATE VIEW app.valued AS VALUES (1, 'a'), (2, 'b');
CREATE VIEW app.valued2 AS SELECT column1 AS c FROM (VALUES (1), (2)) AS v;
CREATE VIEW app.valued3 AS SELECT v.x FROM (VALUES (1, 'q')) AS v(x, y) WHERE y <> 'z';
CREATE VIEW app.distincts AS SELECT DISTINCT ON (b) b, a FROM app.t ORDER BY b, a DESC;
CREATE VIEW app.sampled AS SELECT a FROM app.t TABLESAMPLE bernoulli (10) REPEATABLE (3);
CREATE VIEW app.locked AS SELECT a FROM app.t FOR UPDATE OF t SKIP LOCKED;
CREATE VIEW app.first_with_ties AS SELECT a FROM app.t ORDER BY a FETCH FIRST 3 ROWS WITH TIES;
CREATE VIEW app.from_view AS SELECT s.a, s.up FROM app.simple s;
CREATE VIEW app.no_from AS SELECT 1 AS one, 'x' AS unknown, NULL AS nothing;
CREATE VIEW app.tabled AS SELECT xt.* FROM app.t, xmltable('/a' PASSING x COLUMNS id integer PATH '@id' NOT NULL, o FOR ORDINALITY, n text DEFAULT 'x') xt;
CREATE VIEW app.subquery AS SELECT q.n FROM (SELECT count(*) AS n FROM app.t) q;
CREATE VIEW app.checked WITH (security_barrier = true) AS SELECT a, b FROM app.t WHERE a > 1 WITH CASCADED CHECK OPTION;
CREATE VIEW app.renamed (x, y) AS SELECT a, b FROM app.t;
CREATE VIEW app.after_rename AS SELECT u.a, u.b FROM app.u; ALTER TABLE app.u RENAME COLUMN b TO bb;
CREATE RECURSIVE VIEW app.rec (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM rec WHERE n < 3;
CREATE MATERIALIZED VIEW app.kept AS SELECT a, lower(b) AS low FROM app.t WHERE b <> '' WITH DATA;
CREATE UNIQUE INDEX ON app.kept (a);

CREATE INDEX by_expression ON app.t (lower(b) text_pattern_ops, (a + 1) DESC, EXTRACT(year FROM d), substring(b FROM 1 FOR 2) COLLATE "C") INCLUDE (c) WHERE b IN ('x', 'y') AND a IS NOT NULL;
CREATE INDEX by_gin ON app.t USING gin (doc jsonb_path_ops, tags) WITH (fastupdate = off);
CREATE INDEX by_brin ON app.t USING brin (a int4_minmax_ops, tz) WITH (pages_per_range = 4);
CREATE INDEX by_gist ON app.t USING gist (r range_ops);
CREATE INDEX by_spgist ON app.t USING spgist (b);
CREATE INDEX by_hash ON app.t USING hash (b) WITH (fillfactor = 50);
CREATE INDEX by_trim ON app.t (trim(b), ts, (doc ->> 'x'), ((doc -> 'a')::text));
CREATE INDEX by_zone ON app.t ((tz AT TIME ZONE 'UTC'), date_trunc('day', ts));
CREATE STATISTICS app.st (ndistinct, mcv) ON a, b FROM app.t;
CREATE STATISTICS app.st_all ON c, d FROM app.t;

CREATE FUNCTION app.f(a integer, b text DEFAULT 'x', VARIADIC c integer[] DEFAULT '{1,2}', OUT d integer, OUT e text) RETURNS record LANGUAGE sql AS 'SELECT 1, $2';
CREATE FUNCTION app.defaults(d date DEFAULT CURRENT_DATE, i interval DEFAULT '1 day', t text DEFAULT trim('x'), e double precision DEFAULT date_part('year', now()), p app.pair DEFAULT ROW(1, 'x')::app.pair, n numeric DEFAULT NULL) RETURNS void LANGUAGE sql SET search_path = '' SET work_mem = '1MB' AS '';
CREATE FUNCTION app.trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.poly(a anyelement, b anyarray, c anyrange DEFAULT NULL) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE PROCEDURE app.pr(a integer, INOUT b text, VARIADIC c integer[] DEFAULT '{}') LANGUAGE plpgsql AS 'BEGIN END';
CREATE PROCEDURE app.pr2() LANGUAGE sql AS '';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', PARALLEL = SAFE, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = integer);
CREATE AGGREGATE app.ordered(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE OPERATOR app.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq, COMMUTATOR = OPERATOR(app.===), NEGATOR = OPERATOR(app.!==), RESTRICT = eqsel, JOIN = eqjoinsel, MERGES, HASHES);
CREATE VIEW app.with_operator AS SELECT a OPERATOR(app.===) 1 AS eq, app.total(a) AS s, app.f(a, 'y', 1, 2)::text AS f, app.f(b => 'q', a => t.a, VARIADIC c => ARRAY[1])::text AS f2 FROM app.t GROUP BY a;
CREATE OPERATOR CLASS app.ops FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer), FUNCTION 2 btint4sortsupport(internal);
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi, subtype_opclass = float8_ops);
CREATE TYPE app.text_range AS RANGE (subtype = text, collation = "C");
CREATE DOMAIN app.pos AS integer DEFAULT 1 NOT NULL CHECK (VALUE > 0 AND VALUE IN (1, 2, 3));
CREATE DOMAIN app.mail AS text COLLATE "C" CHECK (VALUE ~ '@' AND char_length(VALUE) < 100);

CREATE TRIGGER tr BEFORE INSERT OR UPDATE OF a, b ON app.t FOR EACH ROW WHEN (NEW.a IS DISTINCT FROM 1 AND NEW.b IN ('x', 'y')) EXECUTE FUNCTION app.trg('a', 1);
CREATE TRIGGER tr2 AFTER UPDATE ON app.t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION app.trg();
CREATE CONSTRAINT TRIGGER tr3 AFTER INSERT ON app.u FROM app.t NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION app.trg();
CREATE RULE ins AS ON INSERT TO app.simple DO INSTEAD INSERT INTO app.t (a, b) VALUES (NEW.a, NEW.up) ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE t.a > 1 RETURNING t.a, t.b, t."select", t.c;
CREATE RULE upd AS ON UPDATE TO app.u WHERE OLD.a > NEW.a DO ALSO (UPDATE app.t SET b = 'x', (c, d) = (SELECT 1, CURRENT_DATE) FROM app.u z WHERE t.a = OLD.a; DELETE FROM app.t USING app.u y WHERE t.a = y.a; SELECT 1);
CREATE RULE told AS ON INSERT TO app.u DO ALSO NOTIFY n, 'p';
CREATE RULE del AS ON DELETE TO app.simple DO INSTEAD DELETE FROM app.t WHERE t.a = OLD.a;
CREATE RULE many AS ON INSERT TO app.u DO ALSO INSERT INTO app.t (a, b) VALUES (1, 'x'), (NEW.a, DEFAULT);
CREATE RULE of_select AS ON DELETE TO app.u DO ALSO INSERT INTO app.t (a, b) WITH w AS (SELECT 1 AS one) SELECT w.one, OLD.s FROM w;
ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON app.t FOR ALL TO PUBLIC USING (who = CURRENT_USER AND a IN (SELECT u.a FROM app.u WHERE u.a = t.a)) WITH CHECK (b <> 'x' OR (SELECT true));

CREATE TABLE app.parted (a integer, d timestamptz, t text) PARTITION BY RANGE (a, ((d AT TIME ZONE 'UTC')::date), (t || 'x') COLLATE "C" text_pattern_ops);
CREATE TABLE app.parted1 PARTITION OF app.parted FOR VALUES FROM (1, '2020-01-01', MINVALUE) TO (10, MAXVALUE, MAXVALUE);
CREATE TABLE app.listed (m app.mood, b boolean) PARTITION BY LIST (m); CREATE TABLE app.listed1 PARTITION OF app.listed FOR VALUES IN ('sad', NULL); CREATE TABLE app.listed2 PARTITION OF app.listed DEFAULT;
CREATE TABLE app.hashed (a bigint PRIMARY KEY, b text) PARTITION BY HASH (a int8_ops); CREATE TABLE app.hashed0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.dated (d timestamp) PARTITION BY RANGE (d); CREATE TABLE app.dated1 PARTITION OF app.dated FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE TABLE app.flags (b boolean) PARTITION BY LIST (b); CREATE TABLE app.flags1 PARTITION OF app.flags FOR VALUES IN (true);
CREATE TABLE app.parent (a integer, b text, c date); CREATE TABLE app.loose (c date, b text, own integer, a integer); ALTER TABLE app.loose INHERIT app.parent;
CREATE TABLE app.excluded (r int4range, a integer, EXCLUDE USING gist (r WITH &&, int4range(a, a + 1) WITH &&) WHERE (a > 1) DEFERRABLE);
CREATE TABLE app.self (id integer PRIMARY KEY, up integer, CONSTRAINT up_fk FOREIGN KEY (up) REFERENCES app.self (id) MATCH FULL ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE app.tuned (a integer, b text); ALTER TABLE app.tuned ALTER a SET STATISTICS 100, ALTER b SET STATISTICS 0, ALTER b SET STORAGE MAIN, ALTER a SET (n_distinct = 5, n_distinct_inherited = -0.5);
CREATE INDEX tuned_i ON app.tuned ((a + 1)); ALTER INDEX app.tuned_i ALTER COLUMN 1 SET STATISTICS 50;

CREATE COLLATION app.c (provider = libc, locale = 'C');
CREATE COLLATION app.two (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX');
CREATE EXTENSION unaccent;
CREATE FUNCTION app.depending() RETURNS integer LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION app.depending() DEPENDS ON EXTENSION unaccent;
CREATE TABLE app.collated (a text COLLATE app.c, d text COLLATE "ucs_basic", e text COLLATE "POSIX");

CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere; CREATE USER MAPPING FOR CURRENT_USER SERVER far;
CREATE FOREIGN TABLE app.abroad (a integer OPTIONS (x 'y') NOT NULL, b text COLLATE "C" DEFAULT 'x', CHECK (a > 0)) SERVER far;
CREATE PUBLICATION pub FOR TABLE app.t, ONLY app.u WITH (publish = 'insert, truncate');
CREATE PUBLICATION all_of_it FOR ALL TABLES WITH (publish_via_partition_root);
CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
CREATE SUBSCRIPTION sub2 CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, synchronous_commit = 'local');
CREATE FUNCTION app.ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER ev ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION app.ev();
CREATE TEXT SEARCH CONFIGURATION app.conf (COPY = pg_catalog.english);
CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = snowball, language = 'english', stopwords = 'english');
CREATE CAST (app.pair AS text) WITH INOUT AS ASSIGNMENT;
CREATE SEQUENCE app.seq AS integer START 5; CREATE TABLE app.ser (a serial, b integer GENERATED ALWAYS AS IDENTITY, c bigint GENERATED BY DEFAULT AS IDENTITY (START 7 CACHE 3));
CREATE EXTENSION citext SCHEMA app; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gist;
CREATE TABLE app.ext (c app.citext DEFAULT 'x', h hstore DEFAULT 'a=>1', CHECK (c <> 'y'));
CREATE INDEX ON app.ext USING gist (h); CREATE INDEX ON app.u USING gin (s gin_trgm_ops);

GRANT SELECT, UPDATE (b) ON app.t TO reader; GRANT ALL ON app.u TO reader; GRANT USAGE ON SCHEMA app TO reader WITH GRANT OPTION; GRANT ALL ON SCHEMA public TO reader; GRANT ALL ON app.u TO "some; body" WITH GRANT OPTION;
REVOKE ALL ON FUNCTION app.trg() FROM PUBLIC; GRANT EXECUTE ON FUNCTION app.trg() TO reader; REVOKE INSERT ON app.ser FROM CURRENT_USER;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT ALL ON TABLES TO reader; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO "some; body"; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM CURRENT_USER; ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO reader; ALTER DEFAULT PRIVILEGES FOR ROLE reader GRANT SELECT, INSERT ON TABLES TO "some; body";
ALTER TABLE app.self OWNER TO "some; body"; REVOKE DELETE ON app.self FROM "some; body";
ALTER DATABASE :database SET work_mem = '4MB'; ALTER DATABASE :database SET datestyle = 'ISO, DMY'; ALTER DATABASE :database SET search_path = app, public;

SELECT current_setting('server_version_num')::integer >= 140000 AS is_14, current_setting('server_version_num')::integer >= 150000 AS is_15,
    current_setting('server_version_num')::integer >= 160000 AS is_16, current_setting('server_version_num')::integer >= 170000 AS is_17, current_setting('server_version_num')::integer >= 180000 AS is_18 \gset
\if :is_14
CREATE TABLE app.pressed (a text, b text); CREATE TABLE app.pressed_child (b text) INHERITS (app.pressed); CREATE TABLE app.pressed_below () INHERITS (app.pressed_child); ALTER TABLE ONLY app.pressed ALTER a SET COMPRESSION pglz;
CREATE VIEW app.of_14 AS SELECT substring(b SIMILAR '%#"x#"%' ESCAPE '#') AS s4, doc['a'] AS sub, date_bin('1 hour', ts, '2020-01-01') AS bin, (tags)[1] AS one, EXTRACT(hour FROM ts) AS h, trim_array(tags, 1) AS tr FROM app.t;
CREATE VIEW app.joined_as AS SELECT j.a, x.s FROM (app.t JOIN app.u USING (a) AS j) JOIN app.u x ON x.a = j.a;
CREATE VIEW app.searched AS WITH RECURSIVE r(n, m) AS (SELECT 1, 2 UNION ALL SELECT n + 1, m FROM r WHERE n < 5) SEARCH DEPTH FIRST BY n SET o CYCLE n, m SET c USING p SELECT n, m, o::text, c, p::text FROM r;
CREATE VIEW app.distinct_groups AS SELECT b, d, count(*) FROM app.t GROUP BY DISTINCT ROLLUP (b, d), CUBE (b);
CREATE FUNCTION app.atomic(x integer, y text DEFAULT trim('q')) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 'x', (SELECT NULL), EXISTS (SELECT '1'::varchar, 'a') FROM app.t WHERE t.b = atomic.y AND t.a BETWEEN 1 AND 2 AND t.v IN ('x', 'y'); WITH w AS (SELECT 1 AS q) SELECT q + x FROM w; END;
CREATE FUNCTION app.returning(x integer) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE WHEN x BETWEEN 1 AND 2 AND x <> 3 THEN overlay('abc' PLACING 'x' FROM 2) ELSE trim(BOTH 'x' FROM 'xax') END;
CREATE PROCEDURE app.changes(a integer, OUT b text) LANGUAGE sql BEGIN ATOMIC INSERT INTO app.t (a) VALUES (a); UPDATE app.t SET b = 'x' WHERE t.a = changes.a; DELETE FROM app.t WHERE t.a = 3; SELECT 'x'; END;
CREATE TYPE app.many AS RANGE (subtype = date, multirange_type_name = app.manies);
CREATE TABLE app.multi (r int4multirange DEFAULT '{[1,2)}', m app.manies, x text COMPRESSION pglz);
CREATE STATISTICS app.on_expression ON lower(b), (a + 1), c FROM app.t;
CREATE INDEX by_inet ON app.t USING gist (r range_ops, a);
CREATE SUBSCRIPTION sub14 CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, binary = true, streaming = on);
\endif
\if :is_15
CREATE TABLE app.two_keys (a integer, b integer, PRIMARY KEY (a, b)); CREATE TABLE app.set_null (a integer, b integer, FOREIGN KEY (a, b) REFERENCES app.two_keys (a, b) ON DELETE SET NULL (b), UNIQUE NULLS NOT DISTINCT (a));
CREATE VIEW app.invoker WITH (security_invoker = true) AS SELECT a FROM app.t; CREATE UNIQUE INDEX nnd ON app.u (bb) NULLS NOT DISTINCT;
CREATE SCHEMA app_two; CREATE PUBLICATION parts FOR TABLE app.t (a, b, "select"), app.u WHERE (a BETWEEN 1 AND 2 AND a <> 7 AND s IN ('x', 'y')); CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA app_two;
CREATE FUNCTION app.merging() RETURNS void LANGUAGE sql BEGIN ATOMIC MERGE INTO app.ser USING app.t ON ser.a = t.a WHEN MATCHED AND t.a > 1 THEN UPDATE SET c = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (t.a) WHEN MATCHED THEN DELETE; END;
CREATE SUBSCRIPTION sub15 CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, two_phase = true, disable_on_error = true);
CREATE UNLOGGED SEQUENCE app.fast;
\endif
\if :is_16
CREATE VIEW app.of_16 AS SELECT json_object('a' : 1, 'b' VALUE 2 ABSENT ON NULL WITH UNIQUE KEYS RETURNING jsonb) AS o, json_array(1, 'x' NULL ON NULL) AS a, json_array(SELECT 1) AS q, json_objectagg(b : a ABSENT ON NULL) AS oa, json_arrayagg(b ORDER BY a RETURNING jsonb) AS aa, b IS JSON OBJECT WITH UNIQUE KEYS AS ij, xmlserialize(content '<a/>'::xml AS text INDENT) AS xi, any_value(a) AS av, count(*) AS c FROM app.t GROUP BY a, b;
CREATE SUBSCRIPTION sub16 CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, streaming = parallel, run_as_owner = true, origin = none, password_required = false);
CREATE TABLE app.stored (a text STORAGE EXTERNAL);
\endif
\if :is_17
CREATE VIEW app.of_17 AS SELECT json_exists(doc, '$.a' PASSING a AS x ERROR ON ERROR) AS e, json_value(doc, '$.a' RETURNING integer DEFAULT 3 ON EMPTY) AS v, json_query(doc, '$.a' WITH WRAPPER KEEP QUOTES EMPTY ARRAY ON ERROR) AS q, json(b) AS j, json_scalar(a) AS s, json_serialize(doc RETURNING text) AS z, ts AT LOCAL AS lo, merge_action_free FROM app.t, (SELECT 1) AS m(merge_action_free);
CREATE VIEW app.json_tabled AS SELECT jt.* FROM app.t, json_table(doc, '$[*]' AS p COLUMNS (id FOR ORDINALITY, n text PATH '$.n' DEFAULT 'x' ON EMPTY, e boolean EXISTS PATH '$.e', NESTED PATH '$.l[*]' AS l COLUMNS (k integer PATH '$'))) jt;
CREATE TABLE app.ident_parent (i integer GENERATED ALWAYS AS IDENTITY, k integer) PARTITION BY LIST (k); CREATE TABLE app.ident_1 PARTITION OF app.ident_parent FOR VALUES IN (1);
CREATE TABLE app.no_exclusion (k integer, r int4range, EXCLUDE USING gist (k WITH =, r WITH &&)) PARTITION BY LIST (k);
CREATE SUBSCRIPTION sub17 CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, failover = true);
GRANT MAINTAIN ON app.t TO reader;
\endif
\if :is_18
CREATE TABLE app.of_18 (a integer CONSTRAINT mine NOT NULL, v integer GENERATED ALWAYS AS (a * 2) VIRTUAL, id int4range, d daterange, CONSTRAINT loose CHECK (a > 0) NOT ENFORCED, PRIMARY KEY (id, d WITHOUT OVERLAPS));
CREATE TABLE app.of_18_ref (id int4range, d daterange, f integer, FOREIGN KEY (id, PERIOD d) REFERENCES app.of_18 (id, PERIOD d), CONSTRAINT off FOREIGN KEY (f) REFERENCES app.self (id) NOT ENFORCED);
ALTER TABLE app.of_18_ref ADD CONSTRAINT nn NOT NULL f NOT VALID;
CREATE RULE ret AS ON UPDATE TO app.u DO INSTEAD UPDATE app.u SET bb = 2 RETURNING WITH (OLD AS o, NEW AS n) o.a, n.bb, o.s;
CREATE PUBLICATION generated FOR TABLE app.t WITH (publish_generated_columns = stored);
CREATE VIEW app.grouped_18 AS SELECT a, b FROM app.t WHERE a = ANY (ARRAY[1, 2]) OR a = 3;
\endif
