"""Directory archives: real ones, ones that people changed by hand, and what a folder can hold that no pg_dump put there."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard

from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, PgAuditError, RowsNotAvailable
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.manifest import MARK
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import snapshot
from tests.dumps.archives import ENCODING, STRINGS, Entry, damage_of, members, packed, write_directory
from tests.dumps.conftest import NastyDatabase
from tests.dumps.test_archive_versions import ROWS, TABLES, T, U, check_tables, large_objects
from tests.dumps.test_real_dumps import copies_in
from tests.dumps.test_toc import listed, pg_restore_list

Make = Callable[[dict[str, bytes]], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Make:
    """Give a function that writes a folder of files, another one each time."""

    def make(files: dict[str, bytes]) -> Path:
        return write_directory(tmp_path / f"folder {len(list(tmp_path.iterdir()))}", files)

    return make


@pytest.fixture(scope="session")
def dumped(nasty: NastyDatabase) -> Callable[..., Path]:
    """Give a function that dumps the awkward database as a directory, each way once."""
    made: dict[tuple[str, ...], Path] = {}

    def dump(*arguments: str) -> Path:
        if arguments not in made:
            made[arguments] = nasty.folder / f"directory {len(made)}"
            nasty.run("pg_dump", "-Fd", *arguments, "-f", str(made[arguments]), "-d", nasty.url)
        return made[arguments]

    return dump


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-Z", "0"),
        ("-j", "2"),
        ("--inserts",),
        ("-Z", "0", "--rows-per-insert=100", "--column-inserts"),
        ("--load-via-partition-root",),
    ],
)
def test_a_directory_lists_and_reads_like_the_custom_archive_of_the_same_database(
    nasty: NastyDatabase, dumped: Callable[..., Path], arguments: tuple[str, ...]
) -> None:
    path = dumped(*arguments)
    dump = read_dump(path)
    assert [(e.dump_id, listed(e)) for e in dump.listed_entries] == pg_restore_list(nasty, str(path))
    assert (dump.damage, dump.provenance.complete, dump.provenance.format) == ((), True, "directory")
    assert dump.provenance.compression == ("none" if "0" in arguments else "gzip")
    assert dump.provenance.size_bytes == sum(file.stat().st_size for file in path.iterdir())
    custom = read_dump(nasty.dump("custom-gzip"))
    assert dump.inventory.by_key == custom.inventory.by_key
    assert {name: dump.fingerprint(name) for name in dump.table_data} == {name: custom.fingerprint(name) for name in custom.table_data}
    assert sorted(large_objects(dump)) == sorted(large_objects(custom))
    assert {oid for oid, _ in large_objects(dump)} == {70001, 70002, 3000000001}


def test_rows_of_a_directory_are_byte_for_byte_those_that_pg_restore_prints(nasty: NastyDatabase, dumped: Callable[..., Path]) -> None:
    path = dumped()
    script = nasty.run("pg_restore", "-f", "-", str(path))
    dump = read_dump(path)
    for name in (data.name for data in tables_alone(dump.table_data)):
        rows = b"".join(dump.row_blocks(name))
        assert rows == b"" or b"\n" + rows + b"\\.\n" in script, name


def test_a_real_directory_archive_lists_and_reads_like_pg_restore(corpus: Path, nasty: NastyDatabase) -> None:
    path = corpus / "archives" / "babelfish-pg15-directory"
    dump = read_dump(path)
    assert [(e.dump_id, listed(e)) for e in dump.listed_entries] == pg_restore_list(nasty, str(path))
    copies = copies_in(nasty.run("pg_restore", "-f", "-", str(path)))
    statements = {TableName(e.schema or "", e.tag): (e.copy_statement or "").strip().encode() for e in dump.toc_entries if e.has_data}
    assert {statements[name]: b"".join(dump.row_blocks(name)) for name in dump.table_data if statements[name]} == {
        statement: b"".join(row + b"\n" for row in rows) for statement, rows in copies.items()
    }
    assert dump.damage == ()
    inserted = [dump.table_data[name].rows for name, statement in statements.items() if not statement]
    assert inserted == [3], "this fork writes one table as INSERT statements"


# ---- changed by hand


@pytest.mark.parametrize("how", ["gzip", "lz4", "zstd", "none"])
def test_files_that_were_compressed_or_unpacked_by_hand_read(folder: Make, how: str) -> None:
    for header in ("none", "gzip"):
        files = members(TABLES, minor=15, compression=header)
        bare = {name.removesuffix(".gz"): gzip.decompress(data) if name.endswith(".gz") else data for name, data in files.items()}
        suffix = {"gzip": ".gz", "lz4": ".lz4", "zstd": ".zst", "none": ""}[how]
        dump = read_dump(folder({name + suffix: packed(data, how, in_file=True) for name, data in bare.items()}))
        check_tables(dump)
        assert (dump.provenance.compression, dump.provenance.format) == (how, "directory")


def test_the_first_bytes_tell_the_compression_whatever_the_suffix_says(folder: Make) -> None:
    files = members(TABLES, compression="gzip")
    content = gzip.decompress(files["5.dat.gz"])
    for data in (zstandard.compress(content), lz4.frame.compress(content), files["5.dat.gz"]):
        check_tables(read_dump(folder(files | {"5.dat.gz": data})))
    plain = members(TABLES)
    check_tables(read_dump(folder(plain | {"5.dat": files["5.dat.gz"]})))
    assert damage_of(folder(files | {"5.dat.gz": content})) == [("public.t", "5.dat.gz")], "pg_restore does not read it either"


def test_what_looks_like_a_compressed_stream_and_is_none_stays_as_it_is(folder: Make) -> None:
    rows = b'\x04"M\x18 looks like lz4\n\x1f\x7f\n'
    table = Entry(5, "TABLE DATA", "t", copy="COPY public.t (a) FROM stdin;\n", data=rows + b"\\.\n\n\n")
    blob = Entry(
        7, "BLOBS", "BLOBS", None, None, objects=[(1, gzip.compress(b"a file that somebody stored")), (2, b"\x28\xb5\x2f\xfd"), (3, b"")]
    )
    dump = read_dump(folder(members([ENCODING, STRINGS, table, blob])))
    assert dump.damage == ()
    assert b"".join(dump.row_blocks(T)) == rows
    assert large_objects(dump) == list(blob.objects or ())


# ---- damage


def test_a_missing_file_is_damage_of_its_table_alone(folder: Make) -> None:
    files = members(TABLES, compression="gzip")
    for name, table in (("5.dat.gz", "public.t"), ("6.dat.gz", "public.u")):
        path = folder({other: data for other, data in files.items() if other != name})
        assert damage_of(path) == [(table, name.removesuffix(".gz"))]
        dump = read_dump(path)
        with pytest.raises(DamagedDump, match=f"{name.removesuffix('.gz')} is missing"):
            dump.row_blocks(T if table == "public.t" else U)
        assert b"".join(dump.row_blocks(U if table == "public.t" else T)) in (ROWS, b"")
    for name in ("blobs_7.toc", "blob_16999.dat.gz"):
        path = folder({other: data for other, data in files.items() if other != name})
        assert damage_of(path)[0] == (None, name.removesuffix(".gz"))
        assert b"".join(read_dump(path).row_blocks(T)) == ROWS
    without_toc = folder({other: data for other, data in files.items() if other != "toc.dat"})
    with pytest.raises(DamagedDump, match=r"without its toc\.dat"):
        read_dump(without_toc)
    assert verify(without_toc).verdict == "failed"


def test_a_renamed_file_and_one_that_belongs_to_nothing_are_damage(folder: Make) -> None:
    files = members(TABLES, compression="gzip")
    renamed = {("8.dat.gz" if name == "5.dat.gz" else name): data for name, data in files.items()}
    assert sorted(damage_of(folder(renamed)), key=str) == [("public.t", "5.dat"), (None, "8.dat.gz")]
    for name in ("99.dat", "99.dat.gz", "blob_5.dat", "blobs_9.toc", "blobs.toc", "toc.dat.gz"):
        assert damage_of(folder(files | {name: b"x"})) == [(None, name)]
    twice = read_dump(folder(files | {"5.dat": b"\\.\n\n\n"}))
    assert [(d.table, "twice" in d.what) for d in twice.damage] == [("public.t", True)]


def test_files_that_pg_dump_never_makes_are_no_damage(folder: Make) -> None:
    path = folder(members(TABLES) | {".DS_Store": b"x", "README.txt": b"nightly", "SHA256SUMS": b""})
    (path / "folder").mkdir()
    assert damage_of(path) == []


def test_the_list_of_large_objects_names_each_and_no_other(folder: Make) -> None:
    files = members(TABLES)
    good = files["blobs_7.toc"]
    assert damage_of(folder(files | {"blobs_7.toc": b"\n".join(sorted(good.splitlines())) + b"\n"})) == [], "in any order"
    for bad in (
        good + b"5 blob_5.dat\n",
        good + b"5 blob_16999.dat\n",
        good + b"5 ../../etc/passwd\n",
        good + b"\n",
        good[:-1],
        good[:-5],
        good.replace(b"\n", b"\r\n"),
        b"x" * 100_000_000,
        good[:5] + b"\0" + good[6:],
        b"",
    ):
        path = folder(files | {"blobs_7.toc": bad})
        found = damage_of(path)
        assert found, bad[:40]
        assert {table for table, _ in found} == {None}
        assert b"".join(read_dump(path).row_blocks(T)) == ROWS
        shutil.rmtree(path)
    twice = read_dump(folder(files | {"blobs_7.toc": good + good})).damage
    assert any("twice the content of" in d.what for d in twice)


def test_nothing_follows_the_last_entry(folder: Make) -> None:
    files = members(TABLES)
    dump = read_dump(folder(files | {"toc.dat": files["toc.dat"] + b"\0"}))
    assert [(d.offset, d.table) for d in dump.damage] == [(len(files["toc.dat"]), None)]
    assert b"".join(dump.row_blocks(T)) == ROWS


def test_a_table_of_contents_that_is_cut_or_broken_says_so(folder: Make) -> None:
    files = members(TABLES)
    toc = files["toc.dat"]
    for cut in range(6, len(toc)):
        with pytest.raises(PgAuditError) as caught:
            read_dump(folder(files | {"toc.dat": toc[:cut]}))
        assert "toc.dat" in str(caught.value)
    with pytest.raises(DamagedDump, match="format code"):
        read_dump(folder(files | {"toc.dat": toc[:10] + b"\1" + toc[11:]}))


def test_links_that_lead_out_and_things_that_are_no_files_are_not_read(folder: Make, tmp_path: Path) -> None:
    files = members(TABLES)
    outside = tmp_path / "outside.dat"
    outside.write_bytes(files["5.dat"])
    for make in (lambda place: place.symlink_to(outside), os.mkfifo, lambda place: place.symlink_to("/dev/zero"), Path.mkdir):
        path = folder(files)
        (path / "5.dat").unlink()
        make(path / "5.dat")
        assert damage_of(path) == [("public.t", "5.dat")]
        is_link = (path / "5.dat").is_symlink()
        assert ("5.dat is a link that leads out" if is_link else "5.dat is missing") in read_dump(path).damage[0].what
        with pytest.raises((DamagedDump, RowsNotAvailable)):
            b"".join(read_dump(path).row_blocks(T))
    inside = folder(files)
    (inside / "5.dat").rename(inside / "stored")
    (inside / "5.dat").symlink_to("stored")
    assert damage_of(inside) == []


def test_a_name_in_the_table_of_contents_cannot_lead_out(folder: Make, tmp_path: Path) -> None:
    files = members(TABLES)
    (tmp_path / "x.da").write_bytes(files["5.dat"])
    path = folder(files | {"toc.dat": files["toc.dat"].replace(b"5.dat", b"../x.", 1)})
    assert ("public.t", "../x.") in damage_of(path)
    for name in (b"/etc/", b"..\\..", b".\0.da"):
        path = folder(files | {"toc.dat": files["toc.dat"].replace(b"5.dat", name.ljust(5, b"x")[:5], 1)})
        assert ("public.t", name.ljust(5, b"x")[:5].decode()) in damage_of(path)


# ---- with a manifest


def test_the_digest_of_a_directory_finds_every_change(folder: Make) -> None:
    files = members(TABLES, compression="gzip")
    path = folder(files)
    digest = file_digest(path)
    assert (digest.name, digest.size_bytes) == (path.name, sum(map(len, files.values())))
    digests = {digest.sha256}
    for name, data in files.items():
        for at in range(len(data)):
            (path / name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            digests.add(file_digest(path).sha256)
        (path / name).rename(path / f"{name}x")
        digests.add(file_digest(path).sha256)
        (path / f"{name}x").unlink()
        digests.add(file_digest(path).sha256)
        (path / name).write_bytes(data)
    assert file_digest(path) == digest
    (path / "empty").touch()
    digests.add(file_digest(path).sha256)
    (path / "empty").unlink()
    (path / "empty").mkdir()
    digests.add(file_digest(path).sha256)
    (path / "empty" / "x").symlink_to("y")
    digests.add(file_digest(path).sha256)
    os.mkfifo(path / "empty" / "y")
    digests.add(file_digest(path).sha256)
    assert len(digests) == 1 + sum(map(len, files.values())) + 2 * len(files) + 4


def test_a_directory_is_verified_against_the_manifest_beside_it(folder: Make, nasty: NastyDatabase, dumped: Callable[..., Path]) -> None:
    path = dumped().with_name("app.dir")
    shutil.copytree(dumped(), path)
    with snapshot(nasty.url) as live:
        manifest = replace(take_manifest(live), dump_file=file_digest(path))
    path.with_name("app.manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    assert MARK in manifest.to_json()
    result = verify(path)
    assert {check.id: check.outcome.value for check in result.check_list}["dump.digest"] == "passed"
    biggest = max(path.iterdir(), key=lambda file: file.stat().st_size)
    biggest.write_bytes(biggest.read_bytes()[:-20])
    outcomes = {check.id: check.outcome.value for check in verify(path).check_list}
    assert (outcomes["dump.digest"], outcomes["dump.complete"]) == ("failed", "failed")


def test_an_empty_table_and_one_without_columns_read(dumped: Callable[..., Path]) -> None:
    dump = read_dump(dumped("-Z", "0"))
    assert b"".join(dump.row_blocks(TableName("app", "empty"))) == b""
    assert b"".join(dump.row_blocks(TableName("app", "no_columns"))) == b"\n\n\n"
    assert dump.table_data[TableName("app", "no_columns")].rows == 3
