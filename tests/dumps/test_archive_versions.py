"""Archives of every version and format that is read, with all that only some versions, machines, pipes and big OIDs bring."""

from __future__ import annotations

import gzip
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, RowsNotAvailable, UnsupportedDump
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.table_data import TableName
from tests.dumps.archives import ENCODING, STRINGS, Entry, archive, members, oversized_text, second_toc, tar, without, write_directory
from tests.dumps.conftest import NastyDatabase
from tests.dumps.test_toc import listed, pg_restore_list

Write = Callable[[bytes], Path]
T, U = TableName("public", "t"), TableName("public", "u")
ROWS = b"1\tone\n2\t\\N\n"
TABLES = [
    ENCODING,
    STRINGS,
    Entry(3, "TABLE", "t", definition="CREATE TABLE public.t (\n    a integer,\n    b text\n);\n", oid=16400),
    Entry(4, "TABLE", "u", definition="CREATE TABLE public.u (\n    a integer\n);\n", oid=16401),
    Entry(5, "TABLE DATA", "t", copy="COPY public.t (a, b) FROM stdin;\n", data=ROWS + b"\\.\n\n\n", dependencies=(3, 3, 99), oid=16400),
    Entry(6, "TABLE DATA", "u", copy="COPY public.u (a) FROM stdin;\n", data=b"\\.\n\n\n", dependencies=(4,), oid=16401),
    Entry(7, "BLOBS", "BLOBS", None, None, objects=[(16999, b"abc"), (-1294967295, b"of a big OID"), (17001, b"")]),
]
OBJECTS = [(16999, b"abc"), (3000000001, b"of a big OID"), (17001, b"")]


def large_objects(dump: Dump) -> list[tuple[int, bytes]]:
    reader = dump._reader
    assert isinstance(reader, ArchiveReader)
    return [(oid, b"".join(pieces)) for oid, pieces in reader.large_objects()]


def check_tables(dump: Dump) -> None:
    """The dump is whole, and holds what TABLES holds."""
    assert b"".join(dump.row_blocks(T)) == ROWS
    assert b"".join(dump.row_blocks(U)) == b""
    assert dump.damage == ()
    assert {d.name: (d.columns, d.rows, d.size_bytes) for d in tables_alone(dump.table_data)} == {T: (("a", "b"), 2, 11), U: (("a",), 0, 0)}
    assert sorted(large_objects(dump)) == sorted(OBJECTS)


@pytest.mark.parametrize("offsets", [True, False])
@pytest.mark.parametrize(
    ("minor", "compression"),
    [(minor, compression) for minor in range(10, 17) for compression in ("none", "gzip", "lz4", "zstd")[: 4 if minor >= 15 else 2]],
)
def test_every_archive_version_reads(nasty: NastyDatabase, written: Write, minor: int, compression: str, offsets: bool) -> None:
    path = written(archive(TABLES, minor=minor, compression=compression, offsets=offsets))
    entries = read_dump(path).listed_entries
    assert [(e.dump_id, listed(e)) for e in entries] == pg_restore_list(nasty, str(path)), "pg_restore itself reads this archive"
    dump = read_dump(path)
    check_tables(dump)
    facts = dump.provenance
    assert (facts.archive_version, facts.compression, facts.database) == (f"1.{minor}.0", compression, "app")
    assert (facts.server_version, facts.created_at, facts.complete) == ("15.1 (Debian 15.1-1)", "2026-01-31 03:04:05", True)
    sections = [e.section for e in dump.toc_entries]
    assert sections == ["pre-data"] * 4 + ["data"] * 3


@pytest.mark.parametrize("minor", [10, 11, 12, 13, 14, 15, 16])
def test_every_archive_version_reads_as_a_directory_and_as_a_tar_archive(nasty: NastyDatabase, tmp_path: Path, minor: int) -> None:
    expected = members(TABLES, minor=minor)
    assert ("blobs_7.toc" if minor == 16 else "blobs.toc") in expected
    for compression in ("none", "gzip") if minor < 15 else ("none", "gzip", "lz4", "zstd"):
        folder = write_directory(tmp_path / compression, members(TABLES, minor=minor, compression=compression))
        dump = read_dump(folder)
        check_tables(dump)
        assert [(e.dump_id, listed(e)) for e in dump.listed_entries] == pg_restore_list(nasty, str(folder))
        facts = dump.provenance
        assert (facts.format, facts.compression, facts.archive_version, facts.complete) == ("directory", compression, f"1.{minor}.0", True)
        assert facts.size_bytes == sum(len(content) for content in members(TABLES, minor=minor, compression=compression).values())
    for old_magic in (False, True):
        path = tmp_path / f"{old_magic}.tar"
        path.write_bytes(tar(members(TABLES, minor=minor, in_tar=True), old_magic=old_magic))
        dump = read_dump(path)
        check_tables(dump)
        assert [(e.dump_id, listed(e)) for e in dump.listed_entries] == pg_restore_list(nasty, str(path))
        facts = dump.provenance
        assert (facts.format, facts.compression, facts.size_bytes) == ("tar", "none", path.stat().st_size)


