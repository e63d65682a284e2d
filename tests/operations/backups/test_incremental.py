"""Incremental backups of real databases: what they keep, what they read, and that each is whole."""

from __future__ import annotations

import io
import json
import random
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from pgaudit_kit.audits.verify import verify
from pgaudit_kit.cli.app import app
from pgaudit_kit.dumps.incremental.put_back import read_toc
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import BackupFailed, UsageError
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.backups.incremental_base import Base, exclude_options, unchanged
from pgaudit_kit.operations.backups.part import Part
from pgaudit_kit.operations.programs.client_programs import find_program
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.store.list_backups import list_store
from pgaudit_kit.operations.store.metrics import metrics_text
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.running_backups import running_backups
from pgaudit_kit.operations.store.used_chunks import read_incremental
from pgaudit_kit.operations.store.verify_all import verify_all
from pgaudit_kit.records.chunks import Chunk, ChunkedTable
from pgaudit_kit.records.config import Config
from pgaudit_kit.records.fingerprint import Fingerprint, ServerHash
from pgaudit_kit.records.manifest import load_manifest
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.operations.backups.test_backup import is_writing_inc, started_backup, wait_for

MakeApp = Callable[..., str]
SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
ROWS = 20_000
NUMBERS = f"""
CREATE TABLE numbers (id int PRIMARY KEY, said text NOT NULL, amount numeric);
INSERT INTO numbers SELECT n, md5(n::text) || repeat(md5((-n)::text), 2), n / 7.0 FROM generate_series(1, {ROWS}) n;
CREATE TABLE other (id int PRIMARY KEY, numbers_id int REFERENCES numbers);
INSERT INTO other SELECT n, n FROM generate_series(1, 100) n;
"""
NUMBERS_TABLE = TableName("public", "numbers")


