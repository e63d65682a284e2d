"""An incremental backup is a dump like any: what it holds is what an ordinary dump of the same database holds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.incremental.incremental import IncrementalReader
from pgaudit_kit.dumps.incremental.index_file import read_index_file, write_index_file
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, DumpNotFound, NotADump, RowsNotAvailable, UnsupportedDump
from pgaudit_kit.operations.backups import stream_chunks
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.chunks import ChunkedTable, IncrementalIndex
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.table_data import TableName
from tests.dumps.incremental.making import StoreOfBackups

MANY, SMALL = TableName("public", "many"), TableName("public", "small")
SCHEMA = """
    CREATE TABLE many (id integer PRIMARY KEY, t text);
    INSERT INTO many SELECT n, md5(n::text) || repeat('x', n % 40) FROM generate_series(1, 30000) AS n;
    CREATE TABLE small (a integer, b text);
    INSERT INTO small VALUES (1, E'tab\\tback\\\\slash\\nline'), (2, NULL), (2, NULL);
    CREATE TABLE empty (a integer);
    CREATE TABLE without_columns ();
    INSERT INTO without_columns SELECT FROM generate_series(1, 3);
    CREATE VIEW looks AS SELECT * FROM small;
    SELECT lo_from_bytea(77, convert_to(repeat('content ', 100000), 'UTF8')), lo_from_bytea(78, ''), lo_from_bytea(4100000000, 'big OID');
