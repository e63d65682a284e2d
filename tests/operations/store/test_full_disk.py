"""A disk that is full at any moment of a backup leaves what was there, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.errors import BackupFailed
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.store import Store
from tests.conftest import missing
from tests.operations.store.conftest import AT, finish, manifest_of, put

SIZE = 1024 * 1024
ENOUGH = 40 * 1024
MORE_ROWS = """
INSERT INTO users (name)
    SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 64) i, generate_series(1, 2000) j GROUP BY j
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a file system of 1 MiB in memory."""
    if sys.platform != "linux" or os.geteuid() != 0:
        missing("a small file system, which only root can mount, and only on Linux,")
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "pgaudit", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        missing(f"a small file system ({made.stderr.strip()})")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(store: Store, path: Path, room: int) -> None:
    """Write to *path* until only about *room* bytes are left."""
    free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
    path.write_bytes(os.urandom(max(free - room, 0)))
    assert store.label in str(path)


@pytest.mark.parametrize("room", [0, 4096, 8192, ENOUGH])
def test_without_room_for_what_belongs_beside_the_dump_there_is_no_backup(room: int, small_disk: Path) -> None:
    store = open_store(small_disk / "backups", create=True)
    where = put(store)
    before = store.entries()
    large = manifest_of("x" * 5000, AT)  # so that the manifest needs more than one page

    def one_more() -> None:
        with store.receive("app-20260201T000000Z", ".dump") as incoming:
            fill(store, incoming.path, room)
            finish(incoming, large)

    if room < ENOUGH:
        with pytest.raises(OSError, match="No space left"):
            one_more()
        assert store.entries() == before
    else:
        one_more()
        assert len(store.backups()) == 2
    assert Path(where).exists()
    assert store.look()[1] == ()


def test_a_backup_of_more_than_the_disk_can_hold_fails_and_says_so(make_app: Callable[..., str], small_disk: Path) -> None:
    url = make_app("too_large_for_it")
    store = open_store(small_disk / "backups", create=True)
    first = backup(url, store=store)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(MORE_ROWS)
    with pytest.raises(BackupFailed, match="No space left") as caught:
        backup(url, store=store)
    assert caught.value.remedy
    assert [store.open(b) for b in store.backups()] == [first.location]
    assert store.look()[1] == ()
