"""Shapes that no server of today prints: older releases of pg_dump, and pieces of dumps as readers hand them over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps.ddl.builder import InventoryBuilder
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import LEFT_OUT_AS_A_WHOLE, DatabaseObject, ObjectKey
from pgaudit_kit.records.toc import TocEntry
from tests.dumps.ddl.pieces import inventory_of, inventory_of_statements


def one(inventory: Inventory, kind: str) -> DatabaseObject:
    (found,) = inventory.of_kind(kind)
    return found


def reasons(inventory: Inventory) -> list[tuple[str, str]]:
    return [(u.kind, u.name) for u in inventory.unmodelled]


BEFORE_2018 = """
SET search_path = app, pg_catalog;

--
-- Name: f(); Type: FUNCTION; Schema: app; Owner: bob
--

CREATE FUNCTION f() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN RETURN NEW; END$$;


--
-- Name: t1; Type: TABLE; Schema: app; Owner: bob
--

CREATE TABLE t1 (
    id integer NOT NULL,
    m mood
);


ALTER TABLE app.t1 OWNER TO bob;

--
-- Name: seq2; Type: SEQUENCE; Schema: app; Owner: bob
--

CREATE SEQUENCE seq2
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE app.seq2 OWNER TO bob;

--
-- Name: seq2; Type: SEQUENCE OWNED BY; Schema: app; Owner: bob
--

ALTER SEQUENCE seq2 OWNED BY t1.id;


--
-- Name: seq2; Type: SEQUENCE SET; Schema: app; Owner: bob
--

SELECT pg_catalog.setval('seq2', 7, true);


SET search_path = public, pg_catalog;

--
-- Name: t2; Type: TABLE; Schema: public; Owner: bob
--

CREATE TABLE t2 (
    a integer
)
INHERITS (app.t1);


SET search_path = app, pg_catalog;

--
-- Name: t1_pkey; Type: CONSTRAINT; Schema: app; Owner: bob
--

ALTER TABLE ONLY t1
    ADD CONSTRAINT t1_pkey PRIMARY KEY (id);


--
-- Name: i1; Type: INDEX; Schema: app; Owner: bob
--

CREATE INDEX i1 ON t1 USING btree (m);


--
-- Name: fk; Type: FK CONSTRAINT; Schema: app; Owner: bob
--

ALTER TABLE ONLY t1
    ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES t1(id) ON DELETE CASCADE;


--
-- Name: tr; Type: TRIGGER; Schema: app; Owner: bob
--

CREATE TRIGGER tr BEFORE UPDATE OF id ON t1 FOR EACH ROW WHEN ((new.x <> ' EXECUTE PROCEDURE f()'::text)) EXECUTE PROCEDURE f('a');


--
-- Name: id; Type: DEFAULT; Schema: app; Owner: bob
--

ALTER TABLE ONLY t1 ALTER COLUMN id SET DEFAULT nextval('seq2'::regclass);


--
-- Name: TABLE t1; Type: COMMENT; Schema: app; Owner: bob
--

