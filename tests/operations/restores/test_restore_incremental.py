"""Incremental backups come back: restored, in place, in part, rehearsed, rescued, exported; each by itself, whatever became of others."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import BadBackup, DamagedDump, UsageError
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.restores.restored import Replacement
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.sweep import sweep
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Outcome

MakeApp = Callable[..., str]
Ask = Callable[[str, str], object]
USERS, MESSAGES = TableName("public", "users"), TableName("public", "messages")


def yes(_: Replacement) -> bool:
    return True


def run(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())


def incremental(url: str, store: Path | str) -> Path:
    made = backup(url, store=store, incremental=True)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    return path_of(made)


def path_of(made: Backup) -> Path:
    assert made.path is not None
    return Path(made.path)


def script_of(server: EmbeddedServer, archive: Path) -> list[bytes]:
    """The rows and definitions that pg_restore sees, without what is another text each time."""
    text = subprocess.run([server.bin_folder / "pg_restore", "-f", "-", archive], check=True, capture_output=True).stdout
    return [line for line in text.splitlines() if not line.startswith((b"--", b"\\restrict", b"\\unrestrict"))]


def ordinary(server: EmbeddedServer, url: str, path: Path) -> Path:
    subprocess.run([server.bin_folder / "pg_dump", "-Fc", "--no-owner", "--no-acl", "-f", path, "-d", url], check=True)
    return path


def test_it_is_restored_and_proven_and_leaves_no_temporary_file(
    make_app: MakeApp, store: Path, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_app("inc_back")
    path = incremental(url, store)
    run(url, "DELETE FROM messages; UPDATE users SET name = 'x'")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    done = pk.restore(path, url, confirm=yes, jobs=2)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert (ask(url, "SELECT count(*) FROM messages"), ask(url, "SELECT count(*) FROM users WHERE name = 'x'")) == (2000, 0)
    assert "rows.fingerprint" in {c.id for c in done.check_list}
    assert list(scratch.iterdir()) == []


def test_it_is_restored_in_place(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("inc_place")
    path = incremental(url, store)
    run(url, "DELETE FROM messages")
    done = pk.restore(path, url, confirm=yes, in_place=True, replace_contents=True, store=store)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, "SELECT count(*) FROM messages") == 2000


def test_parts_of_it_come_back(make_app: MakeApp, store: Path, ask: Ask, tmp_path: Path) -> None:
    url = make_app("inc_part")
    path = incremental(url, store)
    before = ask(url, "SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users AS u")
    run(url, "DELETE FROM messages WHERE id > 1500")
    found = pk.restore_part(path, url, tables=["users"], into_schema="back")
    assert found.verdict is Outcome.PASSED
    assert ask(url, "SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM back.users AS u") == before
    taken = pk.extract(path, "messages", where="id > 1990", csv=tmp_path / "some.csv")
    assert taken.rows == 10
    with pk.snapshot(url) as live:
        sql = pk.diff(read_dump(path), live).rescue("public.messages")
    run(url, sql)
    assert ask(url, "SELECT count(*) FROM messages") == 2000
    assert pk.query("select count(*) as n from users join messages on users.id = user_id", dump=path)["n"][0] == 2000


def test_it_is_rehearsed(make_app: MakeApp, store: Path) -> None:
    path = incremental(make_app("inc_rehearsed"), store)
    found = pk.rehearse(path)
    assert found.verdict in (Outcome.PASSED, Outcome.WARNED), found.checks.to_string()
    assert {"rows.fingerprint"} <= {c.id for c in found.check_list}


def test_an_export_is_what_pg_dump_would_have_written(make_app: MakeApp, store: Path, server: EmbeddedServer, tmp_path: Path) -> None:
    url = make_app("inc_export")
    incremental(url, store)
    second = incremental(url, store)  # of which no table was read
    expected = script_of(server, ordinary(server, url, tmp_path / "ordinary"))
    for wanted in ("custom", "directory"):
        pk.export(second, tmp_path / wanted, format=wanted)
        assert script_of(server, tmp_path / wanted) == expected
    pk.export(second, tmp_path / "plain.sql", format="plain")
    assert read_dump(tmp_path / "plain.sql").fingerprints() == read_dump(second).fingerprints()


def test_any_of_a_series_can_be_deleted_and_all_others_come_back_to_the_same_rows(
    make_app: MakeApp, store: Path, server: EmbeddedServer, ask: Ask, tmp_path: Path
) -> None:
    url = make_app("inc_series")
    changes = [
        "INSERT INTO messages (user_id, body) SELECT 1, '{}' FROM generate_series(1, 500)",
        "UPDATE users SET name = name || '!' WHERE id % 7 = 0",
        "DELETE FROM messages WHERE id BETWEEN 300 AND 700; UPDATE users SET name = name || '?'",
        "SELECT 1",
    ]
    paths, scripts = [incremental(url, store)], [script_of(server, ordinary(server, url, tmp_path / "0"))]
    for number, change in enumerate(changes, start=1):
        run(url, change)
        paths.append(incremental(url, store))
        scripts.append(script_of(server, ordinary(server, url, tmp_path / str(number))))
    opened = open_store(store)
    opened.delete(next(kept for kept in opened.backups() if kept.dump_file == paths[2].name))
    assert not paths[2].exists()
    packs = len(list(store.glob("packs/*.pack")))
    for _ in range(2):  # the first time it marks, the second it deletes
        sweep(store, grace=timedelta(0))
    assert len(list(store.glob("packs/*.pack"))) < packs, "what only that one used is gone"
    for number in (0, 1, 3, 4):
        pk.export(paths[number], tmp_path / f"{number}.dump")
        assert script_of(server, tmp_path / f"{number}.dump") == scripts[number]
        assert pk.verify(paths[number]).verdict is Outcome.PASSED
    done = pk.restore(paths[1], url, confirm=yes)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, "SELECT count(*) FROM messages") == 2500


def test_damaged_packs_stop_a_restore_before_anything_is_touched(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("inc_damaged")
    path = incremental(url, store)
    for pack in store.glob("packs/*.pack"):
        pack.write_bytes(bytes(pack.stat().st_size))
    done = pk.restore(path, url, confirm=yes)
    assert (done.verdict, done.replaced) == (Outcome.FAILED, False)
    assert pk.rehearse(path).verdict is Outcome.FAILED
    with pytest.raises(BadBackup, match=r"messages|users"):
        pk.restore_part(path, url, tables=["users", "messages"])
    with pytest.raises(DamagedDump):
        pk.export(path, store / "no.dump")
    assert not (store / "no.dump").exists()
    assert ask(url, "SELECT count(*) FROM messages") == 2000


def test_it_is_restored_from_a_url_where_an_ordinary_dump_is_refused(make_app: MakeApp, s3_url: str, ask: Ask) -> None:
    url = make_app("inc_url")
    made = backup(url, store=s3_url, incremental=True)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    plain = backup(url, store=s3_url)
    run(url, "DELETE FROM messages")
    with pytest.raises(UsageError, match="no local file"):
        pk.restore(str(plain.location), url, confirm=yes)
    done = pk.restore(str(made.location), url, confirm=yes)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, "SELECT count(*) FROM messages") == 2000
