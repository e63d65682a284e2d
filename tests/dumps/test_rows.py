"""Rows of real dumps, held against what the server itself gives for the same tables."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.fingerprint import fingerprint_of
from tests.dumps.conftest import TO_FILE, NastyDatabase

WHOLE = [name for name in TO_FILE if "latin1" not in name and "sjis" not in name]
TABLES = {
    TableName("Weird Sch;ema", 'we"ird\ntab;le'),
    TableName("public", "x; Type: VIEW; Schema: evil; Owner: me"),
    TableName("public", "a;b -- c"),
    TableName("public", "C:\\.\\temp"),
    TableName("public", "japanese"),
    TableName("public", "western"),
    *(
        TableName("app", name)
        for name in (
            *(
                "every_type",
                "one_text",
                "no_columns",
                "no_columns_no_rows",
                "empty",
                "generated",
                "dropped",
                "parent",
                "child",
                "grandchild",
            ),
            *("parted_0", "parted_1", "by_day_2024", "big", "long_rows"),
        )
    ),
}


def all_rows(dump: Dump, name: TableName) -> bytes:
    return b"".join(dump.row_blocks(name))


def check_rows(dump: Dump, nasty: NastyDatabase) -> None:
    assert dump.damage == ()
    assert dump.provenance.complete is True
    tables = {data.name: data for data in tables_alone(dump.table_data)}
    assert set(tables) == TABLES
    for name, data in tables.items():
        expected = nasty.rows(name.schema, name.name, data.columns)
        rows = all_rows(dump, name)
        assert hashlib.sha256(rows).digest() == hashlib.sha256(expected).digest(), name
        assert (data.rows, data.size_bytes, data.not_readable) == (expected.count(b"\n"), len(expected), ""), name
        assert dump.fingerprint(name) == fingerprint_of([expected]), name


@pytest.mark.parametrize("name", WHOLE)
def test_every_row_of_every_table_is_the_servers_own_to_the_byte(nasty: NastyDatabase, name: str) -> None:
    check_rows(read_dump(nasty.dump(name)), nasty)


def test_an_archive_that_went_through_a_pipe_gives_the_same_rows(nasty: NastyDatabase) -> None:
    check_rows(read_dump(nasty.piped()), nasty)


def test_the_second_table_of_contents_of_a_redirected_archive_is_no_damage(nasty: NastyDatabase) -> None:
    check_rows(read_dump(nasty.redirected()), nasty)


def test_a_gzipped_archive_and_a_gzipped_script_give_the_same_rows(nasty: NastyDatabase, tmp_path: Path) -> None:
    import gzip

    for name in ("custom-gzip", "custom-none", "plain"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(nasty.dump(name).read_bytes(), 1))
        check_rows(read_dump(path), nasty)


def test_one_table_can_be_read_first_without_a_pass_over_the_others(nasty: NastyDatabase) -> None:
    for path in (nasty.dump("custom-gzip"), nasty.piped()):
        dump = read_dump(path)
        name = TableName("app", "generated")
        assert all_rows(dump, name) == nasty.rows("app", "generated", ("a", "b", "c"))
        assert "contents" not in vars(dump._reader), "counting all tables was not asked for"


@pytest.mark.parametrize("name", ["plain", "plain-inserts", "custom-none", "custom-gzip", "custom-inserts"])
def test_blocks_are_whole_lines_of_about_a_mebibyte(nasty: NastyDatabase, name: str) -> None:
    dump = read_dump(nasty.dump(name))
    blocks = list(dump.row_blocks(TableName("app", "big")))
    assert len(blocks) > 1
    assert all(block.endswith(b"\n") for block in blocks)
    assert max(map(len, blocks)) < 3 << 20
    assert list(map(len, dump.row_blocks(TableName("app", "long_rows")))) != []


@pytest.mark.parametrize("name", ["plain-sjis", "custom-sjis"])
def test_rows_in_shift_jis_come_in_utf_8_although_a_trailing_byte_is_a_backslash(nasty: NastyDatabase, name: str) -> None:
    path = nasty.dump(name)
    dump = read_dump(path)
    table = TableName("public", "japanese")
    assert b"\x95\x5c" in path.read_bytes() or name == "custom-sjis"
    assert all_rows(dump, table) == nasty.rows("public", "japanese", ("a", "b"))
    assert dump.provenance.encoding == "SJIS"
    assert list(dump.read_table("japanese")["a"]) == ["表", "能", "\n"]


def test_rows_in_latin_1_come_in_utf_8(nasty: NastyDatabase) -> None:
    dump = read_dump(nasty.dump("plain-latin1"))
    assert all_rows(dump, TableName("public", "western")) == nasty.rows("public", "western", ("a",))


def test_chosen_columns_come_in_the_order_asked_for(nasty: NastyDatabase) -> None:
    for name in ("plain", "custom-gzip", "plain-inserts"):
        dump = read_dump(nasty.dump(name))
        table = TableName("app", "every_type")
        expected = nasty.rows("app", "every_type", ("body", "id"))
        assert b"".join(dump.row_blocks(table, ["body", "id"])) == expected
        assert dump.fingerprint(table, ["body", "id"]) == fingerprint_of([expected])


def test_a_fingerprint_does_not_depend_on_format_or_compression(nasty: NastyDatabase) -> None:
    found: dict[TableName, set[Fingerprint]] = {}
    for name in ("plain", "plain-gzip", "plain-rows-per-insert", "custom-none", "custom-gzip", "custom-inserts"):
        dump = read_dump(nasty.dump(name))
        for table in (data.name for data in tables_alone(dump.table_data)):
            found.setdefault(table, set()).add(dump.fingerprint(table))
    assert {table: len(prints) for table, prints in found.items()} == dict.fromkeys(TABLES, 1)


def test_read_table_gives_values_with_nulls_and_all_that_was_escaped(nasty: NastyDatabase) -> None:
    for name in ("plain", "custom-none"):
        frame = read_dump(nasty.dump(name)).read_table("app.every_type")
        assert list(frame["body"])[3] == "tab\there, line\nend, return\r, back\\slash, bell\x07, del\x7f, feed\f, vert\x0b, bs\b"
        assert list(frame["body"])[:2] == ["plain", ""]
        assert frame["body"].isna().tolist()[:3] == [False, False, True]
        assert list(frame["body"])[9].startswith("😀 Ünïcödé 漢字 ' '' \" $$ $_$")
        assert list(frame["big"])[:2] == [9223372036854775807, -9223372036854775808]
        assert len(frame) == 10
        limited = read_dump(nasty.dump(name)).read_table("app.big", columns=["id"], limit=3)
        assert limited.to_dict("list") == {"id": [1, 2, 3]}
        nothing = read_dump(nasty.dump(name)).read_table("app.empty")
        assert (list(nothing.columns), len(nothing)) == (["a", "b"], 0)
        assert len(read_dump(nasty.dump(name)).read_table("app.no_columns")) == 3


def test_tables_are_counted_in_the_frame_too(nasty: NastyDatabase) -> None:
    for name in ("plain", "custom-gzip"):
        frame = read_dump(nasty.dump(name)).tables
        rows = dict(zip(frame["name"], frame["rows"], strict=True))
        assert (rows["big"], rows["empty"], rows["no_columns"]) == (25000, 0, 3)