COMMENT ON TABLE t1 IS 'first';
"""


def test_before_2018_names_stand_in_the_schema_of_the_search_path() -> None:
    inventory = inventory_of(BEFORE_2018)
    assert inventory.unmodelled == ()
    assert [str(o.key) for o in inventory.objects] == [
        "FUNCTION app.f()",
        "SEQUENCE app.seq2",
        "TABLE app.t1",
        "CONSTRAINT app.t1_pkey on t1",
        "FK CONSTRAINT app.fk on t1",
        "INDEX app.i1 on t1",
        "TRIGGER app.tr on t1",
        "TABLE public.t2",
    ]
    assert one(inventory, "SEQUENCE").attributes == {
        "owner": "bob", "start": "1", "increment": "1", "owned_by": "app.t1.id", "last_value": "7", "is_called": "true",
    }  # fmt: skip
    assert one(inventory, "INDEX").attributes["definition"] == "CREATE INDEX i1 ON app.t1 USING btree (m)"
    assert one(inventory, "FK CONSTRAINT").attributes["definition"] == "FOREIGN KEY (id) REFERENCES app.t1(id) ON DELETE CASCADE"
    trigger = (
        "CREATE TRIGGER tr BEFORE UPDATE OF id ON app.t1 FOR EACH ROW WHEN ((new.x <> ' EXECUTE PROCEDURE f()'::text)) EXECUTE FUNCTION "
    )
    assert one(inventory, "TRIGGER").attributes["definition"] == trigger + "app.f('a')"
    table = inventory.by_key[ObjectKey("TABLE", "app", "t1")]
    assert table.attributes["comment"] == "first"
    assert table.columns[0].attributes["default"] == "nextval('app.seq2'::regclass)"
    assert inventory.by_key[ObjectKey("TABLE", "public", "t2")].attributes["inherits"] == "app.t1"


def test_in_archives_before_2018_names_stand_in_the_schema_of_the_entry() -> None:
    entry = TocEntry("TABLE", "t1", "app", "bob", dump_id=7, definition="…")
    table = one(inventory_of_statements("CREATE TABLE t1 (a integer);\n", entry=entry), "TABLE")
    assert (table.key.schema, table.attributes) == ("app", {"owner": "bob", "tablespace": ""})


def test_a_view_that_was_dumped_as_a_table_and_a_rule_is_a_view() -> None:
    inventory = inventory_of_statements(
        "CREATE TABLE app.vg (\n    id integer,\n    n bigint\n);\nALTER TABLE app.vg OWNER TO bob;",
        'CREATE RULE "_RETURN" AS\n    ON SELECT TO app.vg DO INSTEAD  SELECT t.id,\n    count(*) AS n\n   FROM app.t\n  GROUP BY t.id;',
        "ALTER VIEW app.vg SET (security_barrier='true');",
        "COMMENT ON VIEW app.vg IS 'a view';",
    )
    view = one(inventory, "VIEW")
    assert len(inventory.objects) == 1
    assert view.attributes == {
        "owner": "bob",
        "definition": " SELECT t.id,\n    count(*) AS n\n   FROM app.t\n  GROUP BY t.id",
        "options": "security_barrier='true'",
        "comment": "a view",
    }
    assert view.columns == ()


def test_the_quasi_drop_of_a_view_by_clean_leaves_no_trace() -> None:
    inventory = inventory_of_statements(
        "CREATE OR REPLACE VIEW app.v AS\nSELECT\n    NULL::integer AS id;\nDROP VIEW IF EXISTS app.v;",
        "CREATE VIEW app.v AS\nSELECT\n    NULL::integer AS id;",
        "ALTER VIEW app.v OWNER TO bob;",
        "CREATE OR REPLACE VIEW app.v WITH (security_barrier='true') AS\n SELECT 1 AS id\n  WITH LOCAL CHECK OPTION;",
    )
    expected = {"owner": "bob", "definition": " SELECT 1 AS id", "options": "security_barrier='true'", "check_option": "LOCAL"}
    assert one(inventory, "VIEW").attributes == expected


def test_a_partition_without_columns_has_those_and_the_checks_of_its_parent() -> None:
    inventory = inventory_of_statements(
        "CREATE TABLE app.p (id integer NOT NULL, v text DEFAULT 'x'::text, CONSTRAINT ck CHECK ((id > 0)))\nPARTITION BY HASH (id);",
        "COMMENT ON COLUMN app.p.id IS 'only of the parent';",
        "CREATE TABLE app.p_1 PARTITION OF app.p\nFOR VALUES WITH (modulus 2, remainder 0)\nPARTITION BY LIST (v);",
        "CREATE TABLE app.p_1_a PARTITION OF app.p_1 (v DEFAULT 'y'::text NOT NULL)\nFOR VALUES IN ('a', 'NOT') WITH (fillfactor='70');",
        "CREATE TABLE app.p_1_d PARTITION OF app.p_1\nDEFAULT;",
    )
    inner = inventory.by_key[ObjectKey("TABLE", "app", "p_1")]
    leaf = inventory.by_key[ObjectKey("TABLE", "app", "p_1_a")]
    assert inner.attributes == {
        "partition_of": "app.p", "partition_bound": "FOR VALUES WITH (modulus 2, remainder 0)", "partition_key": "LIST (v)",
    }  # fmt: skip
    assert leaf.attributes == {"partition_of": "app.p_1", "partition_bound": "FOR VALUES IN ('a', 'NOT')", "options": "fillfactor='70'"}
    assert [(c.name, c.attributes) for c in inner.columns] == [
        ("id", {"type": "integer", "not_null": "true"}),
        ("v", {"type": "text", "default": "'x'::text"}),
    ]
    assert [(c.name, c.attributes) for c in leaf.columns][1] == ("v", {"type": "text", "default": "'y'::text", "not_null": "true"})
    assert {o.key.parent for o in inventory.of_kind("CHECK CONSTRAINT")} == {"p", "p_1", "p_1_a", "p_1_d"}
    assert inventory.by_key[ObjectKey("TABLE", "app", "p_1_d")].attributes["partition_bound"] == "DEFAULT"


def test_overridden_inherited_columns_come_after_the_tables_own_in_the_order_of_the_parents() -> None:
    inventory = inventory_of_statements(
        "CREATE TABLE app.a (\n    one integer,\n    two integer\n);",
        "CREATE TABLE app.b (\n    three integer,\n    two integer\n);",
        "CREATE TABLE app.c (\n    NOT NULL three,\n    own integer\n)\nINHERITS (app.a, app.b);",
        "ALTER TABLE ONLY app.c ALTER COLUMN two SET DEFAULT 2;",
        "COMMENT ON COLUMN app.c.one IS 'x';",
    )
    child = inventory.by_key[ObjectKey("TABLE", "app", "c")]
    assert [c.name for c in child.columns] == ["own", "one", "two", "three"]
    assert child.columns[3].attributes == {"not_null": "true"}


def test_identifiers_that_are_all_quoted_say_what_bare_ones_say() -> None:
    quoted = inventory_of_statements(
        'CREATE SCHEMA "app"',
        """CREATE TABLE "app"."t" ("a" "text" DEFAULT '"kept"'::"text", "order" "date", "W w" integer) WITH ("autovacuum_enabled"='off')""",
        """ALTER TABLE ONLY "app"."t" ALTER COLUMN "order" SET DEFAULT "nextval"('"app"."S ""s"'::"regclass")""",
        """CREATE FUNCTION "app"."f"("x" "text") RETURNS "text" LANGUAGE "sql" AS $$ SELECT "x" $$""",
    )
    by_kind = {o.key.kind: o for o in quoted.objects}
    assert [dict(c.attributes) for c in by_kind["TABLE"].columns] == [
        {"type": "text", "default": "'\"kept\"'::text"},
        {"type": "date", "default": 'nextval(\'app."S ""s"\'::regclass)'},
        {"type": "integer"},
    ]
    assert by_kind["TABLE"].attributes["options"] == "autovacuum_enabled=off"
    assert by_kind["FUNCTION"].key.name == "f(x text)"
    assert by_kind["FUNCTION"].attributes["body"] == ' SELECT "x" '
    bare = inventory_of_statements(
        'CREATE TABLE app.t ("new_keyword_of_a_newer_release" integer CHECK ("new_keyword_of_a_newer_release" > 0))'
    )
    assert '"new_keyword_of_a_newer_release"' in (bare.objects[0].definition or "")


def test_a_dump_that_quotes_only_what_the_server_printed_says_the_same() -> None:
    (table,) = inventory_of_statements('CREATE TABLE app.t (a "date", b "tsrange", "user" "text")').objects
    assert [(c.name, c.attributes["type"]) for c in table.columns] == [("a", "date"), ("b", "tsrange"), ("user", "text")]


def test_default_null_is_no_default_wherever_it_is_said() -> None:
    inventory = inventory_of_statements(
        "CREATE TABLE app.part (a integer DEFAULT 1, v text DEFAULT NULL)",  # below a partition without default, up to 15
        "CREATE TABLE app.parent (a integer DEFAULT 1, b integer DEFAULT 2)",
        "CREATE TABLE app.child (own text) INHERITS (app.parent)",
        "ALTER TABLE ONLY app.child ALTER COLUMN a SET DEFAULT NULL",
        "ALTER TABLE ONLY app.child ALTER COLUMN b SET DEFAULT 3",
    )
    part, child = (inventory.by_key[ObjectKey("TABLE", "app", name)] for name in ("part", "child"))
    assert [(c.name, dict(c.attributes)) for c in part.columns] == [("a", {"type": "integer", "default": "1"}), ("v", {"type": "text"})]
    assert [(c.name, dict(c.attributes)) for c in child.columns] == [("own", {"type": "text"}), ("b", {"default": "3"})]


def test_what_every_database_has_is_not_an_object_but_is_named() -> None:
    inventory = inventory_of_statements(
        "CREATE SCHEMA public;",
        "ALTER SCHEMA public OWNER TO postgres;",
        "COMMENT ON SCHEMA public IS 'standard public schema';",
        "CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;",
        "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';",
    )
    assert [(str(o.key), o.attributes["extension_schema"]) for o in inventory.objects] == [("EXTENSION plpgsql", "pg_catalog")]
    assert ("SCHEMA", "public") in reasons(inventory)


def test_the_comment_that_initdb_gives_schema_public_is_none() -> None:
    """pg_dump says it again when it quotes all identifiers: it looks for `public` in what it has quoted already."""
    entry = TocEntry("SCHEMA", "public", None, "bob")
    comment = "COMMENT ON SCHEMA \"public\" IS 'standard public schema';"
    inventory = inventory_of_statements("-- *not* creating schema, since initdb creates it\n", comment, entry=entry)
    assert one(inventory, "SCHEMA").attributes == {"owner": "bob"}
    without = inventory_of_statements(comment)
    assert (without.objects, without.unmodelled) == ((), ())


@pytest.mark.parametrize(
    ("statements", "attributes"),
    [
        (["-- *not* creating schema, since initdb creates it\n"], {"owner": "bob"}),
        (['\n\n-- *not* creating schema, since initdb creates it\n\n\nALTER SCHEMA public OWNER TO "Bob";'], {"owner": "Bob"}),
        (["COMMENT ON SCHEMA public IS 'mine';"], {"owner": "bob", "comment": "mine"}),
        (["COMMENT ON SCHEMA public IS '';"], {"owner": "bob", "comment": ""}),
    ],
)
def test_schema_public_is_an_object_when_it_is_not_as_initdb_made_it(statements: list[str], attributes: dict[str, str]) -> None:
    entry = TocEntry("SCHEMA", "public", None, "bob")
    assert one(inventory_of_statements(*statements, entry=entry), "SCHEMA").attributes == attributes


def _oids(inventory: Inventory) -> list[str | None]:
    assert inventory.unmodelled == ()
    return [o.attributes["oids"] for o in inventory.of_kind("BLOB")]


def test_large_objects_are_listed_in_every_form() -> None:
    archive = TocEntry("BLOB METADATA", "1..9", None, "bob", dump_id=3, definition="…")
    assert _oids(inventory_of_statements("16999\n20001\n20002\n", entry=archive)) == ["16999", "20001-20002"]
    plain = inventory_of_statements(
        "SELECT pg_catalog.lo_create('16999');", "ALTER LARGE OBJECT 16999 OWNER TO bob;", entry=TocEntry("BLOB", "16999")
    )
    assert _oids(plain) == ["16999"]


def test_statements_of_one_unmodelled_object_are_kept_together_and_objects_apart() -> None:
    entry = TocEntry("WIDGET", "w", "app", "bob")  # of a fork
    builder = InventoryBuilder()
    for left in ("integer", "text"):
        builder.feed(f"CREATE WIDGET app.w (\n    FUNCTION = f,\n    LEFTARG = {left}\n);", entry)
        builder.feed(f"ALTER WIDGET app.w ({left}) OWNER TO bob;", entry)
    unmodelled = builder.build().unmodelled
    assert [(u.kind, u.schema, u.name) for u in unmodelled] == [("WIDGET", "app", "w")] * 2
    assert [(u.definition or "").count("ALTER") for u in unmodelled] == [1, 1]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE USER MAPPING FOR bob SERVER s OPTIONS (password 'hunter2', \"user\" 'u');",
        "CREATE SERVER s FOREIGN DATA WRAPPER f OPTIONS (passfile E'hunter2\\\\');",
        "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p;",
        "CREATE FOREIGN TABLE s.t (a integer)\nSERVER s\nOPTIONS (\n    filename 'f',\n    \"Api ;Key\" E'it''s hunter2 \\\\')'\n);",
        "CREATE USER MAPPING FOR bob SERVER s OPTIONS (file 'c:\\', password 'hunter2');",
        "CREATE SERVER s FOREIGN DATA WRAPPER f OPTIONS (token 'hunter2",
        "CREATE FOREIGN TABLE s.t (a integer, b nonsense( ) SERVER s OPTIONS (token 'hunter2');",
        "CREATE SERVER s FOREIGN DATA WRAPPER f OPTIONS (host 'h', token 'hunter2') NONSENSE;",
        "ALTER ROLE bob WITH LOGIN PASSWORD 'hunter2';",
        "CREATE USER bob PASSWORD 'hunter2';",
    ],
)
def test_no_password_is_kept(sql: str) -> None:
    inventory = inventory_of_statements(sql)
    definitions = [kept.definition for kept in inventory.objects] + [kept.definition for kept in inventory.unmodelled]
    assert "hunter2" not in repr(inventory)
    assert ["•••" in (text or "") for text in definitions] == [True]


@pytest.mark.parametrize(
    ("sql", "kind", "schema", "name"),
    [
        ("CREATE TEXT SEARCH CONFIGURATION app.c (COPY = x);", "TEXT SEARCH CONFIGURATION", "app", "c"),
        ("ALTER FOREIGN TABLE ONLY app.f ALTER COLUMN x OPTIONS (a 'b');", "FOREIGN TABLE", "app", "f"),
        ("COMMENT ON POLICY p ON app.t IS 'x IS y';", "COMMENT", None, "POLICY p ON app.t"),
        ("CREATE CAST (text AS app.mood) WITH INOUT AS IMPLICIT NOW;", "CAST", None, "(text AS app.mood) WITH INOUT AS IMPLICIT NOW"),
        ("CREATE TRUSTED PROCEDURAL LANGUAGE pl WITH x;", "PROCEDURAL LANGUAGE", None, "pl"),
        ("SECURITY LABEL FOR p ON TABLE app.t IS 'x';", "SECURITY LABEL", None, "FOR p ON TABLE app.t"),
        ("CREATE TABLE app.t (a integer, );", "TABLE", "app", "t"),
        ("VACUUM app.t;", "VACUUM", None, "VACUUM app.t"),
        ("$$;", "", None, "$$"),
    ],
)  # fmt: skip
def test_without_an_entry_the_statement_itself_says_what_it_is(sql: str, kind: str, schema: str | None, name: str) -> None:
    (unmodelled,) = inventory_of_statements(sql).unmodelled
    if kind == "SECURITY LABEL":
        assert unmodelled.kind == kind
    elif kind:
        assert (unmodelled.kind, unmodelled.schema, unmodelled.name) == (kind, schema, name)
    assert unmodelled.definition == sql.replace("(a 'b')", "(a '•••')")


def test_data_and_settings_leave_no_object() -> None:
    script = """
        SET statement_timeout = 0; SELECT pg_catalog.set_config('search_path', '', false);
        DROP TABLE IF EXISTS app.t; ALTER TABLE IF EXISTS ONLY app.t DROP CONSTRAINT IF EXISTS c; ALTER TABLE app.t DISABLE TRIGGER ALL;
        ALTER TABLE IF EXISTS app.t ALTER COLUMN a DROP DEFAULT; ALTER DOMAIN IF EXISTS app.d DROP CONSTRAINT c;
        ALTER TABLE app.t DISABLE ROW LEVEL SECURITY; BEGIN; INSERT INTO app.t VALUES (1, 'CREATE TABLE x ();'); COMMIT;
        SELECT pg_catalog.lo_open('1', 131072); SELECT pg_catalog.lowrite(0, '\\x00'); SELECT pg_catalog.lo_close(0);
        REFRESH MATERIALIZED VIEW app.m; CREATE DATABASE d; ALTER DATABASE d OWNER TO bob; SET SESSION AUTHORIZATION DEFAULT; RESET ALL;
        UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = 'x';
    """
    database = DatabaseObject(ObjectKey("DATABASE", None, "d"), {"locale_provider": "libc", "tablespace": "", "owner": "bob"})
    inventory = inventory_of_statements(script)
    assert inventory.database is not None
    found = replace(inventory, database=replace(inventory.database, definition=None))
    assert found == Inventory(database=database, not_told=LEFT_OUT_AS_A_WHOLE)


def test_a_piece_of_a_dump_keeps_what_it_can_and_says_what_belongs_to_something_else() -> None:
    inventory = inventory_of_statements(
        "ALTER TABLE ONLY app.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);",
        "SELECT pg_catalog.setval('app.s', 3, false);",
        "ALTER SEQUENCE app.s OWNED BY app.t.id;",
        "ALTER TABLE ONLY app.p ATTACH PARTITION app.p_1 DEFAULT;",
        "COMMENT ON TABLE app.t IS 'x';",
    )
    assert [str(o.key) for o in inventory.objects] == ["CONSTRAINT app.t_pkey on t"]
    assert sorted(kind for kind, _ in reasons(inventory)) == ["COMMENT", "SELECT", "SEQUENCE", "TABLE"]


@given(st.data())
def test_nothing_that_is_cut_or_changed_raises(data: st.DataObject) -> None:
    statement = data.draw(st.sampled_from([s for s in BEFORE_2018.split("\n\n") if s.strip()] + MODERN))
    start, end = sorted((data.draw(st.integers(0, len(statement))), data.draw(st.integers(0, len(statement)))))
    junk = data.draw(st.sampled_from(["", "(", ")", ",", "'", '"', "$$", ".", ";", "NOT NULL", "--", "\0", "é"]))
    inventory_of_statements(statement[:start] + junk + statement[end:])
    inventory_of_statements(statement[start:end] + junk)


MODERN = [
    'CREATE TYPE app.p AS (\n\ta integer,\n\tb text COLLATE pg_catalog."C"\n);',
    "CREATE TYPE app.e AS ENUM (\n    'a',\n    'it''s'\n);",
    "CREATE DOMAIN app.d AS integer NOT NULL DEFAULT 1\n\tCONSTRAINT c CHECK ((VALUE > 0));",
    "CREATE FUNCTION app.f(a integer DEFAULT 1, OUT b text) RETURNS text\n    LANGUAGE sql STABLE COST 7 SET x TO 'a', 'b' AS $$x$$;",
    "CREATE MATERIALIZED VIEW app.m\nWITH (fillfactor='80') AS\n SELECT 1\n  WITH NO DATA;",
    "ALTER TABLE app.t ALTER COLUMN b ADD GENERATED BY DEFAULT AS IDENTITY (\n    SEQUENCE NAME app.s\n    START WITH 10\n    CYCLE\n);",
    "ALTER INDEX app.i ATTACH PARTITION app.j;",
    "CREATE RULE r AS\n    ON DELETE TO app.v DO INSTEAD ( DELETE FROM app.t;\n SELECT 1;\n);",
    "ALTER TABLE ONLY app.t\n    ADD CONSTRAINT u UNIQUE (a, b) INCLUDE (c) WITH (fillfactor='60') DEFERRABLE;",
    "COMMENT ON CONSTRAINT c ON DOMAIN app.d IS 'x';",
    "COMMENT ON FUNCTION app.f(a integer, OUT b text) IS 'x';",
    "SET search_path = app, pg_catalog;",
    "CREATE TABLE app.c PARTITION OF app.p (v WITH OPTIONS NOT NULL) FOR VALUES FROM (1) TO (2);",
]  # fmt: skip


def test_a_user_mapping_without_options_is_known_to_have_none() -> None:
    """Absent means that a role could not see them, and is not compared."""
    inventory = inventory_of_statements(
        "CREATE USER MAPPING FOR bob SERVER srv;", "CREATE USER MAPPING FOR ann SERVER srv OPTIONS (\"user\" 'u');"
    )
    assert [m.attributes["option_names"] for m in inventory.of_kind("USER MAPPING")] == ["user", ""]
