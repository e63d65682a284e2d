"""Members of operator classes that 14 moved into their families are equivalent, and only there, and only the same ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.provenance import Provenance
from tests.conftest import missing
from tests.fakes import FakeSource
from tests.postgres_versions import installation

CLASS = ObjectKey("OPERATOR CLASS", "s", "Own USING gin")
FAMILY = ObjectKey("OPERATOR FAMILY", "s", "Own USING gin")


def side(version: str, in_class: str, loose: str) -> FakeSource:
    made = (
        DatabaseObject(CLASS, {"family": 's."Own"', **({"operators": in_class} if in_class else {})}),
        DatabaseObject(FAMILY, {"operators": loose} if loose else {}),
    )
    return FakeSource(inventory=Inventory(made), provenance=Provenance("x", server_version=version))


@pytest.mark.parametrize(
    ("left", "right", "statuses"),
    [
        (("13.2", "1 <(a,a)\n2 =(a,a)", ""), ("14.1", "1 <(a,a)", "2 =(a,a)"), {"equivalent"}),
        (("18.1", "", "1 <(a,a)\n2 =(a,a)"), ("13.2", "1 <(a,a)", "2 =(a,a)"), {"equivalent"}),
        (("14.2", "1 <(a,a)\n2 =(a,a)", ""), ("18.1", "1 <(a,a)", "2 =(a,a)"), {"changed"}),
        (("13.2", "1 <(a,a)\n2 =(a,a)", ""), ("14.1", "1 <(a,a)", "2 =(a,b)"), {"changed"}),
        (("13.2", "1 <(a,a)\n2 =(a,a)", ""), ("14.1", "1 <(a,a)", "1 <(a,a)\n2 =(a,a)"), {"changed"}),
    ],
)
def test_members_may_move_across_14_and_must_stay_the_same(
    left: tuple[str, str, str], right: tuple[str, str, str], statuses: set[str]
) -> None:
    assert {d.status for d in diff(side(*left), side(*right)).object_differences} == statuses


def test_another_change_of_the_class_stays_a_change() -> None:
    left, right = side("13.2", "1 <(a,a)", ""), side("14.1", "", "1 <(a,a)")
    changed = tuple(DatabaseObject(o.key, {**o.attributes, "owner": "x", "comment": o.key.kind}) for o in right.inventory.objects)
    found = diff(left, FakeSource(inventory=Inventory(changed), provenance=right.provenance)).object_differences
    assert [d.status for d in found] == ["changed", "changed"]


def test_a_class_dumped_by_13_is_the_same_when_it_is_restored_into_18(server_of: Callable[[int], EmbeddedServer], tmp_path: Path) -> None:
    old, new = server_of(13), server_of(18)
    for server in (old, new):
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE families TEMPLATE template0")
    with psycopg.connect(old.url("families"), autocommit=True) as connection:
        connection.execute("""
            CREATE SCHEMA s;
            CREATE OPERATOR CLASS s."Own" FOR TYPE integer USING gin AS
                OPERATOR 1 =(integer, integer), FUNCTION 1 btint4cmp(integer, integer);
            CREATE OPERATOR CLASS s.c FOR TYPE integer USING btree AS
                OPERATOR 1 <, OPERATOR 1 <(integer, bigint), FUNCTION 1 btint4cmp(integer, integer);
        """)
    dump = installation(13, missing).dump(old.url("families"), tmp_path / "x")
    installation(18, missing).run("pg_restore", "--exit-on-error", f"--dbname={new.url('families')}", dump)
    for first, second in ((str(dump), new.url("families")), (old.url("families"), new.url("families"))):
        with diff(first, second) as found:
            told = {(d.key.kind, d.key.name): d.status for d in found.object_differences if d.key.schema == "s"}
        assert told[CLASS.kind, CLASS.name] == told[FAMILY.kind, FAMILY.name] == "equivalent"
        assert set(told.values()) == {"equivalent"}
    for server in (old, new):
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE families WITH (FORCE)")
