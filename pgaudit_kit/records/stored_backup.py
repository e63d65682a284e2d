"""A backup as a store keeps it, and what else lies there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.verdict import Outcome

_GOOD = frozenset({Outcome.PASSED, Outcome.WARNED})


@dataclass(frozen=True)
class StoredBackup:
    """A backup that has its name, its dump and its manifest.

    `name`: without suffix; `dump_file`: the dump's whole name in the store; `target`: which database it is of, the same text for all
    backups of one (`app-production (db.example:5432/app)`); `taken_at`: the moment of its snapshot, UTC; `size_bytes` and `sha256`: of
    the dump, as its manifest records them; `found_size_bytes`: as it lies there now; `rows`: None when not all are known; `seconds`:
    how long making it took; `partial`: it was told to leave something out; `evidence`: the proofs of these very bytes.
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
    partial: bool = False
    evidence: tuple[Evidence, ...] = ()

    def proof(self, kind: Proof) -> Evidence | None:
        """The last proof of that kind."""
        return next((e for e in self.evidence if e.proof is kind), None)

    @property
    def is_damaged(self) -> bool:
        """Whether it is known to be bad: of another size than it was, or a proof failed."""
        return self.found_size_bytes != self.size_bytes or any(e.verdict == Outcome.FAILED for e in self.evidence)

    @property
    def is_proven(self) -> bool:
        """Whether it was verified or rehearsed with success, and nothing speaks against it since."""
        return not self.is_damaged and any(e.verdict in _GOOD for e in self.evidence)

    @property
    def last_verdict(self) -> str:
        """What is known of it now: passed, warned, failed, not_checked."""
        if self.is_damaged:
            return Outcome.FAILED
        return max(self.evidence, key=lambda e: e.at).verdict if self.evidence else Outcome.NOT_CHECKED


@dataclass(frozen=True)
class Stray:
    """Something in a store that is no backup, or none any more: its name, and why."""

    name: str
    reason: str
