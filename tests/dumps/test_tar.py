"""Tar archives: those of pg_dump, packed directories, and what else a tar file can hold or lose."""

from __future__ import annotations

import bz2
import gzip
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.dumps.archives.tar_folder import TarFolder
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.places import LocalPlace
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, PgAuditError
from pgaudit_kit.records.large_objects import tables_alone
from tests.dumps.archives import damage_of, members, packed_directory, tar, tar_header, write_directory
from tests.dumps.conftest import NastyDatabase
from tests.dumps.test_archive_versions import ROWS, TABLES, T, U, check_tables, large_objects
from tests.dumps.test_real_dumps import copies_in
from tests.dumps.test_toc import listed, pg_restore_list

Write = Callable[[bytes], Path]
MEMBERS = members(TABLES, in_tar=True)
TAR = tar(MEMBERS)
START = {name: TAR.index(name.encode().ljust(100, b"\0")) for name in (*MEMBERS, "restore.sql")}


@pytest.fixture(scope="session")
def dumped(nasty: NastyDatabase) -> Callable[..., Path]:
    """Give a function that dumps the awkward database as a tar file, each way once."""
    made: dict[tuple[str, ...], Path] = {}

    def dump(*arguments: str) -> Path:
        if arguments not in made:
            made[arguments] = nasty.folder / f"tar {len(made)}"
            nasty.run("pg_dump", "-Ft", *arguments, "-f", str(made[arguments]), "-d", nasty.url)
        return made[arguments]

    return dump


@pytest.mark.parametrize("arguments", [(), ("--inserts",), ("--load-via-partition-root",), ("-s",), ("-a",)])
def test_a_tar_archive_lists_and_reads_like_the_custom_archive_of_the_same_database(
    nasty: NastyDatabase, dumped: Callable[..., Path], arguments: tuple[str, ...]
) -> None:
    path = dumped(*arguments)
    dump = read_dump(path)
    assert [(e.dump_id, listed(e)) for e in dump.listed_entries] == pg_restore_list(nasty, str(path))
    facts = dump.provenance
    assert (dump.damage, facts.complete, facts.format, facts.compression) == ((), True, "tar", "none")
    assert facts.size_bytes == path.stat().st_size
    custom = read_dump(nasty.dump("custom-gzip"))
    if not {"-a", "-s"} & set(arguments):
        assert dump.inventory.by_key == custom.inventory.by_key
    if "-s" in arguments:
        assert dict(dump.table_data) == {}
        return
    assert {name: dump.fingerprint(name) for name in dump.table_data} == {name: custom.fingerprint(name) for name in custom.table_data}
    assert sorted(large_objects(dump)) == sorted(large_objects(custom))


def test_rows_of_a_tar_archive_are_byte_for_byte_those_that_pg_restore_prints(nasty: NastyDatabase, dumped: Callable[..., Path]) -> None:
    script = nasty.run("pg_restore", "-f", "-", str(dumped()))
    dump = read_dump(dumped())
    for name in (data.name for data in tables_alone(dump.table_data)):
        rows = b"".join(dump.row_blocks(name))
        assert rows == b"" or b"\n" + rows + b"\\.\n" in script, name


def test_a_real_tar_archive_lists_and_reads_like_pg_restore(corpus: Path, nasty: NastyDatabase) -> None:
    path = corpus / "archives" / "dvdrental-pg11.tar"
    dump = read_dump(path)
    assert [(e.dump_id, listed(e)) for e in dump.listed_entries] == pg_restore_list(nasty, str(path))
    copies = copies_in(nasty.run("pg_restore", "-f", "-", str(path)))
    assert [b"".join(dump.row_blocks(name)) for name in dump.table_data] == [b"".join(r + b"\n" for r in rows) for rows in copies.values()]
    assert (dump.damage, sum(data.rows or 0 for data in dump.table_data.values())) == ((), 44820)


