"""A backup as a store keeps it, and what else lies there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.verdict import Outcome, worst

_GOOD = frozenset({Outcome.PASSED, Outcome.WARNED})


@dataclass(frozen=True)
class StoredBackup:
    """A backup that has its name, its dump and its manifest.

    `name`: without suffix; `dump_file`: the dump's whole name in the store; `target`: which database it is of, the same text for all
    backups of one (`app-production (db.example:5432/app)`); `taken_at`: the moment of its snapshot, UTC; `size_bytes` and `sha256`: of
    the dump, as its manifest records them; `found_size_bytes`: as it lies there now; `rows`: None when not all are known; `seconds`:
    how long making it took; `selection`: what it was told to hold or leave out, "" when it is whole; `portable`: without owners and
    privileges; `evidence`: the proofs of these very bytes; `encoding`: of the database.
    """

    name: str
    dump_file: str
    target: str
    database: str
    taken_at: datetime
    size_bytes: int
    found_size_bytes: int
    sha256: str
    format: str
    rows: int | None = None
    seconds: float | None = None
    selection: str = ""
    portable: bool = False
    evidence: tuple[Evidence, ...] = ()
    encoding: str = ""

    def proof(self, kind: Proof) -> Evidence | None:
        """The last proof of that kind."""
        return next((e for e in self.evidence if e.proof is kind), None)

    @property
    def partial(self) -> bool:
        """Whether it was told to leave something out."""
        return bool(self.selection)

    @property
    def is_damaged(self) -> bool:
        """Whether it is known to be bad: of another size than it was, or a proof failed."""
        return self.found_size_bytes != self.size_bytes or any(e.verdict == Outcome.FAILED for e in self.evidence)

    @property
    def is_proven(self) -> bool:
        """Whether it was verified or rehearsed with success, and nothing speaks against it since."""
        return not self.is_damaged and any(e.verdict in _GOOD for e in self.evidence)

    @property
    def verdict(self) -> Outcome:
        """What is known of it now: passed or warned when it is proven, failed when it is damaged, else not_checked."""
        if self.is_damaged:
            return Outcome.FAILED
        return worst(Outcome(e.verdict) for e in self.evidence if e.verdict in _GOOD)


class StrayKind(StrEnum):
    """What it is, from harmless to lost."""

    FOREIGN = "foreign"
    LOCK = "lock"
    WRITING = "writing"
    ABANDONED = "abandoned"
    INDEX = "index"
    UNREADABLE = "unreadable"
    INCOMPLETE = "incomplete"
    LOST = "lost"


_OUTCOMES = {StrayKind.UNREADABLE: Outcome.NOT_CHECKED, StrayKind.INCOMPLETE: Outcome.NOT_CHECKED, StrayKind.LOST: Outcome.FAILED}


@dataclass(frozen=True)
class Stray:
    """Something in a store that is no backup, or none any more: its name, and in words what it is."""

    name: str
    kind: StrayKind
    reason: str

    @property
    def outcome(self) -> Outcome | None:
        """What it says of the store; None when that it is there says nothing."""
        return _OUTCOMES.get(self.kind)
