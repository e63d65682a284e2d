"""`pgaudit list`: what a store holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli import retention_options as keep
from pgaudit_kit.cli.config_option import DEFAULT_STORE, ConfigOption, configured
from pgaudit_kit.cli.every_command import written
from pgaudit_kit.cli.output import Json, print_json, print_table, visible
from pgaudit_kit.errors import UsageError

if TYPE_CHECKING:
    from pgaudit_kit.operations.store.list_backups import Listing
    from pgaudit_kit.records.stored_backup import StoredBackup, Stray

StoreOption = Annotated[
    str | None, typer.Option("--store", help="What keeps the backups: a folder, or a URL such as s3://bucket/folder. [default: backups]")
]
_UNITS = ("B", "kB", "MB", "GB", "TB")
_SPANS = (("d", 24 * 3600), ("h", 3600), ("min", 60))
_COLUMNS = ("target", "when (UTC)", "age", "size", "rows", "format", "verified", "rehearsed", "verdict", "kept by", "backup")


def list(  # noqa: A001  the word of the command
    store: StoreOption = None,
    keep_last: keep.Last = 0,
    keep_hourly: keep.Hourly = 0,
    keep_daily: keep.Daily = 0,
    keep_weekly: keep.Weekly = 0,
    keep_monthly: keep.Monthly = 0,
    keep_yearly: keep.Yearly = 0,
    keep_within: keep.Within = None,
    max_total_size: keep.MaxTotal = None,
    timezone: keep.Zone = "UTC",
    metrics: Annotated[bool, typer.Option("--metrics", help="Print metrics for Prometheus instead.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="With --metrics or --json: a file, replaced in one step.")
    ] = None,
    config: ConfigOption = None,
    json: Json = False,
) -> None:
    """List the backups: how old are they, which are proven?

    With rules, which of them keep each. Nothing is changed. The exit code is 0 also when one is damaged: verify --all judges.

    Example: pgaudit list --store backups --keep-daily 7 --keep-weekly 4
    """
    from pgaudit_kit.operations.store.list_backups import list_store
    from pgaudit_kit.operations.store.metrics import metrics_text, write_metrics

    if output and not (metrics or json):
        raise UsageError("--output is for --metrics and --json", resource="--output", remedy="Add one of them, or leave it out.")
    settings = configured(config)
    counts = (keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly)
    rules = keep.retention(counts, within=keep_within, max_total_size=max_total_size, settings=settings)
    listing = list_store(store or settings.store or DEFAULT_STORE, keep=rules, zone=keep.as_zone(timezone))
    if json:
        with written(output, whole=True):
            print_json(listing.to_dict())
    elif output:
        write_metrics(listing, output, settings)
    elif metrics:
        print(metrics_text(listing, settings), end="")
    else:
        _print_listing(listing)


def _print_listing(listing: Listing) -> None:
    rows = [_row(listing, backup) for backup in listing.backups]
    title = f"Backups in {listing.store.label}"
    print_table(title, _COLUMNS, rows, right=["age", "size", "rows"], shown=None)
    print_strays(listing.strays)
    if not rows:
        print(f"no backup in {visible(listing.store.label)}")


def _row(listing: Listing, backup: StoredBackup) -> tuple[str | int | None, ...]:
    proofs = {str(e.proof): e.verdict.replace("_", " ") for e in backup.evidence}
    return (
        backup.target,
        f"{backup.taken_at:%Y-%m-%d %H:%M:%S}",
        shown_age(listing.age_seconds(backup)),
        _size(listing, backup),
        backup.rows,
        f"{backup.format}, partial" if backup.partial else backup.format,
        proofs.get("verified"),
        proofs.get("rehearsed"),
        backup.verdict.replace("_", " "),
        ", ".join(listing.kept_by.get(backup.name, ())),
        backup.dump_file,
    )


def _size(listing: Listing, backup: StoredBackup) -> str:
    """Of an incremental backup: what it takes by itself, of all that it holds."""
    own = listing.own_bytes.get(backup.dump_file)
    if own is None:
        return shown_size(backup.found_size_bytes)
    total = backup.found_size_bytes + listing.sizes.of(backup.dump_file)
    return f"{shown_size(backup.found_size_bytes + own)} of {shown_size(total)}"


def print_strays(strays: Sequence[Stray]) -> None:
    """Print what else lies in a store, and what it is."""
    print_table("What else lies there", ["name", "what it is"], [(s.name, s.reason) for s in strays])


def shown_size(size_bytes: float) -> str:
    """A size for people: 20.2 MB."""
    unit = 0
    while size_bytes >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004  the step between two units
        size_bytes /= 1000
        unit += 1
    return f"{size_bytes:.1f} {_UNITS[unit]}" if unit else f"{size_bytes:.0f} B"


def shown_age(seconds: float) -> str:
    """An age for people, in the largest unit that fits: 3.5 d."""
    unit, length = next(((u, n) for u, n in _SPANS if abs(seconds) >= n), ("s", 1))
    return f"{seconds / length:.1f} {unit}" if length > 1 else f"{seconds:.0f} s"