def test_a_tar_archive_that_went_through_a_pipe_or_a_compression_is_the_same(nasty: NastyDatabase, tmp_path: Path, written: Write) -> None:
    piped = tmp_path / "piped"
    piped.write_bytes(nasty.run("pg_dump", "-Ft", "-d", nasty.url))
    expected = read_dump(piped)
    assert expected.damage == ()
    for wrap in (gzip.compress, bz2.compress):
        dump = read_dump(written(wrap(piped.read_bytes())))
        assert dict(dump.table_data) == dict(expected.table_data)
        assert (dump.damage, dump.provenance.format) == ((), "tar")
        assert large_objects(dump) == large_objects(expected)


# ---- what tar files can be


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_directory_archive_that_was_packed_reads_as_it_is(written: Write, format: int) -> None:  # noqa: A002
    for compression in ("none", "gzip", "zstd"):
        files = members(TABLES, compression=compression)
        for folder in ("app", "x" * 44 + "/" + "y" * 44):  # the longest names do not fit into 100 bytes
            for wrap in (bytes, gzip.compress):
                dump = read_dump(written(wrap(packed_directory(files, folder, format=format))))
                check_tables(dump)
                assert (dump.provenance.format, dump.provenance.compression) == ("directory", compression)


@pytest.mark.parametrize("format", ["ustar", "gnu", "pax"])
@pytest.mark.parametrize("folder_first", [True, False])
def test_a_directory_archive_that_was_packed_without_its_folder(
    written: Write,
    tmp_path: Path,
    format: str,  # noqa: A002
    folder_first: bool,
) -> None:
    """`tar -C app -cf app.tar .` and `… toc.dat *.dat.gz`: also when the first file is toc.dat, as in a tar archive."""
    files = members(TABLES, compression="gzip")
    folder = write_directory(tmp_path / "app", files)
    names = ["--no-recursion", ".", *(f"./{n}" for n in files)] if folder_first else [*files]
    packed = subprocess.run(["tar", f"--format={format}", "-C", str(folder), "-cf", "-", *names], check=True, capture_output=True)
    dump = read_dump(written(packed.stdout))
    check_tables(dump)
    assert (dump.damage, dump.provenance.format, dump.provenance.compression) == ((), "directory", "gzip")


def test_sizes_in_base_256_and_members_of_more_than_eight_gibibytes_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tar"
    size = 9 << 30
    with path.open("wb") as file:  # the first table is a hole of 9 GiB in the file
        file.write(tar({"toc.dat": MEMBERS["toc.dat"]}, script=False)[:-1024] + tar_header("5.dat", size))
        file.seek(size, 1)
        rest = {name: data for name, data in MEMBERS.items() if name not in ("toc.dat", "5.dat")}
        file.write(b"".join(tar_header(n, len(d), binary=True) + d + bytes(-len(d) % 512) for n, d in rest.items()))
        file.write(tar_header("restore.sql", 0) + bytes(1024))
    dump = read_dump(path)
    assert b"".join(dump.row_blocks(U)) == b""
    assert len(large_objects(dump)) == 3
    folder = TarFolder(DumpFile(LocalPlace(path)))
    assert folder.names() == {*MEMBERS, "restore.sql"}
    assert (folder.file("5.dat").size_bytes, folder.problems) == (size, [])


# ---- damage


def test_every_cut_is_found_and_the_tables_before_it_still_read(written: Write) -> None:
    for cut in range(1, len(TAR), 3):
        try:
            dump = read_dump(written(TAR[:cut]))
        except PgAuditError:
            assert cut < START["5.dat"]
            continue
        assert dump.damage, cut
        assert dump.provenance.complete is False
        if cut > START["6.dat"]:
            assert b"".join(dump.row_blocks(T)) == ROWS


def test_every_byte_of_headers_and_padding_counts(written: Write) -> None:
    """Only what is inside of members can change unseen: rows that are not compressed, restore.sql, and fields that nothing refers to."""
    inside = [range(START[name] + 512, START[name] + 512 + len(data)) for name, data in MEMBERS.items()]
    script = range(START["restore.sql"] + 512, START["restore.sql"] + 512 + len(b"--\n-- NOTE:\n--\n"))
    for at in range(0, len(TAR), 7):
        if any(at in stretch for stretch in (*inside, script)):
            continue
        broken = TAR[:at] + bytes([TAR[at] ^ 0x11]) + TAR[at + 1 :]
        try:
            assert read_dump(written(broken)).damage, at
        except PgAuditError:
            assert at < START["5.dat"]