def run(url: str, *scripts: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for script in scripts:
            connection.execute(script.encode())


def incremental(url: str, store: Path | str, **options: Any) -> Backup:
    """A verified incremental backup, which can be read as any dump."""
    made = backup(url, store=store, incremental=True, **options)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    return made


@dataclass(frozen=True)
class Told:
    reused: list[str]
    new_chunks: int
    new_bytes: int


def told(made: Backup) -> Told:
    found: Any = made.to_dict()["incremental"]
    return Told(found["tables_reused"], found["new_chunks"], found["new_bytes"])


def same_as_live(made: Backup, url: str) -> None:
    """Every table has the very rows that the database has now, by rows that are read out of the backup."""
    with snapshot(url) as live:
        dump = read_dump(made.location)
        for name, data in live.table_data.items():
            assert dump.fingerprint(name) == live.fingerprint(name), name
            assert tuple(dump.table_data[name].columns) == data.columns
    # whether a table is missed that was dropped depends on the second: what was taken in the same one is not before it
    assert [c for c in verify(made.location).check_list if c.outcome is not Outcome.PASSED and c.id != "tables.last_backup"] == []


def test_a_backup_is_verified_listed_and_read_like_any_dump(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_first")
    made = incremental(url, store)
    [kept] = open_store(store).backups()
    assert (kept.format, kept.rows, kept.is_proven) == ("incremental", 2500, True)
    assert re.fullmatch(r"inc_first-\d{8}T\d{6}Z\.inc", made.path.name)
    assert told(made).reused == []
    assert running_backups(open_store(store).packs.folder) == {}
    same_as_live(made, url)


def test_of_a_database_that_has_not_changed_no_table_is_copied(make_app: MakeApp, store: Path, server: EmbeddedServer) -> None:
    url = make_app("inc_still", NUMBERS)
    first = incremental(url, store)
    run(url, "ALTER DATABASE inc_still SET log_statement = 'all'")
    log = server._folder / "server.log"
    start = log.stat().st_size
    again = incremental(url, store)
    statements = log.read_bytes()[start:].decode()
    assert "hashint4extended" in statements
    assert not re.search(r"(?i)\bCOPY\b.*\bTO STDOUT", statements)
    start = log.stat().st_size
    full = incremental(url, store, full_read=True)
    assert len(re.findall(r"(?i)\bCOPY\b.*\bnumbers\b.*TO STDOUT", log.read_bytes()[start:].decode())) == 2  # by pg_dump, and by ourselves
    assert told(again) == Told(["public.numbers", "public.other"], 0, 0)
    assert (told(full).reused, told(full).new_bytes) == ([], 0)
    for made in (first, again, full):
        same_as_live(made, url)


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (f"INSERT INTO numbers SELECT n, md5(n::text), n FROM generate_series({ROWS + 1}, {ROWS + 200}) n", 4),
        ("UPDATE numbers SET amount = -1 WHERE id = 7000", 7),
        ("DELETE FROM numbers WHERE id = 9000", 5),
        ("DELETE FROM numbers WHERE id = 150; VACUUM numbers; INSERT INTO numbers VALUES (150, 'in the place of the old one', 1)", 5),
        ("UPDATE numbers SET amount = amount + 1", 10_000),
    ],
)
def test_only_chunks_beside_a_change_are_new(change: str, most: int, make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_change", NUMBERS)
    first = incremental(url, store)
    chunks = told(first).new_chunks
    assert chunks > 40
    run(url, *change.split("; "))
    made = incremental(url, store)
    assert told(made).reused == ["public.other"]
    assert 1 <= told(made).new_chunks <= min(most, chunks + 2)
    same_as_live(made, url)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("numeric", "1.0", "1.00"),
        ("float8", "'0.0'", "'-0.0'"),
        ("float4", "'0.0'", "'-0.0'"),
        ("jsonb", "'1'", "'1.0'"),
        ("json", "'{}'", "'{ }'"),
        ("char(5)", "'a'", "'a '::text || 'b'"),
        ("bpchar", "'a'", "'a  '"),
        ("timestamptz", "'2026-01-01 12:00Z'", "'2026-01-01 12:00:00.000001Z'"),
        ("interval", "'1 day'", "'24 hours'"),
        ("numeric[]", "'{1.0}'", "'{1.00}'"),
        ("either", "'(1.0)'", "'(1.00)'"),
        ("money", "1", "2"),
        ("point", "'(0,0)'", "'(-0,0)'"),
        ("box", "'(2,2),(1,1)'", "'(3,2),(2,1)'"),
        ("tsvector", "'a:1'", "'a:2'"),
        ("int4range", "'[1,2]'", "'[1,3]'"),
        ("inet", "'10.0.0.1/8'", "'10.0.0.1/9'"),
        ("bit varying", "B'1'", "B'10'"),
        ("text", "NULL", "''"),
        ("text", "'NULL'", "NULL"),
        ("int", "NULL", "0"),
    ],
)
def test_a_value_that_is_equal_and_printed_otherwise_is_a_change(
    kind: str, before: str, after: str, make_app: MakeApp, store: Path
) -> None:
    either = "CREATE TYPE either AS (a numeric);"
    url = make_app("inc_equal", f"{either} CREATE TABLE t (a {kind}, b int); INSERT INTO t VALUES ({before}, 1)")
    incremental(url, store)
    assert told(incremental(url, store)).reused == ["public.t"]
    run(url, f"UPDATE t SET a = {after}")
    made = incremental(url, store)
    assert told(made).reused == []
    same_as_live(made, url)


