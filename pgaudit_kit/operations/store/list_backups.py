"""What a store holds, as a frame and as `--json` prints it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pgaudit_kit.display import frames
from pgaudit_kit.operations.store.chunk_sizes import ChunkSizes, chunk_sizes
from pgaudit_kit.operations.store.names import INCREMENTAL_FORMAT
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.retention import Kept, Retention, plan
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.stored_backup import StoredBackup, Stray

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Listing:
    """The backups of a store, newest first, at the moment `now`; what else lies there; and the rules that keep each, by its name.

    `sizes`: what the chunks of incremental ones take.
    """

    store: Store
    now: datetime
    backups: tuple[StoredBackup, ...]
    strays: tuple[Stray, ...]
    kept_by: Mapping[str, tuple[str, ...]]
    sizes: ChunkSizes = field(default_factory=ChunkSizes)

    def age_seconds(self, backup: StoredBackup) -> float:
        """How long ago its snapshot was taken."""
        return (self.now - backup.taken_at).total_seconds()

    def frame(self) -> DataFrame:
        """Frame `backups` (display.frames.SCHEMAS)."""
        return frames.frame(
            "backups",
            (
                (
                    *(b.target, b.taken_at, self.now - b.taken_at, b.found_size_bytes, b.rows, b.format, b.partial),
                    *(_verdict(b.proof(proof)) for proof in (Proof.VERIFIED, Proof.REHEARSED)),
                    *(str(b.verdict), ", ".join(self.kept_by[b.name]) if b.name in self.kept_by else None, self.store.open(b)),
                )
                for b in self.backups
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "store": self.store.label,
            "backups": [self._backup_to_dict(b) for b in self.backups],
            "strays": [{"name": s.name, "kind": str(s.kind), "reason": s.reason} for s in self.strays],
        }

    def held_bytes(self, backup: StoredBackup) -> float:
        """What a backup takes, of an incremental one with all its chunks, shared or not: NaN when these cannot be told."""
        if backup.format == INCREMENTAL_FORMAT and backup.dump_file not in self.sizes.used:
            return math.nan
        return backup.found_size_bytes + self.sizes.of(backup.dump_file)

    @cached_property
    def own_bytes(self) -> dict[str, int]:
        """For each incremental backup, by its file, what its chunks take that no other backup uses."""
        return self.sizes.own()

    def _chunks_to_dict(self, backup: StoredBackup) -> dict[str, Any]:
        if backup.dump_file not in self.own_bytes:
            return {}
        own = self.own_bytes[backup.dump_file]
        return {"own_chunks_bytes": own, "shared_chunks_bytes": self.sizes.of(backup.dump_file) - own}

    def _backup_to_dict(self, backup: StoredBackup) -> dict[str, Any]:
        return {
            "backup": backup.dump_file,
            "target": backup.target,
            "database": backup.database,
            "when": backup.taken_at.isoformat(),
            "age_seconds": round(self.age_seconds(backup)),
            "size_bytes": backup.found_size_bytes,
            **self._chunks_to_dict(backup),
            "rows": backup.rows,
            "seconds": backup.seconds,
            "format": backup.format,
            "selection": backup.selection,
            "portable": backup.portable,
            "sha256": backup.sha256,
            **{str(proof): _proof_to_dict(backup.proof(proof)) for proof in Proof},
            "verdict": str(backup.verdict),
            "kept_by": list(self.kept_by.get(backup.name, ())),
        }


def list_store(store: str | os.PathLike[str] | Store, *, keep: Retention | None = None, zone: tzinfo = UTC) -> Listing:
    """Look at *store*, changing nothing; *keep*: the rules whose plan is told. Raises the errors of `open_store`."""
    place = open_store(store)
    backups, strays = place.look()
    now = datetime.now(zone)
    rules = keep or Retention()
    sizes = chunk_sizes(place, backups)
    fates = plan(backups, rules, now, sizes) if not rules.are_none else ()
    kept_by = {fate.backup.name: fate.rules for fate in fates if isinstance(fate, Kept)}
    return Listing(place, now, tuple(reversed(backups)), strays, kept_by, sizes)


def backups(store: str | os.PathLike[str] | Store = "backups", *, keep: Retention | None = None, zone: tzinfo = UTC) -> DataFrame:
    """Return the backups in *store* (a folder, a URL, what `open_store` gave), newest first, as the frame `backups`.

    With *keep* its column `kept_by` names the rules that keep each; days, weeks … are those of *zone*. Nothing is changed.
    Raises UsageError when there is no such store, StoreFailed when it cannot be read.
    """
    return list_store(store, keep=keep, zone=zone).frame()


def _verdict(evidence: Evidence | None) -> str | None:
    return evidence.verdict if evidence else None


def _proof_to_dict(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {"verdict": evidence.verdict, "at": evidence.at, "by": evidence.by, "server": evidence.server, "seconds": evidence.seconds}
