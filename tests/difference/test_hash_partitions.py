"""Rows that lie in another hash partition are the same rows, but not when one is another."""

from __future__ import annotations

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.table_data import TableName
from tests.fakes import FakeSource


def _side(rows: tuple[list[bytes], list[bytes]], key: str = "HASH (k)") -> FakeSource:
    bound = {"partition_of": "s.t"}
    tables = {"t": {"partition_key": key}, "t0": bound, "t1": bound}
    objects = tuple(DatabaseObject(ObjectKey("TABLE", "s", name), said) for name, said in tables.items())
    return FakeSource(
        inventory=Inventory(objects), copy_text={TableName("s", f"t{n}"): (("k", "v"), b"".join(lines)) for n, lines in enumerate(rows)}
    )


def test_rows_in_another_hash_partition_are_equivalent_until_one_is_another() -> None:
    left = _side(([b"a\t1\n", b"b\t2\n"], [b"c\t3\n"]))
    for status, other in (
        ("equivalent", _side(([b"c\t3\n"], [b"b\t2\n", b"a\t1\n"]))),
        ("different", _side(([b"c\t3\n"], [b"b\t2\n", b"a\t9\n"]))),
        ("different", _side(([b"c\t3\n"], [b"b\t2\n"]))),
        ("different", _side(([b"c\t3\n"], [b"b\t2\n", b"a\t1\n", b"a\t1\n"]))),
        ("different", _side(([b"c\t3\n"], [b"b\t2\n", b"a\t1\n"]), key="LIST (k)")),
    ):
        with diff(left, other) as found:
            assert {t.status for t in found.table_differences} == {status}
            assert bool(found.table_differences[0].reason) == (status == "equivalent")