@pytest.mark.parametrize("int_size", [1, 2, 3, 5, 8, 32])
@pytest.mark.parametrize("offsets", [True, False])
def test_integers_of_other_sizes_read(written: Write, int_size: int, offsets: bool) -> None:
    tables = TABLES if int_size > 3 else [entry for entry in TABLES if entry.desc != "BLOBS"]
    if int_size == 1:  # no text of more than 255 bytes, no OID above that
        tables = [*tables, Entry(7, "BLOBS", "BLOBS", None, None, objects=[(255, b"x" * 1000)])]
    dump = read_dump(written(archive(tables, int_size=int_size, offsets=offsets)))
    assert (dump.damage, b"".join(dump.row_blocks(T))) == ((), ROWS)
    if int_size > 3:
        assert large_objects(dump) == OBJECTS


@pytest.mark.parametrize("offset_size", [1, 4, 8, 16])
def test_offsets_of_other_sizes_read(written: Write, offset_size: int) -> None:
    path = written(archive(TABLES, offset_size=offset_size, offsets=offset_size > 1))
    check_tables(read_dump(path))


def test_a_table_beyond_four_gibibytes_is_read_without_what_is_before_it(tmp_path: Path) -> None:
    whole = archive(TABLES, compression="none")
    data = read_dump_of(tmp_path, whole).archive
    starts = {entry.dump_id: entry.offset or 0 for entry in data.entries if entry.toc.has_data}
    gap = 5 << 30
    moved = whole
    for dump_id in (6, 7):
        moved = moved.replace(b"\x02" + starts[dump_id].to_bytes(8, "little"), b"\x02" + (starts[dump_id] + gap).to_bytes(8, "little"))
    path = tmp_path / "sparse"
    with path.open("wb") as file:  # the first table becomes one chunk of 5 GiB of zeros, which is a hole in the file
        file.write(moved[: starts[6]])
        os.truncate(path, starts[6] + gap)
        file.seek(starts[6] + gap)
        file.write(moved[starts[6] :])
    dump = read_dump(path)
    assert b"".join(dump.row_blocks(U)) == b""
    assert b"".join(dump.row_blocks(T)) == ROWS
    assert large_objects(dump) == OBJECTS


def read_dump_of(folder: Path, content: bytes) -> ArchiveReader:
    path = folder / "whole"
    path.write_bytes(content)
    reader = read_dump(path)._reader
    assert isinstance(reader, ArchiveReader)
    return reader


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4", "zstd"])
def test_a_second_toc_behind_the_blocks_is_no_damage_but_a_missing_block_before_it_is(written: Write, compression: str) -> None:
    tail = second_toc(TABLES, compression=compression)
    whole = archive(TABLES, offsets=False, tail=tail, compression=compression)
    check_tables(read_dump(written(whole)))
    last = len(whole) - len(tail)
    assert read_dump(written(whole[:last])).damage == (), "this is what a pipe gives"
    for cut in range(last + 1, len(whole)):
        assert any("second table of contents" in d.what for d in read_dump(written(whole[:cut])).damage), cut
    for at in range(last, len(whole)):
        flipped = whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :]
        assert read_dump(written(flipped)).damage, "not one byte of it may differ from what the first one and the blocks say"
    assert any("follow" in d.what for d in read_dump(written(whole + b"\0")).damage)
    block = archive(TABLES, offsets=False, compression=compression)[last - 40 : last]
    lost = whole.replace(block, b"")
    assert any(d.what.startswith("BLOBS") for d in read_dump(written(lost)).damage)
    wrong = second_toc(without(TABLES, 7), compression=compression)
    assert read_dump(written(archive(TABLES, offsets=False, tail=wrong, compression=compression))).damage


def test_a_second_toc_lacks_the_statistics_which_are_written_once(written: Write) -> None:
    statistics = Entry(9, "STATISTICS DATA", "t", definition="SELECT * FROM pg_catalog.pg_restore_relation_stats();\n")
    tables = [*TABLES, statistics]
    whole = second_toc(tables)
    again = whole.replace(b"\0" + len(statistics.definition or "").to_bytes(4, "little") + (statistics.definition or "").encode(), b"")
    assert len(again) < len(whole)
    assert read_dump(written(archive(tables, offsets=False, tail=again))).damage == ()
    assert read_dump(written(archive(tables, offsets=False, tail=whole))).damage