"""


class Backed:
    """A database with an ordinary dump of it, and an incremental backup in a store."""

    def __init__(self, url: str, server: EmbeddedServer, folder: Path) -> None:
        self.url = url
        self.bin = server.bin_folder
        self.store = StoreOfBackups(folder, server.bin_folder / "pg_dump")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA)
        self.plain = folder / "plain.dump"
        subprocess.run([self.bin / "pg_dump", "-Fc", "-f", str(self.plain), "-d", url], check=True)
        self.backup = self.store.backup(url, "first")


@pytest.fixture
def backed(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> Backed:
    return Backed(make_database(), server, tmp_path)


def chunks_read(dump: Dump) -> int:
    reader = dump.archive
    assert isinstance(reader, IncrementalReader)
    return reader.chunks.chunks_read


def test_it_holds_what_an_ordinary_dump_holds(backed: Backed) -> None:
    backup, plain = read_dump(backed.backup), read_dump(backed.plain)
    assert list(backup.toc["tag"]) == list(plain.toc["tag"])
    assert backup.inventory == plain.inventory
    assert backup.provenance.format == "incremental"
    assert backup.provenance.complete is None, "nobody has looked"
    for name, data in plain.table_data.items():
        found = backup.table_data[name]
        assert (found.columns, found.rows, found.size_bytes, found.not_readable) == (data.columns, data.rows, data.size_bytes, "")
        assert backup.fingerprint(name) == plain.fingerprint(name)
    assert set(backup.table_data) == set(plain.table_data)
    for name in plain.table_data:
        assert b"".join(backup.row_blocks(name)) == b"".join(plain.row_blocks(name))
    assert [(oid, b"".join(pieces)) for oid, pieces in backup.large_objects()] == [
        (oid, b"".join(pieces)) for oid, pieces in plain.large_objects()
    ]
    assert backup.damage == ()
    assert bool(backup.provenance.complete) is True, "it was read"
    assert backup.fingerprints() == plain.fingerprints(), "what was read says the same as what is listed"
    assert backup.read_table("many", where="id < 10").equals(plain.read_table("many", where="id < 10"))
    assert backup.query("select count(*) as n from many join small on a = id")["n"][0] == 3


def test_counts_and_fingerprints_are_known_without_reading_rows(backed: Backed) -> None:
    backup = read_dump(backed.backup)
    assert backup.table_data[MANY].rows == 30000
    assert backup.fingerprint(MANY).rows == 30000
    assert chunks_read(backup) == 1, "the list of large objects"


def test_a_url_is_as_good_as_a_path(backed: Backed) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(backed.store.folder), "/a-store", recursive=True)
    try:
        backup = read_dump("memory://a-store/first.inc")
        assert backup.fingerprints() == read_dump(backed.plain).fingerprints()
        assert backup.damage == ()
    finally:
        memory.rm("/a-store", recursive=True)


def test_a_lost_pack_is_damage_of_those_tables_alone_that_had_rows_in_it(backed: Backed) -> None:
    with psycopg.connect(backed.url, autocommit=True) as connection:
        connection.execute("INSERT INTO many SELECT n, 'more' FROM generate_series(30001, 31000) AS n")
    second = backed.store.backup(backed.url, "second")
    newest = max(backed.store.packs(), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    backup = read_dump(second)
    assert {d.table for d in backup.damage} == {"public.many"}
    assert "is in no pack" in backup.damage[0].what
    assert newest.stem in backup.damage[0].what
    assert backup.table_data[MANY].not_readable.startswith("damaged: ")
    assert backup.provenance.complete is False
    with pytest.raises(DamagedDump) as caught:
        b"".join(backup.row_blocks(MANY))
    assert "verify --all" in str(caught.value)
    assert b"".join(backup.row_blocks(SMALL)) == b"".join(read_dump(backed.plain).row_blocks(SMALL))
    with pytest.raises(DamagedDump):
        b"".join(read_dump(second).row_blocks(MANY))
    assert read_dump(backed.backup).damage == (), "the other backup does not use that pack"


def test_a_flipped_byte_is_damage_of_one_table(backed: Backed) -> None:
    backup = read_dump(backed.backup)
    reader = backup.archive
    assert isinstance(reader, IncrementalReader)
    pack, packed = reader.chunks.places.of(reader.chunks_of(MANY)[3].digest)[0]
    path = backed.store.folder / "packs" / f"{pack}.pack"
    content = bytearray(path.read_bytes())
    content[packed.offset + packed.stored_bytes // 2] ^= 0x10
    path.write_bytes(content)
    damaged = read_dump(backed.backup)
    assert [(d.table, packed.digest.hex() in d.what and pack in d.what) for d in damaged.damage] == [("public.many", True)]
    assert damaged.table_data[SMALL].not_readable == ""
    with pytest.raises(DamagedDump):
        damaged.fingerprint(MANY)
    blocks = read_dump(backed.backup).row_blocks(MANY)
    assert next(blocks).count(b"\n") > 0, "rows before it come out"
    with pytest.raises(DamagedDump):
        b"".join(blocks)


def test_a_file_away_from_its_packs_says_what_to_do(backed: Backed, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "copy.inc").write_bytes(backed.backup.read_bytes())
    backup = read_dump(away / "copy.inc")
    assert len(backup.toc) == len(read_dump(backed.plain).toc), "what the file itself says can be read"
    with pytest.raises(DamagedDump, match="packs") as caught:
        b"".join(backup.row_blocks(MANY))
    assert "pgaudit export" in str(caught.value)
    assert "copy the folder packs" in str(caught.value)
    assert {d.table for d in backup.damage} >= {"public.many", "public.small"}
    with pytest.raises(UnsupportedDump, match="nothing can lie beside it"), backed.backup.open("rb") as stream:
        read_dump(stream)


def test_a_file_that_is_not_whole_is_refused(backed: Backed, tmp_path: Path) -> None:
    stored = backed.backup.read_bytes()
    for content in (stored[:-1], stored[: len(stored) // 2], stored[:100], stored + b"x", stored[:200] + b"\0" + stored[201:]):
        backed.backup.write_bytes(content)
        with pytest.raises(DamagedDump, match=r"cut short or was changed|first\.inc"):
            read_dump(backed.backup)
    backed.backup.write_bytes(stored[:5])
    with pytest.raises(NotADump):
        read_dump(backed.backup)
    backed.backup.write_bytes(stored.replace(b"PGAUDIT-INC 1", b"PGAUDIT-INC 7"))
    with pytest.raises(UnsupportedDump, match="newer release"):
        read_dump(backed.backup)


def test_a_pack_that_was_written_anew_under_another_name_is_found(backed: Backed) -> None:
    from pgaudit_kit.operations.store.packs import PackStore, PackWriter
    from pgaudit_kit.operations.store.store_folder import LocalFolder

    packs = PackStore(LocalFolder(backed.store.folder / "packs"))
    for pack in packs.ids():
        writer = PackWriter(packs)
        for chunk in packs.index(pack).chunks:
            writer.add(chunk.kind, chunk.digest, packs.read(pack, chunk), size_bytes=chunk.size_bytes, fingerprint=chunk.fingerprint)
        writer.flush()
        packs.remove(pack)
    backup = read_dump(backed.backup)
    assert backup.damage == ()
    assert b"".join(backup.row_blocks(MANY)) == b"".join(read_dump(backed.plain).row_blocks(MANY))


def test_another_copy_of_a_broken_chunk_is_taken(backed: Backed) -> None:
    reader = read_dump(backed.backup).archive
    assert isinstance(reader, IncrementalReader)
    (backed.store.folder / "packs").rename(backed.store.folder / "kept")
    again = backed.store.backup(backed.url, "again")
    for path in (backed.store.folder / "kept").iterdir():
        path.rename(backed.store.folder / "packs" / path.name)
    broken, _ = reader.chunks.places.of(reader.chunks_of(MANY)[0].digest)[0]
    path = backed.store.folder / "packs" / f"{broken}.pack"
    path.write_bytes(bytes(path.stat().st_size))
    for backup in (again, backed.backup):
        assert read_dump(backup).damage == ()


def test_rows_of_a_table_that_is_not_there_are_not_available(backed: Backed) -> None:
    with pytest.raises(RowsNotAvailable):
        read_dump(backed.backup).row_blocks(TableName("public", "nothing"))
    assert read_dump(backed.backup).table_data[LARGE_OBJECT_ROWS].rows == 3


def test_verify_reads_it_all(backed: Backed) -> None:
    result = pk.verify(backed.backup)
    assert result.verdict in ("passed", "warned")
    for path in backed.store.packs():
        path.write_bytes(bytes(path.stat().st_size))
    assert pk.verify(backed.backup).verdict == "failed"


@pytest.mark.parametrize("harm", ["a bit", "cut short", "empty", "another's"])
def test_packs_whose_index_is_broken_are_read_by_themselves(backed: Backed, harm: str) -> None:
    """Rows, lists, and large objects: what a restore needs is in the packs."""
    packs = backed.store.packs()
    others = backed.store.folder / "others"
    others.mkdir()
    StoreOfBackups(others, backed.store.pg_dump).backup(backed.url, "other")
    other = next((others / "packs").glob("*.index")).read_bytes()
    for pack in packs:
        path = pack.with_suffix(".index")
        content = path.read_bytes()
        broken = content[:20] + bytes([content[20] ^ 1]) + content[21:]
        path.write_bytes({"a bit": broken, "cut short": content[:-5], "empty": b"", "another's": other}[harm])
    backup, plain = read_dump(backed.backup), read_dump(backed.plain)
    assert backup.damage == ()
    assert pk.verify(backed.backup).verdict in ("passed", "warned")
    for name in plain.table_data:
        assert b"".join(backup.row_blocks(name)) == b"".join(plain.row_blocks(name))
    large = max(packs, key=lambda pack: pack.stat().st_size)
    large.write_bytes(large.read_bytes()[: large.stat().st_size // 2])
    assert read_dump(backed.backup).damage, "half of it is lost, and its index is"


@pytest.mark.parametrize("broken", [".pack", ".index", "the listing"])
def test_packs_that_cannot_be_reached_say_nothing_about_the_backup(backed: Backed, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(backed.store.folder), "/a-store", recursive=True)
    kind = type(memory)
    reading, listing = kind.cat_file, kind.ls

    def read(system: Any, path: str, **options: Any) -> bytes:
        if path.endswith(broken):
            raise ConnectionError("the key s3cr3t was refused")
        found: bytes = reading(system, path, **options)
        return found

    def listed(system: Any, path: str, **options: Any) -> Any:
        if broken == "the listing" and path.endswith("packs"):
            raise ConnectionError("the key s3cr3t was refused")
        return listing(system, path, **options)

    try:
        backup = read_dump("memory://a-store/first.inc")
        with monkeypatch.context() as patch:
            patch.setattr(kind, "cat_file", read)
            patch.setattr(kind, "ls", listed)
            for ask in (
                lambda: backup.damage,
                lambda: backup.query("select * from many"),
                lambda: pk.verify("memory://a-store/first.inc"),
                lambda: pk.export(backup, backed.store.folder / "no.dump"),
            ):
                with pytest.raises(DumpNotFound, match="ConnectionError") as caught:
                    ask()
                assert "s3cr3t" not in str(caught.value)
        assert not (backed.store.folder / "no.dump").exists()
        assert backup.damage == (), "it is whole, as is seen when the store can be reached again"
    finally:
        memory.rm("/a-store", recursive=True)


def test_a_pack_that_may_not_be_opened_says_nothing_about_the_backup(backed: Backed) -> None:
    for path in backed.store.packs():
        path.unlink()
        path.mkdir()  # for the test may be run by root, who may open all
    with pytest.raises(DumpNotFound, match="cannot be reached"):
        b"".join(read_dump(backed.backup).row_blocks(MANY))


def test_packs_that_were_written_anew_while_a_backup_is_open_are_found(backed: Backed) -> None:
    from pgaudit_kit.operations.store.packs import PackStore, PackWriter
    from pgaudit_kit.operations.store.store_folder import LocalFolder

    backup = read_dump(backed.backup)
    assert b"".join(backup.row_blocks(SMALL))
    packs = PackStore(LocalFolder(backed.store.folder / "packs"))
    for _ in range(2):  # also a second time
        for pack in packs.ids():
            writer = PackWriter(packs)
            for chunk in reversed(packs.index(pack).chunks):
                writer.add(chunk.kind, chunk.digest, packs.read(pack, chunk), size_bytes=chunk.size_bytes, fingerprint=chunk.fingerprint)
            writer.flush()
            packs.remove(pack)
        assert b"".join(backup.row_blocks(MANY)) == b"".join(read_dump(backed.plain).row_blocks(MANY))
    assert backup.damage == ()


def test_what_to_do_is_what_helps_with_an_incremental_backup(backed: Backed, tmp_path: Path) -> None:
    for path in backed.store.packs():
        path.write_bytes(bytes(path.stat().st_size))
    complete = next(c for c in pk.verify(backed.backup).check_list if c.id == "dump.complete")
    assert "the next backup writes it again" in complete.remedy, "the backup before it may need the very same chunk"
    away = tmp_path / "away"
    away.mkdir()
    (away / "copy.inc").write_bytes(backed.backup.read_bytes())
    complete = next(c for c in pk.verify(away / "copy.inc").check_list if c.id == "dump.complete")
    assert "Open it where it lies" in complete.remedy


def _rewritten(backup: Path, change: Callable[[IncrementalIndex], IncrementalIndex]) -> Path:
    """*backup* again, with another index, as a writer with a mistake in it would write it."""
    index, schema = read_index_file(backup.read_bytes(), resource="made")
    odd = backup.with_name("odd.inc")
    odd.write_bytes(write_index_file(change(index), schema))
    return odd


def test_a_table_that_no_list_tells_of_is_damage_of_it_alone(backed: Backed) -> None:
    odd = _rewritten(backed.backup, lambda index: replace(index, tables=tuple(t for t in index.tables if t.name != SMALL)))
    dump = read_dump(odd)
    assert [(d.table, d.what) for d in dump.damage] == [("public.small", "no list says what it consists of")]
    assert dump.table_data[MANY].not_readable == ""
    assert pk.verify(odd).verdict == "failed"


def test_a_list_that_does_not_add_up_to_what_its_backup_says_is_damage(backed: Backed) -> None:
    def wrong_by_one(table: ChunkedTable) -> ChunkedTable:
        first, *rest = table.nodes
        wrong = replace(first, fingerprint=first.fingerprint + Fingerprint(0, 1))
        return replace(table, nodes=(wrong, *rest))

    odd = _rewritten(
        backed.backup, lambda index: replace(index, tables=tuple(wrong_by_one(t) if t.name == MANY else t for t in index.tables))
    )
    dump = read_dump(odd)
    assert [(d.table, "do not add up" in d.what) for d in dump.damage] == [("public.many", True)]
    assert pk.verify(odd).verdict == "failed"
    rows: list[bytes] = []
    with pytest.raises(DamagedDump):
        rows.extend(read_dump(odd).row_blocks(MANY))
    assert sum(block.count(b"\n") for block in rows) > 20_000, "rows that were listed before it come out, but for the last block"


def test_bytes_that_are_not_of_the_encoding_are_damage(backed: Backed, monkeypatch: pytest.MonkeyPatch) -> None:
    """No restore takes them; a server that was fed in SQL_ASCII, or whose pages have rotted, gives them nevertheless.

    Nor does a backup: here is one that has not looked.
    """
    monkeypatch.setattr(stream_chunks, "to_utf8", lambda text, _: text)
    with psycopg.connect(backed.url, autocommit=True) as connection:
        connection.execute("CREATE CAST (bytea AS text) WITHOUT FUNCTION")
        connection.execute("INSERT INTO many SELECT 30001, '\\xff'::bytea::text")
        connection.execute("DROP CAST (bytea AS text)")
    dump = read_dump(backed.store.backup(backed.url, "rotten"))
    assert dump.damage == (), "its chunks are those that were written"
    with pytest.raises(DamagedDump, match="not UTF8"):
        dump.fingerprint(MANY)
    dump.fingerprint(SMALL)
    result = pk.verify(backed.store.folder / "rotten.inc")
    assert [c.id for c in result.check_list if c.outcome == "failed"] == ["dump.rows_readable"]
