"""Archives of every version that is read, with all that only some versions, pipes and big OIDs bring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, RowsNotAvailable
from pgaudit_kit.records.table_data import TableName
from tests.dumps.archives import ENCODING, STRINGS, Entry, archive, oversized_text, second_toc
from tests.dumps.conftest import NastyDatabase
from tests.dumps.test_toc import listed, pg_restore_list

Write = Callable[[bytes], Path]
T, U = TableName("public", "t"), TableName("public", "u")
ROWS = b"1\tone\n2\t\\N\n"
TABLES = [
    ENCODING,
    STRINGS,
    Entry(3, "TABLE", "t", definition="CREATE TABLE public.t (\n    a integer,\n    b text\n);\n"),
    Entry(4, "TABLE", "u", definition="CREATE TABLE public.u (\n    a integer\n);\n"),
    Entry(5, "TABLE DATA", "t", copy="COPY public.t (a, b) FROM stdin;\n", data=ROWS + b"\\.\n\n\n", dependencies=(3, 3, 99)),
    Entry(6, "TABLE DATA", "u", copy="COPY public.u (a) FROM stdin;\n", data=b"\\.\n\n\n", dependencies=(4,)),
    Entry(7, "BLOBS", "BLOBS", None, None, objects=[(16999, b"abc"), (-1294967295, b"of a big OID"), (17001, b"")]),
]


@pytest.mark.parametrize("offsets", [True, False])
@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("minor", range(10, 17))
def test_every_archive_version_reads(nasty: NastyDatabase, written: Write, minor: int, compression: str, offsets: bool) -> None:
    path = written(archive(TABLES, minor=minor, compression=compression, offsets=offsets))
    entries = read_dump(path).listed_entries
    assert [(e.dump_id, listed(e)) for e in entries] == pg_restore_list(nasty, str(path)), "pg_restore itself reads this archive"
    dump = read_dump(path)
    assert b"".join(dump.row_blocks(T)) == ROWS
    assert b"".join(dump.row_blocks(U)) == b""
    assert dump.damage == ()
    assert {n: (d.columns, d.rows, d.size_bytes) for n, d in dump.table_data.items()} == {T: (("a", "b"), 2, 11), U: (("a",), 0, 0)}
    facts = dump.provenance
    assert (facts.archive_version, facts.compression, facts.database) == (f"1.{minor}.0", compression, "app")
    assert (facts.server_version, facts.created_at, facts.complete) == ("15.1 (Debian 15.1-1)", "2026-01-31 03:04:05", True)
    sections = [e.section for e in dump.toc_entries]
    assert sections == ["pre-data"] * 4 + ["data"] * 3


def test_a_second_toc_behind_the_blocks_is_no_damage_but_a_missing_block_before_it_is(written: Write) -> None:
    whole = archive(TABLES, offsets=False, tail=second_toc(TABLES))
    assert read_dump(written(whole)).damage == ()
    fewer = archive([*TABLES[:-1], Entry(7, "BLOBS", "BLOBS", None, None)], offsets=False, tail=second_toc(TABLES))
    assert read_dump(written(fewer)).damage == ()
    toc_of_all = archive(TABLES, offsets=False)
    lost = toc_of_all[: toc_of_all.rindex(b"\x03" + (7).to_bytes(1, "little").rjust(2, b"\0"))] + second_toc(TABLES)
    assert any("missing" in d.what for d in read_dump(written(lost)).damage)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_compression_that_is_not_read_still_lists_entries_and_objects(written: Write, compression: str) -> None:
    dump = read_dump(written(archive(TABLES, compression=compression)))
    assert len(dump.toc_entries) == 7
    assert {o.key.name for o in dump.inventory.objects} == {"t", "u"}
    data = dump.table_data[T]
    assert (data.rows, data.columns) == (None, ("a", "b"))
    assert compression in data.not_readable
    assert dump.damage == ()
    with pytest.raises(RowsNotAvailable, match=compression):
        dump.fingerprint(T)


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
    with pytest.raises(DamagedDump, match="claims a text"):
        read_dump(written(oversized_text(archive(TABLES), "TABLE DATA")))


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (ROWS, "end mark"),
        (ROWS + b"\\.\n\n", "end mark"),
        (ROWS[:-1] + b"\\.\n\n\n", "end mark"),
        (b"", "end mark"),
        (ROWS + b"3\n\\.\n\n\n", "field separators"),
    ],
)
def test_rows_that_do_not_end_or_fit_are_damage(written: Write, payload: bytes, what: str) -> None:
    entries = [*TABLES[:4], Entry(5, "TABLE DATA", "t", copy="COPY public.t (a, b) FROM stdin;\n", data=payload)]
    for compression in ("none", "gzip"):
        dump = read_dump(written(archive(entries, compression=compression)))
        assert [(d.table, what in d.what) for d in dump.damage] == [("public.t", True)]
        assert dump.table_data[T].rows is None


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
