"""Notes in a remote store that something of a name is being written or deleted: who by, and since when.

A store behind a URL has no locks. So a note says which process of which machine is at it; when that process is gone, or after
three days, what it left is nobody's.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pgaudit_kit.operations.store.names import partial_name, safe_word

ABANDONED_AFTER = timedelta(days=3)
_MARK = "pgaudit_kit upload"
_START_TIME = 19  # field 22 of proc(5), counted behind the name of the program


@dataclass(frozen=True)
class UploadMarker:
    """`final`: the dump's name; `machine`: host, its last start and namespace of process ids; `at`: ISO 8601, UTC."""

    final: str
    machine: str
    pid: int
    at: str

    @classmethod
    def of_this_process(cls, final: str) -> UploadMarker:
        """The note that this process writes *final*."""
        return cls(final, this_machine(), os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def file(self) -> str:
        """Its name, which no other process gives."""
        return partial_name(self.final, f"{safe_word(socket.gethostname())}-{self.pid}-{uuid.uuid4().hex[:8]}")

    def to_json(self) -> str:
        """The note as JSON text."""
        return json.dumps({"what": _MARK, **asdict(self)}) + "\n"

    @classmethod
    def from_json(cls, text: str) -> UploadMarker | None:
        """Read what `to_json` wrote; None for anything else."""
        try:
            plain = json.loads(text)
            mark = plain.pop("what")
            marker = cls(**plain)
            return marker if mark == _MARK and marker.age(datetime.now(UTC)) is not None else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def age(self, now: datetime) -> timedelta:
        """How long ago it was written."""
        return now - datetime.fromisoformat(self.at)

    def is_abandoned(self, now: datetime) -> bool:
        """Whether its writer is gone: a process of this machine that does not live any more, or three days are over."""
        if self.age(now) > ABANDONED_AFTER:
            return True
        return self.machine == this_machine() and not process_lives(self.pid)


def this_machine() -> str:
    """What a process id means something in: this host since its last start, and in it the namespace of a container."""
    parts = [socket.gethostname()]
    if sys.platform == "linux":
        parts += [_text_of("/proc/sys/kernel/random/boot_id"), str(Path("/proc/self/ns/pid").readlink())]
    return " ".join(parts)


def _text_of(path: str) -> str:
    return re.sub(r"\s", "", Path(path).read_text(encoding="ascii"))


def process_lives(pid: int) -> bool:
    """Whether a process of this machine has the number *pid*; yes where that cannot be told."""
    if sys.platform == "win32":
        return True  # os.kill would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def born(pid: int) -> str:
    """When the process *pid* of this machine was started, in ticks since the machine was; "" when it is gone, or nobody tells."""
    if sys.platform != "linux":
        return ""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[_START_TIME]
    except (OSError, IndexError):
        return ""
