"""What a store holds, for Prometheus: the text exposition format 0.0.4.

Of no backup at all the age is +Inf and the time 0, so that an alarm on either goes off.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pgaudit_kit.operations.extracts.output_file import output_file
from pgaudit_kit.operations.store.list_backups import Listing
from pgaudit_kit.records.config import Config
from pgaudit_kit.records.stored_backup import StoredBackup
from pgaudit_kit.records.verdict import Outcome

_HELP = {
    "pgaudit_store_backups": "Whole backups in the store.",
    "pgaudit_store_problems": "Things in the store that are incomplete, unreadable or lost.",
    "pgaudit_rpo_seconds": "How old the newest backup may be, as the settings of the project say.",
    "pgaudit_rto_seconds": "How long a restore may take, as the settings of the project say.",
    "pgaudit_backup_age_seconds": "Seconds since the snapshot of the newest backup was taken.",
    "pgaudit_backup_proven_age_seconds": "The same of the newest that was verified or rehearsed with success; +Inf when none was.",
    "pgaudit_backup_timestamp_seconds": "When the snapshot of the newest backup was taken, Unix time.",
    "pgaudit_backup_proven_timestamp_seconds": "The same of the newest that was verified or rehearsed with success; 0 when none was.",
    "pgaudit_backup_size_bytes": "Size of the newest backup's dump; of an incremental one with all chunks, NaN when they cannot be read.",
    "pgaudit_backup_duration_seconds": "How long making and verifying the newest backup took; NaN when that was not recorded.",
    "pgaudit_backup_verdict": "1 for what is known of the newest backup, 0 for the other verdicts.",
}


@dataclass(frozen=True)
class _Sample:
    name: str
    labels: Mapping[str, str]
    value: float


def metrics_text(listing: Listing, config: Config | None = None) -> str:
    """Return the metrics of a store, of each target by itself; backups that hold a part of it apart, by the label `selection`.

    *config*: its `rpo` and `rto` are metrics, too, for alarms to compare with.
    """
    limits = {"pgaudit_rpo_seconds": config and config.rpo, "pgaudit_rto_seconds": config and config.rto}
    samples = [_Sample(name, {"store": listing.store.label}, limit.total_seconds()) for name, limit in limits.items() if limit]
    samples += _samples(listing)
    lines = []
    for name, help_text in _HELP.items():
        if name in limits and not limits[name]:
            continue
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(s.labels)} {_number(s.value)}" for s in samples if s.name == name]
    return "\n".join(lines) + "\n"


def write_metrics(listing: Listing, path: Path, config: Config | None = None) -> None:
    """Put the metrics at *path* in one step, readable by the collector. Raises UsageError, OperationError."""
    with output_file(path, overwrite=True, mode=0o644) as file:
        file.write(metrics_text(listing, config).encode("utf-8"))


def _samples(listing: Listing) -> Iterator[_Sample]:
    store = {"store": listing.store.label}
    yield _Sample("pgaudit_store_backups", store, len(listing.backups))
    yield _Sample("pgaudit_store_problems", store, sum(s.outcome is not None for s in listing.strays))
    ordered = sorted(listing.backups, key=lambda b: (b.target, b.selection))
    for (target, selection), group in groupby(ordered, key=lambda b: (b.target, b.selection)):
        labels = {**store, "target": target, "selection": selection}
        yield from _of_group(labels, listing, sorted(group, key=lambda b: b.taken_at))


def _of_group(labels: Mapping[str, str], listing: Listing, group: list[StoredBackup]) -> Iterable[_Sample]:
    newest = group[-1]
    proven = next((b for b in reversed(group) if b.is_proven), None)
    values = {
        "pgaudit_backup_age_seconds": listing.age_seconds(newest),
        "pgaudit_backup_proven_age_seconds": listing.age_seconds(proven) if proven else math.inf,
        "pgaudit_backup_timestamp_seconds": newest.taken_at.timestamp(),
        "pgaudit_backup_proven_timestamp_seconds": proven.taken_at.timestamp() if proven else 0,
        "pgaudit_backup_size_bytes": listing.held_bytes(newest),
        "pgaudit_backup_duration_seconds": math.nan if newest.seconds is None else newest.seconds,
    }
    verdicts = (_Sample("pgaudit_backup_verdict", {**labels, "verdict": str(o)}, o is newest.verdict) for o in Outcome)
    return [*(_Sample(name, labels, value) for name, value in values.items()), *verdicts]


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf"
    return "NaN" if math.isnan(value) else repr(round(float(value), 3)).removesuffix(".0")
