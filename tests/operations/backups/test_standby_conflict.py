"""A backup of a standby that follows its primary: what the primary vacuums away cancels it, and the error says what to do about that."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from pgaudit_kit.errors import BackupFailed
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from tests.operations.conftest import APP

Ask = Callable[[str, str], object]
NAME = "followed"


@pytest.fixture
def pair() -> Iterator[tuple[str, str]]:
    """The URLs of one database on a primary, and on a standby that was made with pg_basebackup, streams from it and waits for nobody."""
    with TemporaryDirectory() as folder, EmbeddedServer(durable=True) as primary:
        Path(folder).chmod(0o755)  # the server may run as another account
        with psycopg.connect(primary.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {NAME} TEMPLATE template0".encode())
        with psycopg.connect(primary.url(NAME)) as connection:
            connection.execute(APP.encode())
        data = Path(folder) / "data"
        copying = [str(primary.bin_folder / "pg_basebackup"), "-D", str(data), "-R", "-c", "fast", "-d", primary.url()]
        subprocess.run(copying, check=True)
        owner = primary.data_folder.stat()
        for path in (data, *data.rglob("*")):
            shutil.chown(path, owner.st_uid, owner.st_gid)
        settings = {"hot_standby_feedback": "off", "max_standby_streaming_delay": "0", "hot_standby": "on"}
        with EmbeddedServer(data, durable=True, settings=settings) as standby:
            yield primary.url(NAME), standby.url(NAME)


def wait_until(what: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


def test_a_backup_that_the_primary_cancels_says_why_and_what_to_do(pair: tuple[str, str], store: Path, ask: Ask) -> None:
    primary, standby = pair
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'LOCK TABLE'"
    assert ask(standby, "SELECT pg_is_in_recovery()") is True
    with ThreadPoolExecutor(1) as pool, psycopg.connect(primary) as deleting, psycopg.connect(primary) as locking:
        # It must be older than the lock, whose transaction keeps VACUUM from what was deleted later
        deleting.execute("DELETE FROM messages WHERE id > 100")
        locking.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")  # replayed on the standby: it holds pg_dump in the middle
        with psycopg.connect(primary, autocommit=True) as working:
            working.execute("CREATE TABLE flushed ()")
            lsn = ask(primary, "SELECT pg_current_wal_lsn()")
            wait_until(lambda: ask(standby, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'"), "the lock never came to the standby")
            begun = pool.submit(backup, standby, store=store, lock_timeout=None)
            wait_until(lambda: ask(standby, waiting) or begun.done(), "pg_dump never waited")
            deleting.commit()
            working.execute("VACUUM messages")
        with pytest.raises(BackupFailed, match="conflict with recovery") as caught:
            begun.result(timeout=60)
    assert "hot_standby_feedback = on" in caught.value.remedy
    assert "back up the primary" in caught.value.remedy
    assert [p.name for p in store.iterdir()] == []
    made = backup(standby, store=store)  # nothing is in its way now
    assert {c.id: c.outcome for c in made.check_list}["backup.standby"] is Outcome.WARNED