def test_words_that_a_collation_takes_for_equal_are_a_change(store: Path) -> None:
    if not (SYSTEM_15 / "postgres").exists():
        missing(f"PostgreSQL 15 in {SYSTEM_15}: the others are built without ICU")
    with EmbeddedServer(bin_folder=SYSTEM_15) as server:
        url = server.url("postgres")
        run(url, "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        run(url, "CREATE TABLE t (a text COLLATE blind UNIQUE)", "INSERT INTO t VALUES ('word')")
        incremental(url, store)
        assert told(incremental(url, store)).reused == ["public.t"]
        run(url, "UPDATE t SET a = 'WORD' WHERE a = 'Word'")
        made = incremental(url, store)
        assert told(made).reused == []
        same_as_live(made, url)


def test_values_that_change_places_between_rows_are_a_change(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_places", "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 10), (2, 20)")
    incremental(url, store)
    run(url, "UPDATE t SET b = 30 - b")
    made = incremental(url, store)
    assert told(made).reused == []
    same_as_live(made, url)


KINDS = """
CREATE TABLE empty_one (id int, said text);
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 5);
CREATE TABLE computed (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, said text);
INSERT INTO computed (id, said) SELECT n, 'row ' || n FROM generate_series(1, 300) n;
CREATE TABLE parts (id int, part int) PARTITION BY LIST (part);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO parts SELECT n, 1 + n % 2 FROM generate_series(1, 200) n;
CREATE TABLE above (a int);
CREATE TABLE below (b int) INHERITS (above);
INSERT INTO above VALUES (1);
INSERT INTO below VALUES (2, 3);
CREATE SCHEMA "Odd ""schema";
CREATE TABLE "Odd ""schema"."a.b*(c)|$d" ("x y" text);
INSERT INTO "Odd ""schema"."a.b*(c)|$d" VALUES (E'tab\\t newline\\n backslash\\\\');
CREATE TABLE "ünïcode" (a int);
INSERT INTO "ünïcode" VALUES (1);
CREATE TABLE guarded (a int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
INSERT INTO guarded VALUES (1);
CREATE UNLOGGED TABLE unlogged (a int);
INSERT INTO unlogged VALUES (1);
CREATE MATERIALIZED VIEW summed AS SELECT count(*) FROM computed;
CREATE SEQUENCE counted;
SELECT nextval('counted');
"""


def test_tables_of_every_sort_are_taken_over_and_can_be_read(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_sorts", KINDS)
    first = incremental(url, store)
    again = incremental(url, store)
    # what has no columns is nothing that a server could hash
    assert sorted({str(name) for name in first.manifest.table_data} - set(told(again).reused)) == ["public.no_columns"]
    assert told(again).new_bytes == 0
    for made in (first, again):
        same_as_live(made, url)
    run(url, "UPDATE computed SET said = 'changed' WHERE id = 9; INSERT INTO parts VALUES (9, 2); INSERT INTO empty_one VALUES (1)")
    made = incremental(url, store)
    assert not {"public.computed", "public.parts_2", "public.empty_one"} & set(told(made).reused)
    assert {"public.parts_1", "public.above", "public.below"} <= set(told(made).reused)
    same_as_live(made, url)


def test_the_contents_list_tables_that_were_not_read_as_pg_dump_would(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_listed", KINDS + NUMBERS)
    incremental(url, store)
    run(url, "INSERT INTO computed (id) VALUES (1000)")
    mended, read = incremental(url, store), incremental(url, store, full_read=True)
    assert len(told(mended).reused) > 8
    lists = []
    for made in (mended, read):
        _, archive = read_incremental(open_store(store), made.path.name)
        _, entries = read_toc(archive, resource="x")
        names = {entry.dump_id: (entry.desc, entry.schema, entry.tag) for entry in entries}
        lists.append([
            (names[e.dump_id], e.copy, e.owner, e.oids, e.had_dumper, e.section, sorted(map(names.get, e.dependencies), key=str))
            for e in entries
        ])  # fmt: skip
        assert len(names) == len(entries)
    assert lists[0] == lists[1]


def test_what_became_of_a_table_between_two_backups(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_tables", NUMBERS + "DROP TABLE other; CREATE TABLE gone (a int)")
    incremental(url, store)
    run(url, "CREATE TABLE fresh (a int); INSERT INTO fresh VALUES (1); DROP TABLE gone")
    made = incremental(url, store)
    assert told(made).reused == ["public.numbers"]
    same_as_live(made, url)
    run(url, "ALTER TABLE numbers ADD COLUMN more int")
    made = incremental(url, store)
    assert told(made).reused == ["public.fresh"]
    same_as_live(made, url)
    run(url, "ALTER TABLE numbers DROP COLUMN more")
    incremental(url, store)
    run(url, "ALTER TABLE numbers ALTER COLUMN said TYPE varchar")
    made = incremental(url, store)
    assert (told(made).reused, told(made).new_bytes) == (["public.fresh"], 0)  # the same rows, of other types
    same_as_live(made, url)


def test_rows_that_would_be_printed_otherwise_are_read(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_zone", "CREATE TABLE t (a timestamptz); INSERT INTO t VALUES ('2026-01-01 12:00Z')")
    incremental(url, store)
    run(url, "ALTER DATABASE inc_zone SET TimeZone = 'Asia/Tokyo'")
    made = incremental(url, store)
    assert told(made).reused == []
    assert told(made).new_chunks > 0


def test_large_objects_are_chunks_too(make_app: MakeApp, store: Path) -> None:
    make = "SELECT lo_from_bytea(0, decode(repeat(md5(n::text), 20000), 'hex')) FROM generate_series(1, 5) n"
    url = make_app("inc_objects", f"{make}; SELECT lo_from_bytea(0, ''); CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    first = incremental(url, store)
    assert first.manifest.table_data[TableName("pg_catalog", "pg_largeobject")].rows == 6
    assert told(incremental(url, store)).new_bytes == 0
    run(url, "SELECT lo_put(min(oid), 310000, 'changed') FROM pg_largeobject_metadata")
    made = incremental(url, store)
    assert 0 < told(made).new_bytes < 320_000 < told(first).new_bytes
    same_as_live(made, url)
    assert len(list(read_dump(made.location).large_objects())) == 6


def test_a_part_of_a_database_builds_on_a_whole_one(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_part", NUMBERS)
    incremental(url, store)
    made = incremental(url, store, part=Part(tables=("numbers",)))
    assert told(made) == Told(["public.numbers"], 0, 0)
    assert made.manifest.partial == {"table": "numbers"}
    assert [str(name) for name in read_dump(made.location).table_data] == ["public.numbers"]
    schema = incremental(url, store, part=Part(schema_only=True))
    assert told(schema).reused == []


@pytest.mark.parametrize("place", ["memory", "s3"])
def test_in_a_store_behind_a_url(place: str, make_app: MakeApp, request: pytest.FixtureRequest) -> None:
    where = request.getfixturevalue("s3_url") if place == "s3" else "memory://inc/backups"
    url = make_app("inc_far", NUMBERS)
    first = incremental(url, where)
    run(url, "DELETE FROM numbers WHERE id = 300")
    second = incremental(url, where)
    assert told(second).reused == ["public.other"]
    assert 1 <= told(second).new_chunks <= 4
    same_as_live(second, url)
    assert [b.dump_file for b in open_store(where).backups()] == [first.path.name, second.path.name]


def test_deleting_one_backup_harms_no_other(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_deleted", NUMBERS)
    first = incremental(url, store)
    run(url, "DELETE FROM other WHERE id = 3")
    second = incremental(url, store)
    kept_in = open_store(store)
    [doomed] = [b for b in kept_in.backups() if b.dump_file == first.path.name]
    kept_in.delete(doomed)
    assert sorted(p.name for p in store.iterdir() if p.name.startswith(f"{first.path.stem}.")) == []
    same_as_live(second, url)


@pytest.mark.parametrize("damage", ["lost", "cut short"])
def test_what_is_lost_or_cut_short_is_written_again(damage: str, make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_healed", NUMBERS)
    first = incremental(url, store)
    for pack in (store / "packs").glob("*.pack"):
        if damage == "lost":
            pack.unlink()
        else:
            pack.write_bytes(pack.read_bytes()[:-100])
    made = incremental(url, store)
    assert told(made).reused == []
    assert told(made).new_chunks == told(first).new_chunks
    same_as_live(made, url)


def test_a_list_that_was_found_broken_is_written_again(make_app: MakeApp, store: Path) -> None:
    """Nobody else has found it yet: of an unchanged table lists are read, and nothing else."""
    url = make_app("inc_list", NUMBERS)
    first = incremental(url, store)
    index, _ = read_incremental(open_store(store), first.path.name)
    broken = next(table for table in index.tables if table.name == NUMBERS_TABLE).nodes[0].digest
    packs = open_store(store).packs
    pack, place = packs.known()[0].nodes[broken]
    path = store / "packs" / f"{pack}.pack"
    content = bytearray(path.read_bytes())
    content[place.offset + place.stored_bytes // 2] ^= 1
    path.write_bytes(content)
    made = incremental(url, store)
    assert told(made).reused == ["public.other"]
    assert told(made).new_chunks == 1
    same_as_live(made, url)


def test_a_server_that_cannot_hash_rows_is_read(server_of: Callable[[int], EmbeddedServer], store: Path) -> None:
    server = server_of(13)
    run(server.url(), "CREATE DATABASE inc_old")
    url = server.url("inc_old")
    try:
        run(url, NUMBERS)
        incremental(url, store)
        made = incremental(url, store)
        assert told(made) == Told([], 0, 0)
        same_as_live(made, url)
    finally:
        run(server.url(), "DROP DATABASE inc_old WITH (FORCE)")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
def test_databases_in_other_encodings(encoding: str, make_app: MakeApp, store: Path, server: EmbeddedServer) -> None:
    name = f"inc_{encoding.lower()}"
    make_app(name, "SELECT 1")
    run(server.url(), f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    url = server.url(name)
    word = "'caf' || chr(233)" if encoding == "LATIN1" else "'cafe'"
    run(url, f"CREATE TABLE t (a text); INSERT INTO t SELECT {word} || n FROM generate_series(1, 3000) n")
    incremental(url, store)
    made = incremental(url, store)
    assert told(made).reused == ([] if encoding == "SQL_ASCII" else ["public.t"])
    assert told(made).new_bytes == 0
    same_as_live(made, url)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"format": "custom"}, "--format"),
        ({"compression": "gzip:6"}, "zstd"),
        ({"compression": "none"}, "zstd"),
        ({"jobs": 4}, "--jobs"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_made(
    options: dict[str, Any], words: str, server: EmbeddedServer, store: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        backup(server.url(), store=store, incremental=True, **options)
    with pytest.raises(UsageError, match="--incremental"):
        backup(server.url(), store=store, full_read=True)
    assert not store.exists()


def test_a_level_of_zstd_can_be_given(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_level", NUMBERS)
    incremental(url, store, compression="zstd:19")
    assert told(incremental(url, store)).new_bytes == 0


def test_a_table_that_may_not_be_read_leaves_no_backup(make_app: MakeApp, store: Path, server: EmbeddedServer) -> None:
    url = make_app("inc_denied", KINDS)
    run(url, "DROP ROLE IF EXISTS inc_reader", "CREATE ROLE inc_reader LOGIN", "GRANT pg_read_all_data TO inc_reader")
    try:
        with pytest.raises(BackupFailed, match="row-level security"):
            backup(re.sub(r"//[^@/]*@?", "//inc_reader@", url, count=1), store=store, incremental=True)
        assert open_store(store).look() == ((), ())
    finally:
        run(server.url(), "DROP ROLE inc_reader")


def test_a_killed_backup_leaves_none_that_looks_whole_and_the_next_one_cleans(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_killed", NUMBERS)
    first = incremental(url, store)
    run(url, "UPDATE numbers SET amount = 1")
    with psycopg.connect(url) as holder:
        holder.execute("LOCK numbers IN ACCESS EXCLUSIVE MODE")
        with started_backup(url, store, incremental=True) as process:
            wait_for(lambda: is_writing_inc(store))
            process.kill()
            process.wait()
    (store / "packs" / f".{'0' * 64}.pack.partial-{process.pid}").write_bytes(b"half of a pack")
    assert [b.dump_file for b in open_store(store).backups()] == [first.path.name]
    made = incremental(url, store)
    same_as_live(made, url)
    assert open_store(store).look()[1] == ()
    assert [p.name for p in (store / "packs").iterdir() if p.name.startswith(".")] == []


def test_a_store_that_cannot_be_written_ends_it_at_once(make_app: MakeApp, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_app("inc_full", NUMBERS)
    incremental(url, store)
    before = sorted(p.name for p in store.iterdir())
    run(url, "UPDATE numbers SET amount = 1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # no file can be larger: what a quota does
    try:
        with pytest.raises(BackupFailed, match="cannot write"):
            backup(url, store=store, incremental=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(p.name for p in store.iterdir()) == before
    assert running_backups(open_store(store).packs.folder) == {}
    same_as_live(incremental(url, store), url)


def test_the_archive_beside_the_chunks_is_one_that_pg_restore_lists(make_app: MakeApp, store: Path, tmp_path: Path) -> None:
    url = make_app("inc_archive", NUMBERS)
    incremental(url, store)
    made = incremental(url, store)
    _, archive = read_incremental(open_store(store), made.path.name)
    (tmp_path / "schema.dump").write_bytes(archive)
    program = find_program("pg_restore", at_least=18)
    listed = subprocess.run([str(program.path), "--list", str(tmp_path / "schema.dump")], capture_output=True, text=True, check=True).stdout
    assert "TABLE DATA public numbers" in listed
    assert listed.index("TABLE DATA public numbers") < listed.index("TABLE DATA public other") < listed.index("FK CONSTRAINT")
    assert read_dump(io.BytesIO(archive)).inventory.of_kind("TABLE")


def test_a_dump_without_rows_that_the_server_has_gets_no_name(
    make_app: MakeApp, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_app("inc_liar", NUMBERS)
    incremental(url, store)
    run(url, "UPDATE numbers SET amount = 1")
    real = find_program("pg_dump", at_least=18).path
    liar = tmp_path / "bin" / "pg_dump"
    liar.parent.mkdir()
    liar.write_text(f'#!/bin/sh\nexec "{real}" "$@" --exclude-table-data=public.numbers\n')
    liar.chmod(0o755)
    monkeypatch.setenv("PGBIN", str(liar.parent))
    with pytest.raises(BackupFailed, match=r"did not match what the database held.*numbers"):
        backup(url, store=store, incremental=True)
    assert len(open_store(store).backups()) == 1
    assert open_store(store).look()[1] == ()


def test_a_large_table_is_read_once_and_said_to_be(make_app: MakeApp, store: Path, server: EmbeddedServer) -> None:
    large = "CREATE TABLE large AS SELECT n, repeat(md5(n::text), 10) AS said FROM generate_series(1, 20000) n"
    url = make_app("inc_large", large)
    run(url, "ALTER DATABASE inc_large SET log_statement = 'all'")
    log = server._folder / "server.log"
    start = log.stat().st_size
    made = incremental(url, store)
    assert len(re.findall(r"(?i)\bCOPY\b.*\blarge\b.*TO STDOUT", log.read_bytes()[start:].decode())) == 1
    assert "rows.fingerprint" not in [c.id for c in made.check_list]  # it would be compared with itself
    assert {c.id: str(c.outcome) for c in made.check_list}["backup.chunks"] == "passed"
    assert "--full-read" in " ".join(made.result.skipped)
    full = incremental(url, store, full_read=True)
    assert "rows.fingerprint" in [c.id for c in full.check_list]
    assert full.result.skipped == ()
    again = incremental(url, store)
    assert "rows.fingerprint" in [c.id for c in again.check_list]  # the server's hash says it
    for one in (made, full, again):
        same_as_live(one, url)


@pytest.mark.skipif(sys.platform != "linux", reason="kills")
def test_backups_killed_at_random_moments_leave_none_that_looks_whole(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_kills", NUMBERS)
    incremental(url, store)
    dice = random.Random(8)  # noqa: S311
    for moment in range(10):
        run(url, f"UPDATE numbers SET amount = {moment} WHERE id % 3 = 0")
        with started_backup(url, store, incremental=True) as process, suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0.6, 2.5))
        for kept in open_store(store).backups():
            assert verify(store / kept.dump_file).verdict is Outcome.PASSED
    made = incremental(url, store)
    same_as_live(made, url)
    assert open_store(store).look()[1] == ()
    assert [p.name for p in (store / "packs").iterdir() if p.name.startswith(".")] == []


def test_ctrl_c_ends_it_and_leaves_nothing_that_has_a_name(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_interrupted", NUMBERS)
    with psycopg.connect(url) as holder:
        holder.execute("LOCK numbers IN ACCESS EXCLUSIVE MODE")
        with started_backup(url, store, incremental=True) as process:
            wait_for(lambda: store.is_dir() and is_writing_inc(store))
            process.send_signal(signal.SIGINT)
            _, words = process.communicate(timeout=120)
    assert "KeyboardInterrupt" in words
    assert open_store(store).look() == ((), ())
    assert list((store / "packs").iterdir()) == []


def test_names_are_left_out_of_pg_dump_some_hundred_at_a_time() -> None:
    names = [TableName("public", f"t{n}") for n in range(1200)]
    options = exclude_options([*names, TableName("public", "Odd"), TableName("a.b", 'c"d')])
    assert options[:2] == ['--exclude-table-data="public"."Odd"', '--exclude-table-data="a.b"."c""d"']
    assert len(options) == 5
    assert options[2].startswith("--exclude-table-data=public.(t0|t1|t2|")


def test_the_command_says_what_was_taken_over(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_command", NUMBERS)
    runner = CliRunner()
    for _ in range(2):
        done = runner.invoke(app, ["backup", url, "--store", str(store), "--incremental", "--json"])
        assert done.exit_code == 0, done.output
    plain = json.loads(done.stdout)["backups"][0]
    assert plain["format"] == "incremental"
    assert plain["incremental"]["tables_reused"] == ["public.numbers", "public.other"]
    assert plain["incremental"]["base"].endswith(".inc")
    done = runner.invoke(app, ["backup", url, "--store", str(store), "--incremental", "--format", "directory"])
    assert done.exit_code == 2
    assert "leave --format out" in done.output
    done = runner.invoke(app, ["list", "--store", str(store), "--json"])
    assert [b["format"] for b in json.loads(done.stdout)["backups"]] == ["incremental", "incremental"]


def make_in(server: EmbeddedServer, name: str, encoding: str, *scripts: str) -> str:
    """A database in that encoding, in place of one of that name."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'".encode())
    run(server.url(name), *scripts)
    return server.url(name)


def test_rows_of_another_encoding_are_whole_for_verify_all(server: EmbeddedServer, store: Path) -> None:
    url = make_in(server, "inc_latin", "LATIN1", "CREATE TABLE t (a int, b text)", "INSERT INTO t VALUES (1, chr(233)), (2, 'plain')")
    incremental(url, store)
    made = incremental(url, store)
    assert told(made).reused == ["public.t"]
    same_as_live(made, url)
    verified = verify_all(store)
    assert verified.verdict is Outcome.PASSED, verified.to_dict()
    assert not open_store(store).packs.damaged()


def test_the_same_bytes_in_another_encoding_are_other_rows(server: EmbeddedServer, store: Path) -> None:
    # UTF-8 that was taken for LATIN1, and the same bytes in a database of the same name that takes them for what they are
    for encoding, e_acute in (("LATIN1", "chr(195) || chr(169)"), ("UTF8", "chr(233)")):
        url = make_in(server, "inc_twice", encoding, "CREATE TABLE t (a text)", f"INSERT INTO t VALUES ({e_acute})")
        made = incremental(url, store)
        assert told(made).reused == []
        same_as_live(made, url)
    assert verify_all(store).verdict is Outcome.PASSED


def test_the_encoding_of_clients_may_change_between_two_backups(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_clients", "CREATE TABLE t (a text); INSERT INTO t VALUES (chr(233)); CREATE TABLE u (a text)")
    incremental(url, store)
    run(url, "ALTER DATABASE inc_clients SET client_encoding = 'LATIN1'", "INSERT INTO u VALUES (chr(8364))")
    made = incremental(url, store)
    assert told(made).reused == ["public.t"]
    same_as_live(made, url)


def test_what_another_release_has_hashed_is_read(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_release", NUMBERS)
    first = incremental(url, store)
    manifest = load_manifest(first.manifest_path)
    other = replace(manifest, provenance=replace(manifest.provenance, server_version="14.1"))
    first.manifest_path.write_text(other.to_json(), encoding="utf-8")
    assert told(incremental(url, store)) == Told([], 0, 0)


def test_of_a_database_without_rows_there_is_no_chunk_to_ask_for(make_app: MakeApp, store: Path) -> None:
    incremental(make_app("inc_no_rows", "CREATE TABLE t (a int)"), store)
    [verified] = verify_all(store).backups
    assert {c.id: c.outcome for c in verified.check_list} == {"dump.digest": Outcome.PASSED, "chunks.sums": Outcome.PASSED}


def test_the_base_of_a_whole_backup_is_a_whole_one(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_between", NUMBERS)
    incremental(url, store)
    incremental(url, store, part=Part(tables=("other",)))
    assert told(incremental(url, store)).reused == ["public.numbers", "public.other"]


def test_how_large_a_backup_is_counts_what_it_holds_not_its_list(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_size", NUMBERS)
    settings = Config(smallest_size_bytes=1_000_000)
    for _ in range(2):
        made = incremental(url, store, config=settings)
        assert made.path.stat().st_size < 10_000
        assert verify(made.location, config=settings).verdict is Outcome.PASSED
    held = made.manifest.held_bytes
    assert held is not None
    run(url, "DELETE FROM numbers WHERE id > 9000")
    shrunk = backup(url, store=store, incremental=True, config=Config(smallest_size_bytes=held))
    assert {c.id: c.outcome for c in shrunk.result.check_list if "size" in c.id} == {
        "backup.size": Outcome.WARNED,
        "dump.size": Outcome.FAILED,
    }


def test_the_size_in_metrics_is_that_of_all_chunks(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_metrics", NUMBERS)
    made = [incremental(url, store) for _ in range(2)]
    [line] = [line for line in metrics_text(list_store(store)).splitlines() if line.startswith("pgaudit_backup_size_bytes{")]
    chunks = sum(path.stat().st_size for path in (store / "packs").glob("*.pack"))
    assert made[-1].path.stat().st_size < 10_000
    assert chunks * 0.9 < float(line.split()[-1]) < chunks * 1.1


def test_of_very_many_tables_no_more_are_left_out_than_a_command_line_can_name() -> None:
    hashed = ServerHash(1, 1, "hash")
    names = [TableName("public", f"Partition of {n:0>50}") for n in range(30_000)]
    nodes = [(Chunk(b"", size, Fingerprint(1, 1)),) for size in range(len(names))]
    tables = {n: ChunkedTable(1, n, ("a",), "", 1, node, hashed) for n, node in zip(names, nodes, strict=True)}
    same = unchanged(Base(tables=tables), dict.fromkeys(names, hashed))
    assert 1000 < len(same) < 20_000
    assert set(same) == set(names[-len(same) :])  # the largest
    assert subprocess.run(["true", *exclude_options(same)], check=False).returncode == 0


@pytest.mark.parametrize("rows", [1, 100_000], ids=["read twice", "read once"])
def test_rows_that_no_restore_would_take_are_no_backup(make_app: MakeApp, store: Path, rows: int) -> None:
    """As with an ordinary backup. A database that was filled in SQL_ASCII, or whose pages have rotted, gives such bytes."""
    url = make_app(
        "inc_rotten",
        f"CREATE TABLE rotten AS SELECT n, md5(n::text) AS t FROM generate_series(1, {rows}) n;"
        "CREATE CAST (bytea AS text) WITHOUT FUNCTION; UPDATE rotten SET t = '\\xff'::bytea::text WHERE n = 1; DROP CAST (bytea AS text)",
    )
    with pytest.raises(BackupFailed, match=r"rows of public\.rotten have bytes that are not UTF8"):
        backup(url, store=store, incremental=True)
    assert not open_store(store).backups()
