from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.archives.growing_archive import read_while_written
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import BackupFailed, CannotConnect, UsageError
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.programs.client_programs import find_program
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.verify_all import verify_all
from pgaudit_kit.records.manifest import load_manifest
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Outcome

MakeApp = Callable[..., str]
Ask = Callable[[str, str], object]
USERS = TableName("public", "users")

RUN = """
import sys
from pgaudit_kit.operations.backups.backup import backup
backup(sys.stdin.readline().strip(), store=sys.argv[1], incremental=len(sys.argv) > 2)
"""


def names_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def files_of(made: Backup) -> list[str]:
    """Its dump, its manifest, and the proof of it."""
    return sorted([made.path.name, made.manifest_path.name, made.manifest_path.name.replace(".manifest.", ".verified.")])


def wait_for(what: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def started_backup(url: str, store: Path, *, incremental: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A backup in a process of its own, ended with the block; the URL goes by standard input, as it may hold a password."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(store), *(["incremental"] if incremental else [])], stdin=pipe, stderr=pipe, stdout=pipe, text=True
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(f"{url}\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def is_writing(store: Path) -> bool:
    return store.is_dir() and any(".dump.partial-" in n for n in names_in(store))


def is_writing_inc(store: Path) -> bool:
    return any(".inc.partial-" in n for n in names_in(store))


def pg_dumps_of(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and command.split(b"\0")[0].endswith(b"/pg_dump") and b"--snapshot=" in command:
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize(
    ("dump_format", "compression", "suffix"),
    [("custom", None, ".dump"), ("custom", "none", ".dump"), ("plain", None, ".sql"), ("plain", "gzip:1", ".sql.gz")],
)
def test_a_backup_is_a_verified_dump_with_its_manifest_beside_it(
    dump_format: str, compression: str | None, suffix: str, make_app: MakeApp, store: Path
) -> None:
    made = backup(make_app("whole"), store=store, format=dump_format, compression=compression)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    assert re.fullmatch(rf"whole-\d{{8}}T\d{{6}}Z{suffix}", made.path.name)
    assert names_in(store) == files_of(made)
    assert {p.stat().st_mode & 0o777 for p in store.iterdir()} == {0o600}
    assert made.manifest.table_data[USERS].rows == 500
    again = verify(made.path)  # finds the manifest by itself
    assert again.verdict is Outcome.PASSED
    assert "dump.digest" in [c.id for c in again.check_list]
    recorded = load_manifest(made.manifest_path)
    assert recorded.provenance.pg_dump_version == find_program("pg_dump", at_least=18).version
    assert recorded.dump_file is not None
    assert recorded.dump_file.name == made.path.name
    told = json.loads(json.dumps(made.to_dict()))
    assert (told["verdict"], told["rows"], told["tables"]) == ("passed", 2500, 2)


@pytest.mark.parametrize("dump_format", ["custom", "plain"])
@pytest.mark.parametrize("place", ["memory", "s3"])
def test_a_backup_behind_a_url_is_verified_there(place: str, dump_format: str, make_app: MakeApp, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("s3_url") if place == "s3" else "memory://backups/here"
    made = backup(make_app("far_away"), store=url, format=dump_format)
    assert made.location.startswith(f"{url}/far_away-2")
    (kept,) = open_store(url).backups()
    assert (kept.rows, kept.is_proven, open_store(url).open(kept)) == (2500, True, made.location)
    again = verify(made.location)
    assert again.verdict is Outcome.PASSED
    assert {"dump.digest", "rows.fingerprint"} < {c.id for c in again.check_list}
    assert verify_all(url, deep=True).verdict is Outcome.PASSED
    open_store(url).delete(kept)
    assert open_store(url).entries() == {}


def test_dump_and_manifest_agree_although_others_write_meanwhile(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("busy")
    ask(url, "INSERT INTO users (name) SELECT repeat('x', 200) FROM generate_series(1, 30000) RETURNING 1")
    stop, before = threading.Event(), ask(url, "SELECT count(*) FROM users")

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO users (name) VALUES ('late')")
                connection.execute("DELETE FROM messages WHERE id = (SELECT min(id) FROM messages)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = backup(url, store=store)
    finally:
        stop.set()
        writer.join()
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    recorded = made.manifest.table_data[USERS].rows
    assert isinstance(before, int)
    assert recorded is not None
    assert before <= recorded < int(str(ask(url, "SELECT count(*) FROM users")))
    assert read_dump(made.path).fingerprint(USERS) == made.manifest.fingerprint(USERS)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for pg_dump")
def test_an_archive_is_read_while_pg_dump_packs_it(
    make_app: MakeApp, store: Path, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pg_dump does not end before its file is read, on whatever machine."""
    rows = "SELECT n, (SELECT string_agg(md5(n::text || k), '') FROM generate_series(1, 20) k) FROM generate_series(1, 10000) n"
    url = make_app("packed_slowly", f"CREATE TABLE t AS {rows}; SELECT lo_from_bytea(0, 'large')")
    programs, begun = tmp_path / "programs", tmp_path / "begun"
    programs.mkdir()
    wait = f"""case "$*" in *--file=*) while [ ! -e '{begun}' ]; do sleep 0.05; done;; esac"""
    (programs / "pg_dump").write_text(f'#!/bin/sh\n"{server.bin_folder}/pg_dump" "$@"\nended=$?\n{wait}\nexit $ended\n')
    (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PGBIN", str(programs))
    dumps = []

    def read(path: Path, is_written: Callable[[], bool]) -> Dump | None:
        assert is_written()

        def asked() -> bool:
            begun.touch()
            return is_written()

        dumps.append(read_while_written(path, asked))
        return dumps[-1]

    monkeypatch.setattr("pgaudit_kit.operations.backups.dumping.read_while_written", read)
    made = backup(url, store=store, compression="gzip:9")
    (early,) = dumps
    assert early is not None
    dump = read_dump(made.path)
    assert early.fingerprints() == dump.fingerprints() == {n: d.fingerprint for n, d in made.manifest.table_data.items()}
    assert (made.verdict, verify(made.path).verdict) == (Outcome.PASSED, Outcome.PASSED)


def test_settings_that_shape_text_reach_dump_and_manifest_alike(
    make_app: MakeApp, store: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_app("shaped")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE shaped SET TimeZone = 'Asia/Kolkata'")
        connection.execute("ALTER DATABASE shaped SET bytea_output = 'escape'")
        connection.execute("ALTER DATABASE shaped SET DateStyle = 'German'")
    assert backup(url, store=store).verdict is Outcome.PASSED
    for name, value in {
        "PGTZ": "America/Lima",
        "PGDATESTYLE": "SQL",
        "PGCLIENTENCODING": "LATIN1",
        "PGOPTIONS": "-c bytea_output=hex",
    }.items():
        monkeypatch.setenv(name, value)
    made = backup(url, store=store)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()


def test_a_table_that_may_not_be_read_leaves_no_backup(make_app: MakeApp, store: Path, ask: Ask, server: EmbeddedServer) -> None:
    url = make_app("guarded")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON users TO reader")
    try:
        with pytest.raises(BackupFailed, match=r"public\.messages: role reader may not SELECT from it") as caught:
            backup(url.replace("postgres@", "reader@"), store=store)
        assert "GRANT SELECT ON public.messages TO reader" in caught.value.remedy
        assert [(c.id, c.outcome) for c in caught.value.checks if c.outcome is not Outcome.PASSED] == [("backup.readable", "failed")]
        assert names_in(store) == []
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY reader")
            connection.execute("DROP ROLE reader")


def test_a_dump_that_does_not_hold_what_the_database_held_gets_no_name(
    make_app: MakeApp, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_app("liar")
    real = find_program("pg_dump", at_least=18).path
    liar = tmp_path / "bin" / "pg_dump"
    liar.parent.mkdir()
    liar.write_text(f'#!/bin/sh\nexec "{real}" "$@" --exclude-table-data=public.messages\n')
    liar.chmod(0o755)
    monkeypatch.setenv("PGBIN", str(liar.parent))
    with pytest.raises(BackupFailed, match=r"did not match what the database held.*messages"):
        backup(url, store=store)
    assert names_in(store) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_backup_leaves_no_final_name_and_the_next_one_cleans(make_app: MakeApp, store: Path) -> None:
    url = make_app("killed")
    with psycopg.connect(url) as blocker:
        blocker.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")  # holds pg_dump in the middle
        with started_backup(url, store) as process:
            wait_for(lambda: is_writing(store) and bool(pg_dumps_of(process.pid)))
            (child,) = pg_dumps_of(process.pid)
            process.kill()
        wait_for(lambda: not Path(f"/proc/{child}/exe").exists())  # it does not go on alone
        assert {re.sub(r".*\.(partial-|lock).*", r"\1", n) for n in names_in(store)} == {"partial-", "lock"}
    made = backup(url, store=store)
    assert names_in(store) == files_of(made)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_interrupted_backup_removes_what_it_began(make_app: MakeApp, store: Path) -> None:
    url = make_app("interrupted")
    with psycopg.connect(url) as blocker:
        blocker.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        with started_backup(url, store) as process:
            wait_for(lambda: is_writing(store) and bool(pg_dumps_of(process.pid)))
            (child,) = pg_dumps_of(process.pid)
            process.send_signal(signal.SIGINT)
            _, words = process.communicate(timeout=120)
        assert "KeyboardInterrupt" in words
        assert names_in(store) == []
        assert not Path(f"/proc/{child}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_password_is_in_any_command_line_or_file(make_app: MakeApp, store: Path) -> None:
    secret = "s3cr3t-of-the-test"
    url = make_app("secretive").replace("postgres@", f"postgres:{secret}@")
    with psycopg.connect(url) as blocker:
        blocker.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        with started_backup(url, store) as process:
            wait_for(lambda: bool(pg_dumps_of(process.pid)))
            (child,) = pg_dumps_of(process.pid)
            assert f"PGPASSWORD={secret}".encode() in Path(f"/proc/{child}/environ").read_bytes()
            lines = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (process.pid, child))
            assert b"--snapshot=" in lines
            assert secret.encode() not in lines
            blocker.rollback()
            _, words = process.communicate(timeout=120)
        assert process.returncode == 0, words
        assert secret not in words
    assert all(secret.encode() not in p.read_bytes() for p in store.iterdir())


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"format": "custom"}, "pg_dump failed with exit status 1: pg_dump: error: could not write"),
        ({"format": "plain", "compression": "lz4"}, "File too large"),  # the pg_dump of the wheel has no lz4, so it is ours
    ],
)
def test_a_full_disk_leaves_no_backup(how: dict[str, str], words: str, make_app: MakeApp, store: Path) -> None:
    resource = pytest.importorskip("resource")
    url = make_app("large")
    limit = 4096

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    run = RUN.replace("store=sys.argv[1]", f"store=sys.argv[1], **{how}")
    done = subprocess.run(
        [sys.executable, "-c", run, str(store)], input=url + "\n", capture_output=True, text=True, preexec_fn=small_files, check=False
    )
    assert f"no backup was written: {words}" in done.stderr
    assert names_in(store) == []


@pytest.mark.parametrize("name", ["two words", "quo\"te's", "grün 🌱", "a=b;c", "-x"])
def test_a_strange_database_name_is_backed_up(name: str, make_app: MakeApp, store: Path) -> None:
    made = backup(make_app(name), store=store)
    assert made.verdict is Outcome.PASSED
    assert made.manifest.provenance.database == name
    assert read_dump(made.path).provenance.database == name


def test_an_empty_database_has_a_backup_too(make_app: MakeApp, store: Path) -> None:
    made = backup(make_app("hollow", ""), store=store)
    assert made.path.exists()
    assert made.verdict is not Outcome.FAILED


def test_an_empty_database_is_never_green_and_the_reason_is_told(make_app: MakeApp, store: Path) -> None:
    made = backup(make_app("nothing_in_it", "SELECT 1"), store=store)
    assert made.verdict is Outcome.NOT_CHECKED
    told = {c.id: c for c in made.check_list if c.outcome is not Outcome.PASSED}
    assert {name: (c.found, c.compared) for name, c in told.items()} == {
        "dump.complete": ("nothing is in it", 0),
        "objects.match": ("no object on either side", 0),
    }
    assert "the database that you meant" in told["objects.match"].remedy
    restored = restore(made, make_app("nothing_yet", "SELECT 1"), confirm=lambda _: True)
    assert (restored.replaced, restored.verdict) == (True, Outcome.NOT_CHECKED)
    assert verify(made.path).verdict is Outcome.NOT_CHECKED


def test_two_backups_in_one_second_do_not_overwrite_each_other(make_app: MakeApp, store: Path) -> None:
    url = make_app("twice")
    first, second = backup(url, store=store), backup(url, store=store)
    assert first.path != second.path
    assert names_in(store) == sorted(files_of(first) + files_of(second))


def test_a_label_stands_in_the_name(make_app: MakeApp, store: Path) -> None:
    assert backup(make_app("labelled"), store=store, label="before the move").path.name.startswith("labelled-before_the_move-2")


def test_wrong_options_are_refused_before_anything_is_made(make_app: MakeApp, store: Path, server: EmbeddedServer) -> None:
    url = make_app("options")
    for refused, words in [
        ({"format": "zip"}, "custom, directory, plain, tar"),
        ({"compression": "lzma"}, "zstd:1 to zstd:22"),
        ({"compression": "gzip:10"}, "gzip:1 to gzip:9"),
        ({"jobs": 2}, "--format directory"),
        ({"lock_timeout": 0}, "seconds"),
    ]:
        with pytest.raises(UsageError, match=words):
            backup(url, store=store, **refused)  # type: ignore[arg-type]
    with pytest.raises(CannotConnect):
        backup(server.url("no such database"), store=store)
    assert not store.exists() or names_in(store) == []