def test_a_broken_header_loses_its_member_alone(written: Write) -> None:
    at = START["5.dat"] + 30
    dump = read_dump(written(TAR[:at] + b"x" + TAR[at + 1 :]))
    assert [(d.table, d.member, d.offset) for d in dump.damage] == [("public.t", "5.dat", None), (None, None, START["5.dat"])]
    assert b"".join(dump.row_blocks(U)) == b""
    assert len(large_objects(dump)) == 3
    with pytest.raises(DamagedDump, match=r"public\.t"):
        dump.row_blocks(T)


def test_members_that_are_missing_renamed_twice_there_or_extra_are_damage(written: Write) -> None:
    def without(name: str) -> dict[str, bytes]:
        return {other: data for other, data in MEMBERS.items() if other != name}

    assert damage_of(written(tar(without("5.dat")))) == [("public.t", "5.dat")]
    assert damage_of(written(tar(without("5.dat") | {"8.dat": b"x"}))) == [("public.t", "5.dat"), (None, "8.dat")]
    assert damage_of(written(tar(MEMBERS | {"notes.txt": b"x"}))) == [(None, "notes.txt")]
    assert damage_of(written(tar(MEMBERS, script=False))) == [(None, "restore.sql")]
    assert damage_of(written(tar(without("blobs_7.toc"))))[0] == (None, "blobs_7.toc")
    twice = TAR[: START["6.dat"]] + TAR[START["5.dat"] :]
    assert [d.what for d in read_dump(written(twice)).damage] == ["two members are called 5.dat"]


def test_what_follows_the_end_is_damage_unless_it_is_zeros(written: Write) -> None:
    assert damage_of(written(TAR + bytes(10_240))) == []
    for tail in (b"x", bytes(600) + b"x", tar_header("9.dat", 0)):
        assert [(d.offset or 0) >= len(TAR) for d in read_dump(written(TAR + tail)).damage] == [True]
    assert damage_of(written(TAR[:-512])) == [(None, None)]
    assert damage_of(written(TAR[:-1024])) == [(None, None)]


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"6", b"S"])
def test_links_devices_and_fifos_are_refused(written: Write, kind: bytes) -> None:
    at = START["5.dat"]
    link = tar_header("5.dat", 0, kind=kind, link=b"/etc/passwd")
    broken = TAR[:at] + link + TAR[START["6.dat"] :]
    dump = read_dump(written(broken))
    assert ("public.t", "5.dat") in [(d.table, d.member) for d in dump.damage]
    assert any("not a file" in d.what for d in dump.damage)


def test_names_that_lead_out_are_only_names(written: Write) -> None:
    for name in ("../5.dat", "/5.dat", "a/../5.dat"):
        at = START["5.dat"]
        header = tar_header(name, len(MEMBERS["5.dat"]))
        found = damage_of(written(TAR[:at] + header + TAR[at + 512 :]))
        assert ("public.t", "5.dat") in found
        assert (None, name) in found


def test_sizes_are_not_believed(written: Write) -> None:
    at = START["5.dat"]
    for size in (1 << 20, 1 << 40, 1 << 62, (1 << 88) - 1):
        header = tar_header("5.dat", size, binary=True)
        dump = read_dump(written(TAR[:at] + header + TAR[at + 512 :]))
        assert "public.t" in {d.table for d in dump.damage}
        with pytest.raises(DamagedDump):
            dump.row_blocks(T)
    for kind in (b"L", b"x", b"g"):
        header = tar_header("././@LongLink", 1 << 33, kind=kind)
        assert damage_of(written(TAR[:at] + header + TAR[at:])) != []
    for record in (b"99999999999999999999 path=x\n", b"-5 size=1\n", b"no record", b"11 size=99\n", b"0 a=b\n"):
        header = tar_header("pax", len(record), kind=b"x")
        pax = header + record + bytes(-len(record) % 512)
        damage_of(written(TAR[:at] + pax + TAR[at:]))  # no traceback, no endless loop
