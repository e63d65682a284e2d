"""The verdict of a difference: never green for what was not looked at."""

from __future__ import annotations

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import STATEMENT_NOT_COMPARED, Column, DatabaseObject, ObjectKey, Unmodelled
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableName
from tests.fakes import FakeSource

TABLE = DatabaseObject(ObjectKey("TABLE", "public", "t"), columns=(Column("a", {"type": "integer"}),))
ROWS = {TableName("public", "t"): (("a",), b"1\n2\n")}


def whole(**changes: object) -> FakeSource:
    return FakeSource(**{"inventory": Inventory((TABLE,)), "copy_text": ROWS, **changes})  # type: ignore[arg-type]  # a dict of them all


def test_the_same_objects_and_rows_are_the_same() -> None:
    found = diff(whole(), whole())
    assert (found.verdict, found.compared, found.skipped) == ("same", 2, ())


def test_rows_alone_never_vouch_for_the_objects() -> None:
    data_only = whole(inventory=Inventory())
    for found in (diff(data_only, whole()), diff(whole(), data_only)):
        assert (found.verdict, found.compared) == ("not_checked", 1)
        assert [s.what for s in found.skipped] == ["objects"]
    assert diff(data_only, whole(), data_only=True).verdict == "same"
    changed = diff(data_only, whole(copy_text={TableName("public", "t"): (("a",), b"1\n3\n")}))
    assert changed.verdict == "different"


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_is_left_of_a_damaged_dump_is_never_the_same(side: str) -> None:
    damaged = whole(label="cut.sql", provenance=Provenance(format="plain", complete=False))
    found = diff(damaged, whole()) if side == "left" else diff(whole(), damaged)
    assert (found.object_differences, found.table_differences) == ((), ())
    assert found.verdict == "not_checked"
    assert "cut.sql" in found.sentence
    assert "verify" in found.sentence


def test_a_column_that_is_gone_is_no_green_when_only_rows_are_asked_for() -> None:
    held = {TableName("public", "t"): (("a", "v"), b"1\tx\n2\ty\n")}
    for found in (diff(whole(copy_text=held), whole(), data_only=True), diff(whole(), whole(copy_text=held), data_only=True)):
        assert found.verdict == "different"
        assert [(t.status, t.reason) for t in found.table_differences] == [
            ("different", "the columns differ; compared on those both have: a"),
        ]


def test_a_live_database_without_any_table_has_lost_them() -> None:
    empty = whole(inventory=Inventory(), copy_text={}, provenance=Provenance(format="live"))
    found = diff(whole(), empty, data_only=True)
    assert (found.verdict, [t.status for t in found.table_differences]) == ("different", ["only_left"])
    assert [(r.status, dict(r.key)) for r in found.row_result("t").listed] == [("only_left", {"a": "1"}), ("only_left", {"a": "2"})]
    assert list(found.rows("t")["status"]) == ["only_left", "only_left"]
    silent = whole(inventory=Inventory(), copy_text={}, provenance=Provenance(format="custom"))
    assert diff(whole(), silent, data_only=True).verdict == "not_checked"


def test_rows_that_were_not_compared_are_never_an_empty_frame() -> None:
    found = diff(whole(), whole(copy_text={}))
    assert found.table_differences[0].status == "not_checked"
    with pytest.raises(RowsNotAvailable, match="holds no rows of it"):
        found.rows("t")
    assert found.to_dict(rows=True)["row_counts"]["public.t"]["missing"] is None


def test_settings_of_the_database_that_one_side_alone_has_are_named() -> None:
    def database(**settings: str) -> FakeSource:
        item = DatabaseObject(ObjectKey("DATABASE", None, "app"), {f"setting {name}": value for name, value in settings.items()})
        return whole(inventory=Inventory((TABLE,), (), item))

    found = diff(database(work_mem="'6MB'"), database())
    assert (found.verdict, found.object_differences) == ("same", ())
    assert [s.what for s in found.skipped] == ["of the database, setting work_mem"]


def test_what_else_was_set_by_hand_of_the_database_on_one_side_alone_is_named() -> None:
    def database(**attributes: str) -> FakeSource:
        item = DatabaseObject(ObjectKey("DATABASE", None, "app"), {"encoding": "UTF8", **attributes})
        return whole(inventory=Inventory((TABLE,), (), item))

    found = diff(database(), database(comment="hi", connection_limit="5", acl="PUBLIC=CONNECT", template="true"))
    assert (found.verdict, found.object_differences) == ("same", ())
    assert [s.what for s in found.skipped] == ["of the database, acl, comment, connection_limit"]
    asked = diff(database(), database(comment="hi"), ignore=["comment"])
    assert [s.what for s in asked.skipped] == ["attributes: comment"]


