"""`pgaudit prune`: delete the backups that no rule keeps, after showing which."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli import retention_options as keep
from pgaudit_kit.cli.config_option import DEFAULT_STORE, ConfigOption, configured
from pgaudit_kit.cli.encryption_options import EncryptTo
from pgaudit_kit.cli.list_backups import StoreOption, shown_size
from pgaudit_kit.cli.output import Json, print_json, print_table, print_verdict, say, visible
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import EXIT_CODES, Outcome

if TYPE_CHECKING:
    from pgaudit_kit.operations.store.prune import Fate, Pruned


def prune(
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
    grace: Annotated[
        str, typer.Option("--grace", help="How long chunks of incremental backups stay after no backup uses them any more: 0h, 24h, 7d.")
    ] = "24h",
    encrypt_to: EncryptTo = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    config: ConfigOption = None,
    json: Json = False,
) -> None:
    """Delete the backups that no rule keeps.

    The plan is shown first. Each target is planned by itself; its newest proven backup always stays, and so do damaged ones and all
    that pgaudit did not write. Of incremental backups, chunks that none uses any more are marked, and deleted by a later prune, --grace
    afterwards: a backup that runs meanwhile loses nothing.

    Example: pgaudit prune --store backups --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --dry-run
    """
    from pgaudit_kit.operations.store.prune import prune as delete

    def confirm(fates: Sequence[Fate]) -> bool:
        if not json:
            _print_plan(fates)
        return yes or not _doomed(fates) or _asked(fates)

    settings = configured(config)
    counts = (keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly)
    rules = keep.retention(counts, within=keep_within, max_total_size=max_total_size, settings=settings)
    done = delete(
        store or settings.store or DEFAULT_STORE,
        rules,
        confirm=confirm,
        dry_run=dry_run,
        zone=keep.as_zone(timezone),
        grace=keep.as_grace(grace),
        recipients=encrypt_to or (),
    )
    verdict = Outcome.NOT_CHECKED if done.swept.not_swept and not done.swept.later else Outcome.PASSED
    if json:
        print_json({"verdict": str(verdict), "dry_run": dry_run, **done.to_dict()})
    else:
        _print_done(done, verdict, dry_run=dry_run)
    raise typer.Exit(EXIT_CODES[verdict])


def _print_done(done: Pruned, verdict: Outcome, *, dry_run: bool) -> None:
    if dry_run:
        _print_plan(done.fates)
    print_verdict(verdict, _sentence(done), _not_swept(done))
    for line in _about_packs(done, dry_run=dry_run):
        say(f"  → {line}")
    if done.cleaned:
        say(f"  → also removed what killed runs had left: {visible(', '.join(done.cleaned))}")


def _sentence(done: Pruned) -> str:
    doomed = _doomed(done.fates)
    if not doomed:
        kept = "the one backup" if len(done.fates) == 1 else f"all {many(len(done.fates), 'backup')}"
        return f"{kept} in {done.store} {'is' if len(done.fates) == 1 else 'are'} kept."
    if done.deleted:
        return f"deleted {len(done.deleted)} of {many(len(done.fates), 'backup')} in {done.store}, {shown_size(done.freed_bytes)} freed."
    return f"nothing was deleted; {len(doomed)} of {many(len(done.fates), 'backup')} in {done.store} would be."


def _not_swept(done: Pruned) -> list[str]:
    return [f"chunks of incremental backups were not swept: {done.swept.not_swept}"] if done.swept.not_swept else []


def _about_packs(done: Pruned, *, dry_run: bool) -> Iterator[str]:
    """What became of the chunks of incremental backups; nothing where there are none."""
    swept = done.swept
    if done.needed:
        yield f"kept for now, since a running backup builds on them: {visible(', '.join(done.needed))}"
    if swept.deleted:
        were = "was" if len(swept.deleted) == 1 else "were"
        yield f"{many(len(swept.deleted), 'pack')} that no backup uses {were} deleted, {shown_size(swept.freed_bytes)} freed"
    if swept.waiting_bytes and not dry_run:
        yield f"packs of {shown_size(swept.waiting_bytes)} are of little or no use; a prune after their grace deletes them"


def _doomed(fates: Sequence[Fate]) -> list[Fate]:
    return [fate for fate in fates if not fate.is_kept]


def _print_plan(fates: Sequence[Fate]) -> None:
    rows = []
    for fate in fates:
        when, size = f"{fate.backup.taken_at:%Y-%m-%d %H:%M:%S}", shown_size(fate.backup.found_size_bytes)
        rows.append(("keep" if fate.is_kept else "delete", fate.backup.target, when, size, fate.why))
    print_table("Plan", ["", "target", "when (UTC)", "size", "why"], rows, right=["size"], shown=None)


def _asked(fates: Sequence[Fate]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm, so nothing was deleted", remedy="Add --yes when a script is sure, or --dry-run.")
    doomed = _doomed(fates)
    size = shown_size(sum(fate.backup.found_size_bytes for fate in doomed))
    print(f"Type yes to delete {len(doomed)} of {many(len(fates), 'backup')} ({size}): ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == "yes"