def test_an_archive_wrapped_in_a_compression_reads(written: Write) -> None:
    for wrap in (gzip.compress, lzma.compress):
        for content in (archive(TABLES), archive(TABLES, offsets=False), tar(members(TABLES, in_tar=True))):
            dump = read_dump(written(wrap(content)))
            check_tables(dump)
            assert read_dump(written(wrap(content)[:-9])).damage, "the end of the wrapping is looked at, too"
    dump = read_dump(io.BytesIO(archive(TABLES)))
    check_tables(dump)


def test_groups_of_large_objects_must_hold_what_their_metadata_lists(written: Write) -> None:
    def damage_of(definition: str, objects: list[tuple[int, bytes]], minor: int = 16) -> list[str]:
        blobs = Entry(7, "BLOBS", "16999..3000000001", None, "me", objects=objects)
        metadata = Entry(8, "BLOB METADATA", "16999..3000000001", None, "me", definition)
        return [d.what for d in read_dump(written(archive([ENCODING, STRINGS, metadata, blobs], minor=minor))).damage]

    three = "16999\n17001\n3000000001\n"
    assert damage_of(three, OBJECTS) == []
    assert damage_of(three, OBJECTS[:2]) == ["BLOBS 16999..3000000001: no content of 17001"]
    assert damage_of("16999\n17001\n", OBJECTS) == ["BLOBS 16999..3000000001: content of large objects that no entry lists: 3000000001"]
    assert damage_of(three, [*OBJECTS, (16999, b"again")]) == ["BLOBS 16999..3000000001: twice the content of 16999"]
    old = [Entry(10 + n, "BLOB", str(oid), None) for n, oid in enumerate((16999, 17001))]
    blobs = Entry(7, "BLOBS", "BLOBS", None, None, objects=OBJECTS)
    damage = read_dump(written(archive([ENCODING, STRINGS, *old, blobs], minor=14))).damage
    assert [d.what for d in damage] == ["BLOBS BLOBS: content of large objects that no entry lists: 3000000001"]


def test_a_bare_table_of_contents_is_named_for_what_it_is(written: Write) -> None:
    with pytest.raises(UnsupportedDump, match=r"toc\.dat"):
        read_dump(written(members(TABLES)["toc.dat"]))


def test_rows_with_oids_have_one_field_more(written: Write) -> None:
    entry = Entry(5, "TABLE DATA", "t", copy="COPY t (a) WITH OIDS FROM stdin;\n", data=b"16639\t5\n\\.\n\n\n")
    dump = read_dump(written(archive([ENCODING, STRINGS, entry], minor=12)))
    assert dump.table_data[T].columns == ("oid", "a")
    assert b"".join(dump.row_blocks(T, ["a"])) == b"5\n"


def test_a_partition_loaded_through_its_root_keeps_its_own_name(written: Write) -> None:
    entry = Entry(
        5,
        "TABLE DATA",
        "t",
        definition="-- load via partition root public.root",
        copy="COPY public.root (a) FROM stdin;\n",
        data=b"5\n\\.\n\n\n",
    )
    assert set(read_dump(written(archive([ENCODING, STRINGS, entry]))).table_data) == {T}


def test_names_and_rows_follow_the_encoding_of_the_archive(written: Write) -> None:
    latin = Entry(1, "ENCODING", "ENCODING", None, None, "SET client_encoding = 'LATIN1';\n")
    entry = Entry(5, "TABLE DATA", "cafX", copy='COPY public."cafX" ("X") FROM stdin;\n', data=b"\xdcn\xef\n\\.\n\n\n")
    content = archive([latin, STRINGS, entry], compression="none").replace(b"X", b"\xe9")
    dump = read_dump(written(content))
    assert b"".join(dump.row_blocks(TableName("public", "café"))) == "Ünï\n".encode()
    assert dump.table_data[TableName("public", "café")].columns == ("é",)


def test_an_encoding_that_python_does_not_know_makes_rows_unreadable(written: Write) -> None:
    unknown = Entry(1, "ENCODING", "ENCODING", None, None, "SET client_encoding = 'EUC_TW';\n")
    dump = read_dump(written(archive([unknown, *TABLES[1:]])))
    assert "EUC_TW" in dump.table_data[T].not_readable
    with pytest.raises(RowsNotAvailable, match="EUC_TW"):
        dump.row_blocks(T)