def test_values_that_may_be_secret_are_named_as_not_compared() -> None:
    server = DatabaseObject(ObjectKey("SERVER", None, "s"), {"options": "password '•••'"})
    found = diff(whole(inventory=Inventory((TABLE, server))), whole(inventory=Inventory((TABLE, server))))
    assert (found.verdict, [s.what for s in found.skipped]) == ("same", ["values that may be secret, of SERVER s"])


def test_a_statement_that_is_not_compared_leaves_a_doubt() -> None:
    aside = Unmodelled("FUNCTION", "public", "f()", STATEMENT_NOT_COMPARED)
    found = diff(whole(inventory=Inventory((TABLE,), (aside,))), whole())
    assert found.verdict == "not_checked"


@pytest.mark.parametrize(
    ("kind", "attributes", "words"),
    [
        ("VIEW", {}, r"v is a view: there are no rows.*the tables that it reads"),
        ("FOREIGN TABLE", {}, r"v is a foreign table: .*another server"),
        ("TABLE", {"partition_key": "RANGE (id)"}, r"v is a partitioned table: .*its partitions"),
        ("TABLE", {}, r"v is a table: .*may have been made without"),
    ],
)
def test_what_holds_no_rows_is_named_as_what_it_is(kind: str, attributes: dict[str, str], words: str) -> None:
    source = FakeSource(inventory=Inventory((DatabaseObject(ObjectKey(kind, "public", "v"), attributes=attributes),)))
    for name in ("v", "public.v"):
        with pytest.raises(UsageError, match=words):
            diff(source, FakeSource()).rows(name)
    with pytest.raises(UsageError, match="table w is in neither source"):
        diff(source, FakeSource()).rows("w")


def test_tables_whose_dotted_names_are_the_same_are_two_all_the_same() -> None:
    held = {TableName("a.b", "c"): (("x",), b"1\n2\n"), TableName("a", "b.c"): (("x",), b"7\n")}
    both = Inventory(tuple(DatabaseObject(ObjectKey("TABLE", t.schema, t.name), columns=TABLE.columns) for t in held))
    other = dict.fromkeys(held, (("x",), b"2\n"))
    found = diff(whole(copy_text=held, inventory=both), whole(copy_text=other, inventory=both))
    plain = found.to_dict(rows=True)
    assert {name: len(rows) for name, rows in plain["rows"].items()} == {'"a.b".c': 1, 'a."b.c"': 2}
    assert {name: counts["extra"] for name, counts in plain["row_counts"].items()} == {'"a.b".c': 0, 'a."b.c"': 1}


def test_a_name_as_sql_writes_it_is_that_table_whatever_others_are_called() -> None:
    held = {TableName("public", "t"): (("a",), b"1\n"), TableName("x", "public.t"): (("a",), b"1\n")}
    found = diff(whole(copy_text=held), whole(copy_text=held))
    assert found.find_table("public.t") == TableName("public", "t")
    assert found.find_table('x."public.t"') == TableName("x", "public.t")
    with pytest.raises(UsageError, match="several schemas"):
        diff(whole(copy_text={**held, TableName("y", "t"): (("a",), b"")}), whole()).find_table("t")


def test_a_table_may_be_named_as_sql_writes_it_and_one_that_is_misspelt_is_told_what_there_is() -> None:
    names = [TableName("public", "User"), TableName("Other", "user"), TableName("public", "a.b"), TableName("x", "a.b")]
    found = diff(FakeSource(copy_text=dict.fromkeys(names, (("id",), b""))), FakeSource())
    for text in ('"User"', "public.User", 'public."User"', 'PUBLIC."User"', '"public"."User"'):
        assert found.find_table(text) == names[0]
    assert found.find_table('"Other"."user"') == found.find_table("USER") == names[1]
    assert found.find_table('public."a.b"') == names[2]
    with pytest.raises(UsageError, match=r'several schemas. There is public."a.b", x."a.b"'):
        found.find_table('"a.b"')
    with pytest.raises(UsageError, match=r'neither source. There is public."a.b", x."a.b"'):
        found.find_table("a.b")  # as we show the table b of the schema a
    with pytest.raises(UsageError, match=r'User may be more than one table.*There is "Other".user, public."User"'):
        found.find_table("User")
    for wrong in ("Users", "other.users", '"User', "public.user"):
        with pytest.raises(UsageError, match=r"neither source. There is .*[Uu]ser"):
            found.find_table(wrong)
