"""Archives of every format, cut, with bytes turned over, with blocks lost, doubled or foreign: what is told, and what still reads."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, PgAuditError, RowsNotAvailable
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.table_data import TableName
from tests.dumps.archives import Entry, Layout, archive, block_starts, integer, members, second_toc, tar, write_directory
from tests.dumps.test_archive_versions import OBJECTS, ROWS, TABLES, T, U, check_tables, large_objects
from tests.dumps.test_damage import EVERY_BYTE

Write = Callable[[bytes], Path]
METADATA = Entry(9, "BLOB METADATA", "16999..3000000001", None, "me", "16999\n17001\n3000000001\n")
BLOBS = Entry(7, "BLOBS", "16999..3000000001", None, "me", objects=TABLES[-1].objects)
W = TableName("public", "w")
THIRD = Entry(8, "TABLE DATA", "w", copy="COPY public.w (a, b) FROM stdin;\n", data=b"5\tx\n\\.\n\n\n")
ENTRIES = [*TABLES[:-1], METADATA, BLOBS, THIRD]
COMPRESSIONS = ("none", "gzip", "lz4", "zstd")
CUSTOM = [(compression, offsets) for compression in COMPRESSIONS for offsets in (True, False)]
TRUTH = {T: ROWS, U: b"", W: b"5\tx\n"}


def stops(size: int, step: int) -> range:
    return range(0, size, 1 if EVERY_BYTE else step)


def turned(content: bytes, at: int, bits: int = 0x11) -> bytes:
    return content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :]


def rows_in(dump: Dump) -> dict[TableName, bytes | None]:
    """The rows of each table, None for one that says why it cannot be read; what is counted must be what is read."""
    found: dict[TableName, bytes | None] = {}
    for name, data in ((d.name, d) for d in tables_alone(dump.table_data)):
        try:
            found[name] = b"".join(dump.row_blocks(name))
            assert data.rows == found[name].count(b"\n")  # type: ignore[union-attr]
        except (DamagedDump, RowsNotAvailable):
            assert data.not_readable
            found[name] = None
    assert {str(name) for name, rows in found.items() if rows is None} >= {d.table for d in dump.damage if d.table} & set(map(str, found))
    assert dump.provenance.complete is (not dump.damage)
    return found


def opened(path: Path) -> tuple[Dump, dict[TableName, bytes | None]] | None:
    """The dump and its rows; None when its table of contents is so broken that it cannot be opened."""
    try:
        dump = read_dump(path)
    except PgAuditError:
        return None
    return dump, rows_in(dump)


def data_start(path: Path) -> int:
    reader = read_dump(path)._reader
    assert isinstance(reader, ArchiveReader)
    return reader.archive.toc_end


def check_unseen(dump: Dump, rows: Mapping[TableName, bytes | None]) -> None:
    """A change in header or TOC that nothing tells must be one in a text that nothing refers to: all data are what they were."""
    unknown = {(what.schema, what.name) for what in dump.inventory.unmodelled}
    for name, expected in TRUTH.items():
        if name in rows:
            assert rows[name] == expected
        else:
            assert (name.schema, name.name) in unknown, "an entry with data whose type is not known is named"
    if any(entry.desc == "BLOBS" for entry in dump.toc_entries):
        assert sorted(large_objects(dump)) == sorted(OBJECTS)


# ---- custom archives


@pytest.mark.parametrize(("compression", "offsets"), CUSTOM)
def test_every_cut_of_a_custom_archive_is_found(written: Write, compression: str, offsets: bool) -> None:
    whole = archive(ENTRIES, compression=compression, offsets=offsets)
    start = data_start(written(whole))
    for cut in stops(len(whole), 5):
        found = opened(written(whole[:cut]))
        assert (found is None) == (cut < start), cut
        if found:
            dump, rows = found
            assert dump.damage, cut
            assert any("cut short" in d.what or "missing" in d.what or "ends at byte" in d.what for d in dump.damage)
            assert {rows[name] for name in TRUTH} <= {None, *TRUTH.values()}


@pytest.mark.parametrize("offsets", [True, False])
def test_every_byte_of_header_and_toc_of_a_custom_archive(written: Write, offsets: bool) -> None:
    whole = archive(ENTRIES, offsets=offsets)
    told = unseen = 0
    for at in range(data_start(written(whole))):
        for bits in (0x01, 0x20, 0xFF)[: 3 if EVERY_BYTE else 1]:
            found = opened(written(turned(whole, at, bits)))
            if found is None or found[0].damage:
                told += 1
            else:
                unseen += 1
                check_unseen(*found)
    assert told > unseen


@pytest.mark.parametrize(("compression", "offsets"), CUSTOM)
def test_every_byte_of_the_data_of_a_custom_archive(written: Write, compression: str, offsets: bool) -> None:
    """gzip has a checksum: what is not told changes nothing. lz4 and zstd as pg_dump writes them have none, and bare rows neither:
    there a value can change unseen, and only a manifest knows; but never the number of rows, nor anything of another table."""
    whole = archive(ENTRIES, compression=compression, offsets=offsets)
    told = 0
    positions = stops(len(whole), 2)
    start = data_start(written(whole))
    for at in positions:
        if at < start:
            continue
        found = opened(written(turned(whole, at)))
        assert found, at
        dump, rows = found
        told += bool(dump.damage)
        other = {name for name, expected in TRUTH.items() if rows[name] != expected}
        if compression == "gzip" and not dump.damage:
            assert not other, at
            assert sorted(large_objects(dump)) == sorted(OBJECTS)
        assert len({name for name in other if rows[name] is not None}) <= 1
        for name in other:
            changed = rows[name]
            assert changed is None or changed.count(b"\n") == TRUTH[name].count(b"\n")
    assert told


@pytest.mark.parametrize(("compression", "offsets"), CUSTOM)
def test_behind_a_broken_block_all_other_tables_read(written: Write, compression: str, offsets: bool) -> None:
    layout = Layout(16, compression)
    blocks = {entry.dump_id: layout.block(entry) for entry in ENTRIES if entry.has_data}
    starts = block_starts(ENTRIES, layout, blocks)
    whole = archive(ENTRIES, compression=compression, offsets=offsets)
    first_chunk = starts[5] + 6
    for at, byte in ((first_chunk, 2), (first_chunk + 2, 0x7F), (starts[5], 9), (starts[5] + 2, 77), (first_chunk + 1, 6)):
        dump = read_dump(written(whole[:at] + bytes([byte]) + whole[at + 1 :]))
        rows = rows_in(dump)
        assert rows == TRUTH | {T: None}, (at, byte)
        assert any(starts[5] <= (d.offset or 0) <= len(whole) for d in dump.damage)


@pytest.mark.parametrize("offsets", [True, False])
def test_blocks_that_are_doubled_foreign_or_of_another_type_are_told(written: Write, offsets: bool) -> None:
    layout = Layout(16, "gzip")
    whole = archive(ENTRIES, offsets=offsets)
    second = layout.block(ENTRIES[4])
    foreign = layout.block(Entry(77, "TABLE DATA", "x", data=b"\\.\n\n\n"))
    for extra, table, words in ((second, "public.t", "second data block"), (foreign, None, "entry 77, which has none")):
        dump = read_dump(written(whole + extra))
        assert [(d.table, d.offset) for d in dump.damage] == [(table, len(whole))]
        assert words in dump.damage[0].what
        assert rows_in(dump)[W] == TRUTH[W]
    no_offsets = archive(ENTRIES, offsets=False)
    last = no_offsets.index(layout.block(THIRD))
    dump = read_dump(written(no_offsets[:last] + foreign + no_offsets[last:]))
    assert [(d.table, d.offset) for d in dump.damage] == [(None, last)]
    assert rows_in(dump) == TRUTH
    start = whole.index(layout.block(BLOBS))
    dump = read_dump(written(whole[:start] + b"\x01" + whole[start + 1 :]))
    assert any("wrong type" in d.what for d in dump.damage)
    assert rows_in(dump) == TRUTH


@pytest.mark.parametrize("offsets", [True, False])
@pytest.mark.parametrize("tail", [b"\0", b"\1", b"x", b"\0" * 1000, b"PGDMP", b"\0\5\0\0\0", b"\1\0\5\0\0\0\0"])
def test_nothing_may_follow_the_last_block(written: Write, offsets: bool, tail: bytes) -> None:
    whole = archive(ENTRIES, offsets=offsets)
    dump = read_dump(written(whole + tail))
    assert dump.damage
    assert all((d.offset or 0) >= len(whole) for d in dump.damage)
    if tail[:1] != b"\1":
        assert rows_in(dump) == TRUTH


def test_a_second_toc_where_offsets_are_set_is_something_foreign(written: Write) -> None:
    assert read_dump(written(archive(TABLES, offsets=True, tail=second_toc(TABLES)))).damage
    assert not read_dump(written(archive(TABLES, offsets=False, tail=second_toc(TABLES)))).damage


def test_entries_that_contradict_each_other_are_told(written: Write) -> None:
    def damage_of(*entries: Entry, minor: int = 16) -> list[tuple[str | None, str]]:
        return [(d.table, d.what) for d in read_dump(written(archive([*TABLES[:4], *entries], minor=minor))).damage]

    data = b"\\.\n\n\n"
    other_name = Entry(5, "TABLE DATA", "tt", copy="COPY public.tt (a, b) FROM stdin;\n", data=data, oid=16400)
    assert damage_of(other_name) == [("public.tt", "its rows are said to be of public.t by entry 3")]
    other_oid = Entry(5, "TABLE DATA", "t", copy="COPY public.t (a, b) FROM stdin;\n", data=data, oid=16499)
    assert [table for table, _ in damage_of(other_oid)] == ["public.t"]
    twice = [Entry(n, "TABLE DATA", "t", copy="COPY public.t (a, b) FROM stdin;\n", data=data, oid=16400) for n in (5, 6)]
    assert damage_of(*twice) == [("public.t", "its rows are in two entries, 5 and 6")]
    elsewhere = Entry(5, "TABLE DATA", "t", copy="COPY public.u (a) FROM stdin;\n", data=data, oid=16400)
    assert [table for table, _ in damage_of(elsewhere)] == ["public.t"]
    assert damage_of(elsewhere, minor=14) == [], "before 16, --load-via-partition-root does not always say so"
    root = Entry(5, "TABLE DATA", "t", definition="-- load via partition root public.u", copy="COPY public.u (a) FROM stdin;\n", data=data)
    assert damage_of(root) == []


# ---- directories and tar archives


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_cut_and_every_turned_byte_in_a_file_of_a_directory(tmp_path: Path, compression: str) -> None:
    files = members(ENTRIES, compression=compression)
    path = write_directory(tmp_path / "app", files)
    assert rows_in(read_dump(path)) == TRUTH
    tables = {f"{entry.dump_id}.dat": TableName("public", entry.tag) for entry in ENTRIES if entry.data is not None}
    for name, content in files.items():
        table = tables.get(name.split(".dat")[0] + ".dat")
        for broken, at in changes(content, whole_toc=compression == "gzip"):
            (path / name).write_bytes(broken)
            found = opened(path)
            if found is None:
                assert name == "toc.dat"
                continue
            dump, rows = found
            if name == "toc.dat":
                if not dump.damage:
                    check_unseen(dump, rows)
                continue
            if len(broken) < len(content):
                told = [(d.table, d.member) for d in dump.damage]
                # bare bytes have no end, and lz4 and zstd of no bytes are no bytes
                unknowable = name.startswith("blob_") and (compression == "none" or (not broken and compression in ("lz4", "zstd")))
                assert unknowable or (table and str(table), name) in told or (name == "blobs_7.toc" and told), (name, at)
            elif compression == "gzip" and not dump.damage:
                assert rows == TRUTH, (name, at)
                assert sorted(large_objects(dump)) == sorted(OBJECTS)
            assert all(rows[other] == TRUTH[other] for other in TRUTH if other != table)
        (path / name).write_bytes(content)
    assert rows_in(read_dump(path)) == TRUTH


def changes(content: bytes, *, whole_toc: bool) -> Iterator[tuple[bytes, int]]:
    """The content cut, and with single bytes turned over, at every byte of a small file and at some of a large one."""
    step = 1 if EVERY_BYTE or len(content) < 100 or whole_toc else 37
    for at in range(0, len(content), step):
        yield content[:at], at
        yield turned(content, at), at


def test_rows_that_insert_statements_lost_are_missed_also_where_a_statement_ends(tmp_path: Path) -> None:
    rows = [b"INSERT INTO public.t VALUES (%d, 'x');\n" % n for n in range(3)]
    entries = [*TABLES[:4], Entry(5, "TABLE DATA", "t", data=b"".join(rows) + b"\n\n")]
    files = members(entries)
    path = write_directory(tmp_path / "app", files)
    assert read_dump(path).table_data[T].rows == 3
    for kept in range(3):
        for end in (b"", b"\n"):
            (path / "5.dat").write_bytes(b"".join(rows[:kept]) + end)
            assert [(d.table, d.member) for d in read_dump(path).damage] == [("public.t", "5.dat")]
            with pytest.raises((DamagedDump, RowsNotAvailable)):
                b"".join(read_dump(path).row_blocks(T))


def test_every_byte_of_the_toc_of_a_tar_archive(written: Write) -> None:
    files = members(ENTRIES, in_tar=True)
    whole = tar(files)
    for at in range(512, 512 + len(files["toc.dat"]), 1 if EVERY_BYTE else 3):
        found = opened(written(turned(whole, at)))
        if found and not found[0].damage:
            check_unseen(*found)


@pytest.mark.parametrize("how", ["custom", "piped", "directory", "tar"])
def test_a_broken_large_object_is_named(written: Write, tmp_path: Path, how: str) -> None:
    packed_object = Layout(16, "gzip").block(Entry(7, "BLOBS", "x", objects=[(0, b"of a big OID")]))[11:-10]
    if how in ("custom", "piped"):
        whole = archive(ENTRIES, offsets=how == "custom")
        path = written(turned(whole, whole.index(packed_object) + 2, 0xFF))
    else:
        files = members(ENTRIES, compression="gzip" if how == "directory" else "none", in_tar=how == "tar")
        name = next(name for name in files if name.startswith("blob_3000000001"))
        files[name] = files[name][:-9]
        path = write_directory(tmp_path / "app", files) if how == "directory" else written(tar(files)[: tar(files).index(b"blobs_7.toc")])
    dump = read_dump(path)
    if how == "tar":
        assert any("blobs_7.toc" in d.what for d in dump.damage)
    else:
        assert [d.what.startswith("BLOBS 16999..3000000001: large object 3000000001: the ") for d in dump.damage] == [True]
        assert rows_in(dump) == TRUTH
        good: list[tuple[int, bytes]] = []
        with pytest.raises(DamagedDump):
            good.extend((oid, b"".join(pieces)) for oid, pieces in dump.large_objects())
        assert good == OBJECTS[:1]


# ---- sizes are not believed


def test_a_stream_that_unpacks_to_far_more_than_it_is_stays_small_in_memory(written: Write) -> None:
    import tracemalloc

    bomb = bytes(300 << 20)
    entry = Entry(5, "TABLE DATA", "t", copy="COPY public.t (a, b) FROM stdin;\n", data=bomb)
    path = written(archive([*TABLES[:4], entry]))
    del bomb, entry
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        dump = read_dump(path)
        assert [d.table for d in dump.damage] == ["public.t"]
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_lengths_and_counts_beyond_the_file_end_in_words(written: Write, tmp_path: Path) -> None:
    whole = archive(ENTRIES)
    count = whole.index(integer(len(ENTRIES)) + integer(1) + integer(0))
    for huge in (0x7FFFFFFF, 0x0FFFFFFF, len(ENTRIES) + 1):
        with pytest.raises(PgAuditError):
            read_dump(written(whole[: count + 1] + huge.to_bytes(4, "little") + whole[count + 5 :]))
    fewer = read_dump(written(whole[: count + 1] + (len(ENTRIES) - 1).to_bytes(4, "little") + whole[count + 5 :]))
    assert fewer.damage
    files = members(ENTRIES)
    toc = files["toc.dat"]
    at = toc.index(integer(len(ENTRIES)) + integer(1) + integer(0))
    path = write_directory(tmp_path / "app", files | {"toc.dat": toc[: at + 1] + bytes([len(ENTRIES) - 1]) + toc[at + 2 :]})
    assert [d.what for d in read_dump(path).damage if "follows the last entry" in d.what]
    shutil.rmtree(path)


def test_a_broken_wrapping_is_told_with_all_tables_before_it(written: Write) -> None:
    whole = gzip.compress(archive(TABLES, offsets=False, compression="none"), mtime=0)
    check_tables(read_dump(written(whole)))
    for at in stops(len(whole), 3):
        found = opened(written(turned(whole, at)))
        if found and not found[0].damage:
            assert found[1] == {T: ROWS, U: b""}, at
        found = opened(written(whole[:at]))
        assert not found or found[0].damage, at
