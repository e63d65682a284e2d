"""Privileges as releases of pg_dump write them: each has its own way to say the same."""

from __future__ import annotations

import pytest

from pgaudit_kit.dumps.ddl.builder import InventoryBuilder
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.privileges import as_before_17
from pgaudit_kit.records.toc import TocEntry

TABLE = "CREATE TABLE app.t (a integer, b text);"
OWNED = TABLE + "ALTER TABLE app.t OWNER TO bob;"
# up to 9.5 all is revoked and granted again, the owner's own privileges too
OLD = "REVOKE ALL ON TABLE app.t FROM PUBLIC; REVOKE ALL ON TABLE app.t FROM bob; GRANT ALL ON TABLE app.t TO bob;"


def built(*statements: str, pg_dump: str | None = None, server: str | None = None) -> Inventory:
    builder = InventoryBuilder()
    for statement in statements:
        builder.feed(statement)
    return builder.build(pg_dump_version=pg_dump, server_version=server)


def acl(inventory: Inventory, kind: str = "TABLE", name: str = "t", schema: str | None = "app") -> str | None:
    return inventory.by_key[ObjectKey(kind, schema, name)].attributes.get("acl")


@pytest.mark.parametrize(
    ("statements", "text"),
    [
        ([OWNED, OLD], None),
        ([TABLE, OLD], None),  # --no-owner: only the owner has anything that is revoked
        ([OWNED, OLD, "GRANT SELECT ON TABLE app.t TO GROUP readers;"], "readers=SELECT"),
        ([OWNED, "REVOKE ALL ON TABLE app.t FROM bob; GRANT SELECT ON TABLE app.t TO bob;"], "OWNER=SELECT"),
        ([TABLE, "REVOKE ALL ON TABLE app.t FROM bob; GRANT SELECT ON TABLE app.t TO bob;"], "OWNER=SELECT"),
        ([OWNED, "REVOKE ALL ON TABLE app.t FROM bob;"], "OWNER=none"),
        ([OWNED, "GRANT SELECT,INSERT ON TABLE app.t TO PUBLIC;"], "PUBLIC=INSERT, SELECT"),
        ([OWNED, 'GRANT ALL ON TABLE app.t TO "PUBLIC";'], '"PUBLIC"=ALL'),
        (
            [OWNED, "GRANT SELECT ON TABLE app.t TO al; GRANT UPDATE ON TABLE app.t TO al WITH GRANT OPTION;"],
            "al=SELECT\nal=UPDATE WITH GRANT OPTION",
        ),
        (
            [OWNED, "SET SESSION AUTHORIZATION al; GRANT SELECT ON TABLE app.t TO cy;", "RESET ALL; GRANT INSERT ON TABLE app.t TO cy;"],
            "cy=INSERT\ncy=SELECT BY al",
        ),
        # --use-set-session-authorization: the owner says it
        (["SET SESSION AUTHORIZATION 'bob';", OWNED, "GRANT SELECT ON TABLE app.t TO cy;"], "cy=SELECT"),
        ([OWNED, "GRANT ALL ON TABLE app.t TO al; REVOKE GRANT OPTION FOR SELECT ON TABLE app.t FROM al;"], "al=ALL"),
        ([OWNED, "GRANT SELECT(a) ON TABLE app.t TO al;"], None),
    ],
)
def test_what_is_said_of_a_table(statements: list[str], text: str | None) -> None:
    inventory = built(*statements)
    assert acl(inventory) == text
    assert inventory.unmodelled == ()
    assert "acl" not in inventory.not_told


def test_privileges_on_columns_are_said_of_the_columns() -> None:
    inventory = built(OWNED, "GRANT SELECT(a),INSERT(a) ON TABLE app.t TO al; GRANT ALL(b) ON TABLE app.t TO PUBLIC;")
    columns = inventory.by_key[ObjectKey("TABLE", "app", "t")].columns
    assert [c.attributes.get("acl") for c in columns] == ["al=INSERT, SELECT", "PUBLIC=ALL"]


def test_what_17_added_is_not_asked_of_servers_before_it() -> None:
    seven = "DELETE,INSERT,REFERENCES,SELECT,TRIGGER,TRUNCATE,UPDATE"
    by_18 = f"GRANT {seven} ON TABLE app.t TO al;"  # of a server before 17
    assert acl(built(OWNED, by_18, pg_dump="18.1", server="15.4")) == "al=ALL"
    assert acl(built(OWNED, "GRANT ALL ON TABLE app.t TO al;", pg_dump="15.4", server="15.4")) == "al=ALL"
    assert acl(built(OWNED, by_18, pg_dump="18.1", server="18.1")) == f"al={seven.replace(',', ', ')}"
    assert as_before_17(acl(built(OWNED, by_18, server="18.1"))) == "al=ALL"
    assert as_before_17('"a=b"=MAINTAIN, SELECT WITH GRANT OPTION BY x\ny=MAINTAIN') == '"a=b"=SELECT WITH GRANT OPTION BY x'


