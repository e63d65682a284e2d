"""Real dumps, cut short and with single bits turned over: the answer is the truth, the damage with its place, or a clear error."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, PgAuditError, RowsNotAvailable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName
from tests.dumps.conftest import NastyDatabase

Write = Callable[[bytes], Path]
SMALL_TABLES = ("-t", "app.generated", "-t", "app.one_text", "-t", "app.empty")
SMALL: Mapping[str, tuple[str, ...]] = {
    "plain": (),
    "plain inserts": ("--inserts",),
    "plain rows per insert": ("--rows-per-insert=2", "--column-inserts"),
    "plain gzip": ("-Z", "9"),
    "custom gzip": ("-Fc",),
    "custom none": ("-Fc", "-Z", "0"),
    "custom inserts": ("-Fc", "-Z", "0", "--inserts"),
}


@pytest.fixture(scope="session")
def small(nasty: NastyDatabase) -> Callable[[str], bytes]:
    """Give a function that returns a small dump of each kind."""
    made: dict[str, bytes] = {}

    def dump(kind: str) -> bytes:
        if kind not in made:
            path = nasty.folder / kind
            nasty.run("pg_dump", *SMALL_TABLES, *SMALL[kind], "-f", str(path), "-d", nasty.url)
            made[kind] = path.read_bytes()
        return made[kind]

    return dump


# the sweep of every byte takes minutes
EVERY_BYTE = bool(os.environ.get("PGAUDIT_EVERY_BYTE"))

Truth = tuple[list[tuple[str, str]], set[ObjectKey], dict[TableName, Fingerprint]]


def truth_of(dump: Dump) -> Truth:
    return (
        [(e.desc, e.tag) for e in dump.toc_entries],
        set(dump.inventory.by_key),
        {name: dump.fingerprint(name) for name in dump.table_data},
    )


def check_consistent(dump: Dump, truth: Truth) -> None:
    """What is said to be whole is whole; what is not says so everywhere."""
    assert dump.toc_entries is not None
    assert dump.inventory is not None
    tables = dump.table_data
    damaged = {d.table for d in dump.damage if d.table}
    assert dump.provenance.complete is (not dump.damage)
    for name, data in tables.items():
        if data.not_readable:
            with pytest.raises((DamagedDump, RowsNotAvailable)):
                b"".join(dump.row_blocks(name))
            assert data.rows is None
        else:
            assert str(name) not in damaged
            found = dump.fingerprint(name)
            assert found.rows == data.rows
            if name in truth[2]:
                assert found == truth[2][name], f"{name} has lost rows and does not say so"
    if not dump.damage:
        assert truth_of(dump) == truth


@pytest.mark.parametrize("kind", SMALL)
def test_a_dump_cut_at_any_byte_never_passes_for_whole(small: Callable[[str], bytes], written: Write, kind: str) -> None:
    whole = small(kind)
    truth = truth_of(read_dump(written(whole)))
    assert sum(f.rows for f in truth[2].values()) == 9
    outcomes = set()
    for cut in range(0, len(whole), 1 if EVERY_BYTE else 5):
        try:
            dump = read_dump(written(whole[:cut]))
            check_consistent(dump, truth)
            outcomes.add("whole" if not dump.damage else "damage")
        except PgAuditError as error:
            outcomes.add(type(error).__name__)
    assert "damage" in outcomes
    if kind.startswith("custom"):
        assert "DamagedDump" in outcomes
        assert "whole" not in outcomes


def flips(content: bytes, step: int) -> Iterator[bytes]:
    for at in range(0, len(content), step):
        for bit in (0, 3, 7):
            yield content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


@pytest.mark.parametrize("kind", SMALL)
def test_a_turned_bit_never_gives_a_traceback_nor_wrong_counts(small: Callable[[str], bytes], written: Write, kind: str) -> None:
    for content in flips(small(kind), 1 if EVERY_BYTE else 23):
        try:
            dump = read_dump(written(content))
            assert len(dump.toc_entries) >= 0
            assert dump.inventory is not None
            for name, data in dump.table_data.items():
                if data.not_readable:
                    with pytest.raises((DamagedDump, RowsNotAvailable)):
                        b"".join(dump.row_blocks(name))
                else:
                    assert dump.fingerprint(name).rows == data.rows
        except PgAuditError:
            continue


def test_a_turned_bit_in_compressed_rows_is_damage_unless_it_means_nothing(small: Callable[[str], bytes], written: Write) -> None:
    whole = small("custom gzip")
    truth = truth_of(read_dump(written(whole)))
    reader = read_dump(written(whole))._reader
    assert isinstance(reader, ArchiveReader)
    positions = range(reader.archive.toc_end, len(whole))
    harmless = []
    for at in positions:
        dump = read_dump(written(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]))
        check_consistent(dump, truth)  # where no damage is told, the rows must be the true ones
        if not dump.damage:
            harmless.append(at)
    assert len(harmless) < len(positions) / 10, "signs of zero, and bits that zlib does not use"


def test_a_table_that_is_cut_in_the_middle_is_named_and_the_others_can_be_read(nasty: NastyDatabase, written: Write) -> None:
    for name in ("plain", "custom-gzip", "custom-none"):
        whole = nasty.dump(name).read_bytes()
        original = read_dump(nasty.dump(name))
        dump = read_dump(written(whole[: len(whole) // 3]))
        assert dump.provenance.complete is False
        damaged = [data.name for data in tables_alone(dump.table_data) if data.not_readable]
        readable = [data.name for data in tables_alone(dump.table_data) if not data.not_readable]
        assert damaged, name
        assert {d.table for d in dump.damage if d.table} == {str(t) for t in damaged}
        assert all(d.offset is not None or d.line is not None for d in dump.damage if d.table and "missing" not in d.what)
        assert readable, name
        for table in readable:
            assert dump.fingerprint(table) == original.fingerprint(table)
        for table in damaged:
            with pytest.raises(DamagedDump) as caught:
                list(dump.row_blocks(table))
            assert caught.value.table == str(table)


def test_a_damaged_table_says_so_also_when_it_is_read_before_anything_else(nasty: NastyDatabase, written: Write) -> None:
    whole = nasty.dump("custom-gzip").read_bytes()
    path = written(whole[: len(whole) // 3])
    tables = read_dump(path).table_data
    broken = [table for table in tables if tables[table].not_readable]
    assert broken
    for table in broken:
        with pytest.raises(DamagedDump) as caught:
            read_dump(path).fingerprint(table)
        assert caught.value.table == str(table)


def test_a_huge_length_in_a_toc_entry_neither_allocates_nor_hangs(small: Callable[[str], bytes], written: Write) -> None:
    whole = small("custom none")
    tag = whole.index(b"generated")
    for length in (0x7FFFFFFF, 0x0FFFFFFF, 0xFFFFFFFF):
        broken = whole[: tag - 4] + struct.pack("<I", length) + whole[tag:]
        with pytest.raises(DamagedDump):
            read_dump(written(broken))


def test_a_huge_chunk_length_is_damage_of_that_table(small: Callable[[str], bytes], written: Write) -> None:
    whole = small("custom none")
    row = whole.index(b"\x00\x08\x00\x00\x001\tone\tc1\n"[:1] + struct.pack("<I", len(b"1\tone\tc1\n")) + b"1\tone\tc1\n")
    dump = read_dump(written(whole[: row + 1] + b"\xff\xff\xff\x7f" + whole[row + 5 :]))
    assert [d.table for d in dump.damage] == ["app.generated"], "the others are found by their offsets"
    with pytest.raises(DamagedDump):
        dump.fingerprint(TableName("app", "generated"))


def test_a_lost_field_separator_is_noticed(small: Callable[[str], bytes], written: Write) -> None:
    for kind in ("plain", "custom none"):
        dump = read_dump(written(small(kind).replace(b"1\tone\tc1\n", b"1\tone c1\n")))
        assert [(d.table, "field separators" in d.what) for d in dump.damage] == [("app.generated", True)]


def test_a_lost_end_mark_is_noticed_although_the_next_table_has_one(small: Callable[[str], bytes], written: Write) -> None:
    script = small("plain")
    at = script.index(b"\n\\.\n", script.index(b"COPY app.generated"))
    dump = read_dump(written(script[: at + 1] + b"x." + script[at + 3 :]))
    assert "app.generated" in {d.table for d in dump.damage}
    assert dump.provenance.complete is False


def test_a_lost_copy_statement_is_noticed(small: Callable[[str], bytes], written: Write) -> None:
    dump = read_dump(written(small("plain").replace(b"COPY app.generated", b"C0PY app.generated")))
    assert "app.generated" in {d.table for d in dump.damage}
    without = small("plain")
    start = without.index(b"COPY app.generated")
    end = without.index(b"\\.\n", start) + 3
    dump = read_dump(written(without[:start] + without[end:]))
    assert {d.table for d in dump.damage} == {"app.generated"}


def test_an_insert_that_turned_into_something_else_is_noticed(small: Callable[[str], bytes], written: Write) -> None:
    script = small("plain inserts")
    dump = read_dump(written(script.replace(b"INSERT INTO app.generated VALUES (2", b"1NSERT INTO app.generated VALUES (2")))
    assert "app.generated" in {d.table for d in dump.damage}
    assert dump.table_data[TableName("app", "generated")].rows is None


def test_a_value_that_no_pg_dump_writes_makes_rows_unreadable_and_never_zero(small: Callable[[str], bytes], written: Write) -> None:
    script = small("plain inserts").replace(b"'c1'", b"now() ")
    dump = read_dump(written(script))
    data = dump.table_data[TableName("app", "generated")]
    assert data.rows is None
    assert "row 1 is no plain list of values" in data.not_readable
    with pytest.raises(RowsNotAvailable, match="row 1"):
        dump.row_blocks(data.name)


def test_a_gzip_file_with_something_behind_it_is_damaged(small: Callable[[str], bytes], written: Write) -> None:
    assert read_dump(written(small("plain gzip") + b"something")).damage
    assert not read_dump(written(small("plain gzip") + b"\0" * 100)).damage
    two_members = gzip.compress(small("plain")[:1000]) + gzip.compress(small("plain")[1000:])
    assert not read_dump(written(two_members)).damage


def test_a_missing_block_names_its_table(nasty: NastyDatabase, written: Write) -> None:
    reader = read_dump(nasty.piped())._reader
    assert isinstance(reader, ArchiveReader)
    dump = read_dump(written(nasty.piped().read_bytes()[: reader.archive.toc_end]))
    missing = {d.table for d in dump.damage if "missing" in d.what}
    assert "app.big" in missing
    assert "public.western" in missing


def test_rows_of_a_table_that_is_not_there_are_not_available(small: Callable[[str], bytes], written: Write) -> None:
    for kind in ("plain", "custom gzip"):
        dump = read_dump(written(small(kind)))
        with pytest.raises(RowsNotAvailable, match=r"app\.nothing"):
            dump.row_blocks(TableName("app", "nothing"))
        with pytest.raises(RowsNotAvailable, match="no_such_column"):
            dump.row_blocks(TableName("app", "generated"), ["a", "no_such_column"])
        with pytest.raises(RowsNotAvailable, match=r"app\.generated"):
            dump.read_table("app.generate")


def test_a_schema_only_dump_has_no_tables_with_rows_and_is_whole(nasty: NastyDatabase, tmp_path: Path) -> None:
    for number, arguments in enumerate((("-s",), ("-s", "-Fc"))):
        path = tmp_path / str(number)
        nasty.run("pg_dump", *arguments, "-f", str(path), "-d", nasty.url)
        dump = read_dump(path)
        assert (dict(dump.table_data), dump.damage, dump.provenance.complete) == ({}, (), True)
