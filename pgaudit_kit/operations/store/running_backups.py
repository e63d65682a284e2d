"""Notes in a store that an incremental backup is running: a sweep deletes nothing that was condemned after one of them began.

A backup that begins takes for granted what is in packs that are not condemned then. So it writes its note before it looks, and
removes it when its own file has its name, or it has failed; what a killed one left is nobody's when its process is gone, or three
days after its last sign of life.
"""

from __future__ import annotations

import json
import os
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from pgaudit_kit.operations.store.names import safe_word
from pgaudit_kit.operations.store.store_folder import StoreFolder
from pgaudit_kit.operations.store.upload_markers import ABANDONED_AFTER, born, process_lives, this_machine

_MARK = "pgaudit_kit running backup"
BACKUP, SWEEP = "running", "sweeping"
_NAME = re.compile(rf"(?P<what>{BACKUP}|{SWEEP})-.+\.json\Z")
_SIGN_OF_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class RunningBackup:
    """A backup of the database `target` (`Target.place`) that may take over lists of `base` ("": none); `began`, `seen`: ISO 8601.

    `born`: what tells its process from a later one of the same number, "" where the system does not say.
    """

    target: str
    base: str
    machine: str
    pid: int
    began: str
    seen: str
    born: str = ""

    @property
    def began_at(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.began)

    def is_over(self, now: datetime) -> bool:
        """Whether it was killed: its process on this machine is gone, or nothing was heard of it for three days."""
        if self.machine == this_machine():
            started = born(self.pid)
            return not process_lives(self.pid) or bool(self.born and started and self.born != started)
        return now - datetime.fromisoformat(self.seen) > ABANDONED_AFTER


class RunningNote:
    """The note of this process in *folder*, which is kept fresh."""

    def __init__(self, folder: StoreFolder, target: str, what: str = BACKUP) -> None:
        now = datetime.now(UTC)
        self._folder = folder
        self.file = f"{what}-{safe_word(socket.gethostname())}-{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
        self._at = now
        stamp = now.isoformat(timespec="seconds")
        self._note = RunningBackup(target, "", this_machine(), os.getpid(), stamp, stamp, born(os.getpid()))
        self._write(now)

    def builds_on(self, base: str) -> None:
        """Say which backup it builds on."""
        self._note = replace(self._note, base=base)
        self._write(datetime.now(UTC))

    def is_alive(self) -> None:
        """Give a sign of life, when the last one is some minutes old."""
        now = datetime.now(UTC)
        if now - self._at > _SIGN_OF_LIFE:
            self._write(now)

    def remove(self) -> None:
        """It is over."""
        self._folder.remove(self.file)

    def _write(self, now: datetime) -> None:
        self._at = now
        self._note = replace(self._note, seen=now.isoformat(timespec="seconds"))
        self._folder.write(self.file, json.dumps({"what": _MARK, **asdict(self._note)}).encode("utf-8") + b"\n")


@contextmanager
def running_note(folder: StoreFolder, target: str, what: str = BACKUP) -> Iterator[RunningNote]:
    """Leave a note in *folder* that a backup of *target* (or *what* else) is running, until the block ends. Raises StoreFailed."""
    note = RunningNote(folder, target, what)
    try:
        yield note
    finally:
        note.remove()


def running_backups(folder: StoreFolder, what: str = BACKUP) -> dict[str, RunningBackup | None]:
    """The notes in *folder*, by file; None for one that cannot be read, which says only that something may be running."""
    files = [file for file in folder.sizes() if (match := _NAME.match(file)) and match["what"] == what]
    return {file: _read(content) for file, content in folder.read_many(files)}


def _read(content: bytes) -> RunningBackup | None:
    try:
        plain = json.loads(content)
        if plain.pop("what") != _MARK:
            return None
        note = RunningBackup(**plain)
        return note if (note.began_at.tzinfo and datetime.fromisoformat(note.seen).tzinfo) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