def test_bytes_that_are_not_of_the_encoding_are_damage_when_they_are_read(written: Write) -> None:
    sjis = Entry(1, "ENCODING", "ENCODING", None, None, "SET client_encoding = 'SJIS';\n")
    entry = Entry(5, "TABLE DATA", "t", copy="COPY public.t (a) FROM stdin;\n", data=b"\x81\x01\n\\.\n\n\n")
    dump = read_dump(written(archive([sjis, STRINGS, entry])))
    with pytest.raises(DamagedDump, match="not SJIS") as caught:
        dump.fingerprint(T)
    assert caught.value.table == "public.t"


def test_a_text_of_two_gibibytes_is_not_believed(written: Write) -> None:
    with pytest.raises(DamagedDump, match="claims to be a text"):
        read_dump(written(oversized_text(archive(TABLES), "TABLE DATA")))


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (ROWS, "end mark"),
        (ROWS + b"\\.\n\n", "end mark"),
        (ROWS[:-1] + b"\\.\n\n\n", "end mark"),
        (b"", "end mark"),
        (ROWS + b"3\n\\.\n\n\n", "field separators"),
        (ROWS + b"\\.\n\\.\n\n\n", "field separators"),
    ],
)
def test_rows_that_do_not_end_or_fit_are_damage(written: Write, payload: bytes, what: str) -> None:
    entries = [*TABLES[:4], Entry(5, "TABLE DATA", "t", copy="COPY public.t (a, b) FROM stdin;\n", data=payload)]
    for compression in ("none", "gzip"):
        dump = read_dump(written(archive(entries, compression=compression)))
        assert [(d.table, what in d.what) for d in dump.damage] == [("public.t", True)]
        assert dump.table_data[T].rows is None


@pytest.mark.parametrize(
    ("columns", "payload", "damaged"),
    [
        ("(a)", b"1\n\\.\n2\n", True),
        ("(a)", b"\\.\n2\n", True),
        ("(a)", b"1\n\\.\n", True),
        ("(a)", b"1\n\\\\.\n2\n", False),
        ("(a)", b"x\\.\n" + b"x" * 3_000_000 + b"\n", False),
        ("(a)", b"x" * ((1 << 20) - 3) + b"\n\\.\n2\n", True),
        ("", b"\n\n", False),
        ("", b"\n\\.\n", True),
        ("", b"\nx\n", True),
    ],
)
def test_a_row_that_cannot_be_is_damage_also_where_no_separator_tells(written: Write, columns: str, payload: bytes, damaged: bool) -> None:
    entry = Entry(5, "TABLE DATA", "t", copy=f"COPY public.t {columns} FROM stdin;\n", data=payload + b"\\.\n\n\n")
    for compression in ("none", "lz4"):
        dump = read_dump(written(archive([ENCODING, STRINGS, entry], compression=compression)))
        assert [d.table for d in dump.damage] == (["public.t"] if damaged else [])


def test_an_offset_that_points_elsewhere_is_damage_of_its_table_alone(written: Write) -> None:
    content = archive(TABLES)
    first, second = (content.index(b"\x01" + bytes([0, n, 0, 0, 0]), content.rindex(b"false")) for n in (5, 6))
    swapped = content.replace(b"\x02" + first.to_bytes(8, "little"), b"\x02" + second.to_bytes(8, "little"), 1)
    dump = read_dump(written(swapped))
    assert [d.table for d in dump.damage] == ["public.t"]
    assert b"".join(dump.row_blocks(U)) == b""
    with pytest.raises(DamagedDump):
        dump.fingerprint(T)
    with pytest.raises(DamagedDump):
        read_dump(written(swapped)).fingerprint(T)


def test_inserts_in_an_archive_take_their_columns_from_the_table(written: Write) -> None:
    table = Entry(
        3,
        "TABLE",
        "t",
        definition="CREATE TABLE public.t (\n    a integer,\n    g integer GENERATED ALWAYS AS ((a * 2)) STORED,\n    b text\n);\n",
    )
    inserts = b"INSERT INTO public.t VALUES (1, DEFAULT, 'a\tb\\');\nINSERT INTO public.t VALUES (NULL, DEFAULT, '''');\n\n\n"
    for payload, rows in ((inserts, b"1\ta\\tb\\\\\n\\N\t'\n"), (b"\n\n", b"")):
        dump = read_dump(written(archive([ENCODING, STRINGS, table, Entry(5, "TABLE DATA", "t", data=payload)])))
        assert dump.table_data[T].columns == ("a", "b")
        assert b"".join(dump.row_blocks(T)) == rows
        assert (dump.table_data[T].rows, dump.table_data[T].size_bytes) == (rows.count(b"\n"), len(rows))
