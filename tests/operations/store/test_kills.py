"""Whatever ends a writer, at whatever moment: what is listed is whole, and what is not whole has no name of a backup."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from pgaudit_kit.errors import StoreFailed
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.upload_markers import ABANDONED_AFTER, UploadMarker, this_machine
from pgaudit_kit.records.stored_backup import StrayKind
from tests.operations.store.conftest import AT, finish, manifest_of, put, write_dump

NAME = "app-20260131T120509Z"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and locks that end with their holder")

# One process that has loaded everything forks a writer for each line that it is given, and tells its id.
WRITER = """
import os, sys
from datetime import timedelta
from pgaudit_kit.operations.store.open_store import open_store
from tests.operations.store.conftest import AT, put

def write_and_delete(place):
    store = open_store(place, create=True)
    number = 0
    while True:
        number += 1
        suffix = ".dir" if number % 3 == 0 else ".dump"
        put(store, AT + timedelta(seconds=number), suffix=suffix, content=os.urandom(200_000), with_globals=True)
        backups = store.backups()
        if len(backups) > 3:
            store.delete(backups[0])
        if number == 2:
            print("begun", flush=True)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        try:
            write_and_delete(line.strip())
        finally:
            os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


@contextmanager
def writers() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def stop_a_writer(process: subprocess.Popen[str], place: str, after_seconds: float, how: signal.Signals) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{place}\n")
    process.stdin.flush()
    told = {line_of(process), line_of(process)}
    (pid,) = (int(line) for line in told if line.isdigit())
    assert "begun" in told
    time.sleep(after_seconds)
    os.kill(pid, how)
    assert line_of(process) == "ended"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize(("kind", "times", "longest"), [("folder", 40, 0.1), ("s3", 8, 0.6)])
def test_after_a_writer_was_stopped_all_that_is_listed_is_whole(
    kind: str, times: int, longest: float, how: signal.Signals, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place = str(tmp_path / "backups") if kind == "folder" else request.getfixturevalue("s3_url")
    chance = random.Random(7)  # noqa: S311  only moments
    left = 0
    with writers() as process:
        for _ in range(times):
            stop_a_writer(process, place, chance.uniform(0, longest), how)
            store = open_store(place)
            for backup in store.backups():
                found = store.digest(backup)
                assert (found.sha256, found.size_bytes) == (backup.sha256, backup.size_bytes)
                assert backup.is_proven
            strays = store.look()[1]
            assert {s.kind for s in strays} <= {StrayKind.WRITING, StrayKind.ABANDONED}, strays
            left += len(strays)
            before = store.backups()
            store.clean()
            assert store.look() == (before, ())
    assert left or how is signal.SIGINT  # some were stopped in the middle


def test_what_is_said_about_an_upload_is_cleaned_up_when_its_writer_is_gone_or_after_three_days(s3_url: str) -> None:
    store = open_store(s3_url, create=True)
    now = datetime.now(UTC)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    cases = {
        "gone": (this_machine(), gone.pid, now, False),
        "living": (this_machine(), os.getpid(), now, True),
        "elsewhere": ("another machine", gone.pid, now, True),
        "old": ("another machine", gone.pid, now - ABANDONED_AFTER - timedelta(minutes=1), False),
    }
    for name, (machine, pid, at, _) in cases.items():
        marker = UploadMarker(f"{name}-20260131T120509Z.dump", machine, pid, at.isoformat())
        store.write_text(marker.file, marker.to_json())
        store.write_text(marker.final, "half")
    store.write_text(".x-20260131T120509Z.dump.partial-1", "not a note of ours")
    store.clean()
    assert {n for n in cases if f"{n}-20260131T120509Z.dump" in store.entries()} == {n for n, case in cases.items() if case[3]}
    assert ".x-20260131T120509Z.dump.partial-1" in store.entries()


def test_a_note_left_beside_a_whole_backup_takes_nothing_with_it(s3_url: str) -> None:
    store = open_store(s3_url, create=True)
    put(store, with_globals=True)
    whole = store.entries()
    marker = UploadMarker(f"{NAME}.dump", "another machine", 1, (datetime.now(UTC) - 2 * ABANDONED_AFTER).isoformat())
    store.write_text(marker.file, marker.to_json())
    assert len(store.backups()) == 1
    store.clean()
    assert store.entries() == whole


def test_a_dump_that_is_removed_while_it_is_uploaded_is_no_backup(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(s3_url, create=True)
    real = type(store).write_text

    def write_and_lose(self: Store, file: str, text: str) -> None:
        real(self, file, text)
        if file.endswith(".manifest.json"):
            self.remove([f"{NAME}.dump"])  # type: ignore[attr-defined]  # of a remote store

    monkeypatch.setattr(type(store), "write_text", write_and_lose)
    with pytest.raises(StoreFailed, match="was removed"):
        put(store)
    assert store.entries() == {}


def test_a_lost_connection_leaves_no_backup_and_says_so(s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_server(monkeypatch) as server:
        store = open_store("s3://backups/lost", create=True)
        with store.receive(NAME, ".dump") as incoming:
            write_dump(incoming.path, b"PGDMP")
            server.stop()
            with pytest.raises(StoreFailed, match=r"cannot write .* the store s3://backups/lost") as caught:
                finish(incoming, manifest_of("app", AT))
        assert "s3cr3t" not in str(caught.value)
        assert caught.value.remedy
        server.start()
        assert store.backups() == ()
        assert [stray.kind for stray in store.look()[1]] == [StrayKind.WRITING]  # the note, for the next run to clean up by


@contextmanager
def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedMotoServer]:
    """The S3 API on a port that only this test uses, so that it can be stopped; nobody tries long."""
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, server._port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{server._port}")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        yield server
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
