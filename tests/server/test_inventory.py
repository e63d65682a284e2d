"""The inventory of a live database is what pg_dump prints of it: same objects, same texts, on every server that is here."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.difference.objects import compare_objects
from pgaudit_kit.dumps.ddl.builder import InventoryBuilder
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ATTRIBUTES, COLUMN_ATTRIBUTES, ObjectKey
from pgaudit_kit.server.asking import Asking
from pgaudit_kit.server.catalog_rows import Row
from pgaudit_kit.server.snapshot import snapshot
from tests.server.live import HERE, LiveDatabase

Entry = tuple[str, str | None, str]
_HEADER = re.compile(r"^-- Name: (.*?); Type: ([A-Z ]+); Schema: (.*?); Owner:.*$", re.MULTILINE)
KINDS = HERE.parent / "mutations_of_kinds.sql"
_META_COMMAND = re.compile(r"^\\.*$", re.MULTILINE)
# The kinds of every_attribute.sql; the others are in test_mutations_of_kinds.py and test_mutations_of_access.py
KINDS_HERE = frozenset(
    {"SCHEMA", "EXTENSION", "TYPE", "DOMAIN", "TABLE", "SEQUENCE", "VIEW", "MATERIALIZED VIEW", "FUNCTION", "PROCEDURE", "CONSTRAINT"}
    | {"CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "TRIGGER", "RULE"}
)
# entries that are attributes of another object, or state of the session
_ATTACHED = {
    "ACL",
    "COMMENT",
    "DEFAULT",
    "TABLE ATTACH",
    "INDEX ATTACH",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "ROW SECURITY",
    "BLOBS",
    "SHELL TYPE",
}


def of_dump(script: str) -> Inventory:
    """The inventory of what pg_dump wrote, read by the other half of this package."""
    builder = InventoryBuilder()
    builder.feed(_META_COMMAND.sub("", script))
    return builder.build()


def listed_by_pg_dump(script: str) -> Counter[Entry]:
    """How often each entry stands in the header comments; routines without arguments, which tag and key spell differently."""
    entries = ((desc, None if schema == "-" else schema, name) for name, desc, schema in _HEADER.findall(script))
    return Counter((d, s, _bare(d, n)) for d, s, n in entries if d not in _ATTACHED)


def listed_live(inventory: Inventory) -> Counter[Entry]:
    """The same of an inventory; checks are left out because pg_dump prints most of them inside CREATE TABLE."""
    found: Counter[Entry] = Counter()
    for key in (o.key for o in inventory.objects):
        found[key.kind, key.schema, _bare(key.kind, _tag(key))] += key.kind not in ("CHECK CONSTRAINT", "ACL", "BLOB")
    for u in inventory.unmodelled:
        found[u.kind, u.schema, u.name] += 1
    return +found


def _tag(key: ObjectKey) -> str:
    """The tag of its entry."""
    if key.kind in ("PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"):
        return f"{key.name} {key.parent or key.schema}"
    if key.kind == "USER MAPPING":
        return f"USER MAPPING {key.name} SERVER {key.parent}"
    if key.kind == "DEFAULT ACL":
        return f"DEFAULT PRIVILEGES FOR {key.name.partition(' of ')[0]}"
    return f"{key.parent} {key.name}" if key.parent and key.kind != "INDEX" else key.name


def _bare(kind: str, name: str) -> str:
    if kind.startswith("OPERATOR"):  # the operands, the access method
        return name.partition(" ")[0]
    return name.partition("(")[0] if kind in ("FUNCTION", "PROCEDURE", "AGGREGATE") else name


def differences(database: LiveDatabase) -> list[str]:
    return [str(d) for d in compare_objects(of_dump(database.pg_dump("--schema-only")), database.inventory())]


def test_every_kind_is_listed_that_pg_dump_lists_and_nothing_else(database: LiveDatabase) -> None:
    database.run_file("every_other_kind.sql")
    try:
        script = database.pg_dump("--schema-only")
        inventory = database.inventory()
    finally:
        database.run("ALTER SUBSCRIPTION sub DISABLE", "ALTER SUBSCRIPTION sub SET (slot_name = NONE)", "DROP SUBSCRIPTION sub")
    dumped, live = listed_by_pg_dump(script), listed_live(inventory)
    assert live == dumped
    assert compare_objects(of_dump(script), inventory) == ()


def test_what_is_unmodelled_says_why_and_shows_no_secret(database: LiveDatabase) -> None:
    database.run_file("every_other_kind.sql")
    try:
        unmodelled = database.inventory().unmodelled
    finally:
        database.run("ALTER SUBSCRIPTION sub DISABLE", "ALTER SUBSCRIPTION sub SET (slot_name = NONE)", "DROP SUBSCRIPTION sub")
    assert all(u.reason for u in unmodelled)
    assert "hidden-" not in repr(unmodelled)


def test_children_partitions_and_typed_tables_have_what_pg_dump_prints_of_them(database: LiveDatabase) -> None:
    database.run_file("inheritance.sql")
    assert differences(database) == []


def test_settings_of_the_database_change_no_text(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a bytea DEFAULT '\\x00ff', b text DEFAULT 'c:\\d')", "CREATE VIEW v AS SELECT a FROM t WHERE b <> '\\'")
    before = database.inventory()
    for setting in ("standard_conforming_strings = off", "quote_all_identifiers = on", "search_path = public", "IntervalStyle = iso_8601"):
        database.run(f"ALTER DATABASE {database.name} SET {setting}")
    assert compare_objects(before, database.inventory()) == ()


def test_privileges_on_languages_that_are_no_extension_are_in_no_dump(database: LiveDatabase) -> None:
    before = database.inventory()
    database.run("REVOKE USAGE ON LANGUAGE sql FROM PUBLIC")
    assert "LANGUAGE" not in database.pg_dump()
    assert compare_objects(before, database.inventory()) == ()


def test_an_inventory_survives_dump_and_restore(database: LiveDatabase) -> None:
    database.run_file("inheritance.sql")
    script = database.pg_dump()
    before = database.inventory()
    database.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public AUTHORIZATION pg_database_owner")
    database.run("COMMENT ON SCHEMA public IS 'standard public schema'", "GRANT USAGE ON SCHEMA public TO PUBLIC")
    database.psql(script)
    assert len(before.objects) > 40
    assert compare_objects(before, database.inventory()) == ()


def test_every_attribute_says_the_same_live_as_in_a_dump(database: LiveDatabase) -> None:
    blocks = (HERE / "every_attribute.sql").read_text(encoding="utf-8").split("\n\n")[1:]
    for number, block in enumerate(blocks):
        database.run(f"CREATE SCHEMA s{number}; SET search_path = s{number}, public;\n{block}")
    database.run(KINDS.read_text(encoding="utf-8"))
    live = database.inventory()
    assert live.unmodelled == ()
    assert {o.key.schema for o in live.objects} >= {f"s{number}" for number in range(len(blocks))}
    seen = {(o.key.kind, a) for o in live.objects for a in o.attributes}
    never_here = {
        "not_null_name",  # of domains, from 17 on
        "not_null_comment",
        "acl",
        "security_label",
        "tablespace",
        "partition_key",
        "partition_of",
        "partition_bound",
        "inherits",
        "of_type",
        "attached_to",
        "support",
        "transforms",
    }
    for kind in KINDS_HERE:
        missing = {n for n in ATTRIBUTES[kind] if (kind, n) not in seen and n not in never_here}
        assert not missing, (kind, missing)
    assert differences(database) == []


def test_what_stands_in_a_tablespace_says_so_and_what_does_not_says_that(database: LiveDatabase) -> None:
    space = f"space_{database.name}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute(f"CREATE TABLESPACE {space} LOCATION ''".encode())
    database.run(f"CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE {space}) TABLESPACE {space}; CREATE TABLE u (a int)")
    database.run(f"CREATE INDEX i ON u (a) TABLESPACE {space}; CREATE MATERIALIZED VIEW m TABLESPACE {space} AS SELECT 1")
    try:
        spaces = {o.key.name: o.attributes["tablespace"] for o in database.inventory().objects if "tablespace" in o.attributes}
        assert spaces == {"t": space, "t_pkey": space, "u": "", "i": space, "m": space}
        assert differences(database) == []
    finally:
        database.run("DROP TABLE t; DROP TABLE u; DROP MATERIALIZED VIEW m", f"DROP TABLESPACE {space}")


def test_only_the_vocabulary_of_the_records_is_used(database: LiveDatabase) -> None:
    database.run_file("inheritance.sql")
    for item in database.inventory().objects:
        assert {a for a in item.attributes if not a.startswith("column ")} <= set(ATTRIBUTES[item.key.kind])
        assert all(set(c.attributes) <= set(COLUMN_ATTRIBUTES) for c in item.columns)
        assert None not in item.attributes.values()


def test_the_owner_is_always_known(database: LiveDatabase, make_role: Callable[[str], str]) -> None:
    owner = make_role("Odd; Owner")
    database.run(f'CREATE TABLE t (a int); ALTER TABLE t OWNER TO "{owner}"; CREATE TYPE e AS ENUM ()')
    assert database.find("TABLE", "t").attributes["owner"] == owner
    assert database.find("TYPE", "e").attributes["owner"] == "postgres"


def test_schema_public_is_listed_only_when_someone_changed_it(database: LiveDatabase) -> None:
    assert database.inventory().objects == ()
    database.run("COMMENT ON SCHEMA public IS 'ours'")
    assert database.find("SCHEMA", "public", schema=None).attributes["comment"] == "ours"
    assert differences(database) == []
    database.run("COMMENT ON SCHEMA public IS NULL")
    assert differences(database) == []
    database.run("COMMENT ON SCHEMA public IS 'standard public schema'", "ALTER SCHEMA public OWNER TO postgres")
    assert database.find("SCHEMA", "public", schema=None).attributes == {"owner": "postgres"}
    assert differences(database) == []


def test_members_of_extensions_and_temporary_objects_are_not_listed(database: LiveDatabase) -> None:
    database.run("CREATE EXTENSION hstore")
    with snapshot(database.url) as taken:
        assert [o.key for o in taken.inventory.objects] == [ObjectKey("EXTENSION", None, "hstore")]
        assert taken.inventory.unmodelled == ()
        assert taken.table_data == {}


def test_an_index_says_whether_it_is_valid_and_what_it_is_attached_to(database: LiveDatabase) -> None:
    database.run_file("inheritance.sql")
    attached = database.find("INDEX", "part1_v_idx", parent="part1").attributes
    assert (attached["valid"], attached["attached_to"]) == ("true", "public.part_v")


def test_a_sequence_has_the_state_that_setval_would_store(database: LiveDatabase) -> None:
    database.run('CREATE SEQUENCE fresh START 7; CREATE SEQUENCE "Us ed"; CREATE TABLE t (i int GENERATED BY DEFAULT AS IDENTITY)')
    database.run("SELECT nextval('\"Us ed\"'), nextval('\"Us ed\"'), setval('t_i_seq', 41, false)")
    states = {o.key.name: (o.attributes["last_value"], o.attributes["is_called"]) for o in database.inventory().of_kind("SEQUENCE")}
    assert states == {"fresh": ("7", "false"), "Us ed": ("2", "true"), "t_i_seq": ("41", "false")}
    for name, (value, called) in states.items():
        quoted = f'"{name}"' if " " in name else name
        assert f"SELECT pg_catalog.setval('public.{quoted}', {value}, {called});" in database.pg_dump()


def test_the_state_of_a_sequence_that_may_not_be_read_is_not_known(database: LiveDatabase, make_role: Callable[[str], str]) -> None:
    role = make_role("may_read_one")
    database.run("CREATE SEQUENCE one; CREATE SEQUENCE two", f"GRANT SELECT ON SEQUENCE one TO {role}")
    with snapshot(database.url_as(role)) as taken:
        one, two = taken.inventory.of_kind("SEQUENCE")
    assert one.attributes["last_value"] == "1"
    assert "last_value" not in two.attributes
    assert "is_called" not in two.attributes
    assert two.attributes["start"] == "1"


def test_a_role_without_privileges_sees_all_definitions(database: LiveDatabase, make_role: Callable[[str], str]) -> None:
    role = make_role("may_nothing")
    database.run_file("inheritance.sql")
    with snapshot(database.url_as(role)) as taken:
        assert compare_objects(taken.inventory, database.inventory()) == ()


def test_texts_are_the_same_whatever_the_role_is_set_to(database: LiveDatabase, make_role: Callable[[str], str]) -> None:
    role = make_role("fancy")
    database.run_file("inheritance.sql")
    database.run(
        f"ALTER ROLE {role} SET search_path = public; ALTER ROLE {role} SET quote_all_identifiers = on;"
        f"ALTER ROLE {role} SET datestyle = 'German'; ALTER ROLE {role} SET extra_float_digits = 0"
    )
    with snapshot(database.url_as(role)) as taken:
        assert compare_objects(taken.inventory, database.inventory()) == ()


def test_a_pg_settings_of_somebody_elses_is_not_used(database: LiveDatabase) -> None:
    database.run(
        "CREATE VIEW public.pg_settings AS SELECT 'nothing'::text AS name",
        "ALTER DATABASE " + database.name + " SET search_path = public, pg_catalog",
    )
    with snapshot(database.url) as taken:
        assert taken.ask("SHOW quote_all_identifiers")[0]["quote_all_identifiers"] == "off"
        assert taken.ask("SHOW search_path")[0]["search_path"] in ("", '""')


@pytest.mark.parametrize("what", ["NOT NULL a NOT VALID"])
def test_a_not_null_that_is_not_proven_is_a_constraint_of_its_own(database_18: LiveDatabase, what: str) -> None:
    database_18.run(
        "CREATE TABLE t (a int, b int CONSTRAINT named NOT NULL, c int NOT NULL NO INHERIT)", f"ALTER TABLE t ADD CONSTRAINT later {what}"
    )
    table = database_18.find("TABLE", "t")
    assert [c.attributes.get("not_null") for c in table.columns] == [None, "true", "true"]
    assert database_18.find("CONSTRAINT", "later", parent="t").attributes["definition"] == what
    assert database_18.inventory().of_kind("CHECK CONSTRAINT") == ()
    assert differences(database_18) == []


def test_the_names_of_not_nulls_are_compared(database_18: LiveDatabase) -> None:
    database_18.run(
        "CREATE TABLE t (a int CONSTRAINT mine NOT NULL, b int NOT NULL NO INHERIT, c int NOT NULL)",
        "CREATE TABLE kid (d int, CONSTRAINT of_kid NOT NULL c) INHERITS (t); CREATE TABLE p (a int NOT NULL) PARTITION BY LIST (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE typed_as (x int, y int); ALTER TABLE p RENAME a TO z",
        "CREATE DOMAIN d AS int CONSTRAINT dn NOT NULL",
    )
    assert differences(database_18) == []
    dumped = of_dump(database_18.pg_dump())
    for change, attribute in {
        "ALTER TABLE t RENAME CONSTRAINT mine TO yours": "column a not_null_name",
        "ALTER TABLE t ALTER CONSTRAINT t_b_not_null INHERIT": "column b not_null_no_inherit",
        "COMMENT ON CONSTRAINT t_c_not_null ON t IS 'x'": "column c not_null_comment",
        "COMMENT ON CONSTRAINT dn ON DOMAIN d IS 'x'": "not_null_comment",
        "ALTER DOMAIN d RENAME CONSTRAINT dn TO other": "not_null_name",
    }.items():
        before = database_18.inventory()
        database_18.run(change)
        assert attribute in {c.attribute for d in compare_objects(before, database_18.inventory()) for c in d.changes}, change
    assert {d.key.name for d in compare_objects(dumped, database_18.inventory())} == {"t", "d"}
    assert differences(database_18) == []


def test_what_18_added_says_the_same_live_as_in_its_dump(database_18: LiveDatabase) -> None:
    database_18.run(
        "CREATE TABLE v (a int, g int GENERATED ALWAYS AS (a * 2) VIRTUAL, CONSTRAINT loose CHECK (a > 0) NOT ENFORCED)",
        "CREATE TABLE t (id int4range, d daterange, CONSTRAINT tpk PRIMARY KEY (id, d WITHOUT OVERLAPS))",
        "CREATE TABLE f (id int4range, d daterange, FOREIGN KEY (id, PERIOD d) REFERENCES t (id, PERIOD d))",
        "CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY, k int) PARTITION BY LIST (k)",
        "CREATE TABLE i1 PARTITION OF i FOR VALUES IN (1)",
        "CREATE UNLOGGED TABLE u (id int GENERATED ALWAYS AS IDENTITY)",
        "CREATE UNLOGGED SEQUENCE us",
    )
    assert differences(database_18) == []


def test_the_number_of_queries_does_not_grow_with_the_number_of_tables(database_18: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = Asking.ask

    def counting(self: Asking, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        asked.append(sql)
        return ask(self, sql, parameters)

    monkeypatch.setattr(Asking, "ask", counting)

    def queries(tables: int) -> int:
        asked.clear()
        with snapshot(database_18.url) as taken:
            assert len(taken.inventory.of_kind("TABLE")) == len(taken.table_data) == tables
        return len(asked)

    made = "DO $$ BEGIN FOR n IN {}..{} LOOP EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, e uuid UNIQUE)', n); END LOOP; END $$"
    database_18.run(made.format(1, 1))
    of_one = queries(1)
    database_18.run(made.format(2, 100))
    assert queries(100) == of_one


def test_what_all_extensions_bring_says_the_same_live_as_in_a_dump_once_it_is_no_longer_theirs(
    server_of: Callable[[int], EmbeddedServer],
) -> None:
    """Hundreds of operators, classes, types and casts that other people wrote: members of extensions, made objects like any other."""
    database = LiveDatabase(server_of(18), "of_extensions")
    database.on_postgres("CREATE DATABASE of_extensions TEMPLATE template0")
    try:
        with psycopg.connect(database.url, autocommit=True) as connection:
            for (name,) in connection.execute("SELECT name FROM pg_available_extensions WHERE name <> 'plpgsql'").fetchall():
                with contextlib.suppress(psycopg.Error):  # some need a library that is not there
                    connection.execute(sql.SQL("CREATE EXTENSION {} CASCADE").format(sql.Identifier(name)))
            connection.execute(
                "DELETE FROM pg_depend WHERE deptype = 'e' AND refobjid IN (SELECT oid FROM pg_extension WHERE oid >= 16384)"
            )
            connection.execute("DELETE FROM pg_init_privs WHERE objoid >= 16384")
            connection.execute("DELETE FROM pg_extension WHERE oid >= 16384")
        kinds = Counter(o.key.kind for o in database.inventory().objects)
        assert kinds["OPERATOR"] > 300
        assert kinds["OPERATOR CLASS"] > 80
        assert kinds["TYPE"] > 15
        assert differences(database) == []
    finally:
        database.on_postgres("DROP DATABASE of_extensions WITH (FORCE)")