CREATED = "REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM postgres; GRANT ALL ON SCHEMA public TO postgres;"


@pytest.mark.parametrize(
    ("pg_dump", "statements", "text"),
    [
        ("9.5.25", f"{CREATED} GRANT ALL ON SCHEMA public TO PUBLIC;", "PUBLIC=ALL"),
        ("14.2", "GRANT USAGE ON SCHEMA public TO al;", "PUBLIC=ALL\nal=USAGE"),  # until 14 all may create there
        ("14.2", "REVOKE ALL ON SCHEMA public FROM PUBLIC;", "PUBLIC=none"),
        ("15.2", "GRANT USAGE ON SCHEMA public TO al;", "al=USAGE"),
        ("15.2", "REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT ALL ON SCHEMA public TO PUBLIC;", "PUBLIC=ALL"),
        ("15.2", "REVOKE USAGE ON SCHEMA public FROM PUBLIC;", "PUBLIC=none"),
    ],
)
def test_the_schema_public_is_said_by_what_15_gives_it(pg_dump: str, statements: str, text: str) -> None:
    assert acl(built(statements, pg_dump=pg_dump), "SCHEMA", "public", None) == text


def test_a_schema_public_that_is_as_15_makes_it_is_no_object() -> None:
    inventory = built("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC;", pg_dump="14.2")
    assert inventory.objects == ()
    assert "acl" not in inventory.not_told


def test_default_privileges_of_one_role_and_kind_are_one_object() -> None:
    inventory = built(
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob REVOKE ALL ON TABLES  FROM PUBLIC;",  # up to 9.5
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob REVOKE ALL ON TABLES  FROM bob;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob GRANT ALL ON TABLES  TO bob;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob GRANT SELECT ON TABLES  TO al;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob IN SCHEMA app GRANT ALL ON TABLES TO al;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob REVOKE ALL ON FUNCTIONS FROM PUBLIC;",
    )
    found = {str(o.key): o.attributes for o in inventory.objects}
    assert found == {
        "DEFAULT ACL TABLES of bob": {"owner": "bob", "acl": "al=SELECT"},
        "DEFAULT ACL app.TABLES of bob": {"owner": "bob", "acl": "al=ALL"},
        "DEFAULT ACL FUNCTIONS of bob": {"owner": "bob", "acl": "PUBLIC=none"},
    }


def test_a_dump_without_any_privileges_does_not_know_them() -> None:
    assert built(OWNED).not_told == {"acl", "security_label", "oids"}


def test_one_statement_in_an_archive_is_on_all_large_objects_of_its_entry() -> None:
    builder = InventoryBuilder()
    builder.feed("5\n7\n2001\n", TocEntry("BLOB METADATA", "5..2001", None, "bob", dump_id=9, definition="…"))
    entry = TocEntry("ACL", "LARGE OBJECTS 5..2001", None, "bob", dump_id=10, definition="…", dependencies=(9,))
    builder.feed("GRANT SELECT ON LARGE OBJECT 5 TO al;\n", entry)
    builder.feed("COMMENT ON LARGE OBJECT 8 IS 'of nothing';\n")
    inventory = builder.build()
    assert {o.key.name: o.attributes for o in inventory.objects} == {
        "0..999": {"oids": "5, 7", "owner": "bob", "acl": "al=SELECT", "8 comment": "of nothing"},
        "2000..2999": {"oids": "2001", "owner": "bob", "acl": "al=SELECT"},
    }


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT ON TABLE;",
        "GRANT SELECT ON LARGE OBJECT x TO al;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob GRANT ALL ON WIDGETS TO al;",
        "CREATE POLICY p ON app.t NONSENSE;",
        "CREATE PUBLICATION p FOR WIDGETS;",
        "CREATE SERVER s NONSENSE;",
        "ALTER LARGE OBJECT 99999999999 OWNER TO bob;",
    ],
)
def test_what_is_not_understood_is_named(sql: str) -> None:
    (unmodelled,) = built(sql).unmodelled
    assert unmodelled.reason == "this statement could not be understood"


@pytest.mark.parametrize("sql", ["GRANT bob TO al;", "GRANT SET ON PARAMETER work_mem TO al;", "ALTER ROLE bob SET work_mem TO '1MB';"])
def test_what_is_of_the_cluster_is_put_aside(sql: str) -> None:
    inventory = built(sql)
    assert [u.reason for u in inventory.unmodelled] == ["objects of this kind are not compared yet"]
    assert "acl" in inventory.not_told
