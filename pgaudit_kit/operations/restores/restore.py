"""Restore safely: beside the live database, in one transaction, proven, and only then under its name."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.expectations import Settings, settings_of
from pgaudit_kit.audits.proof import prove
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.same import told_to_leave_out
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.checks.times import check_duration
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import PgAuditError, QueryFailed, RestoreFailed, UsageError
from pgaudit_kit.operations.backups.backup import Backup
from pgaudit_kit.operations.backups.read_back import is_proven
from pgaudit_kit.operations.restores.database_facts import check_carried, create_like, create_new
from pgaudit_kit.operations.restores.expected_source import expected_source
from pgaudit_kit.operations.restores.in_place import restore_in_place
from pgaudit_kit.operations.restores.leftovers import STAGED_LIMIT, mark_staged
from pgaudit_kit.operations.restores.load_dump import Loaded, load_dump
from pgaudit_kit.operations.restores.load_errors import restore_failed
from pgaudit_kit.operations.restores.local_dump import unpacked
from pgaudit_kit.operations.restores.maintenance import database_oid, maintenance_connection, target_to_fill
from pgaudit_kit.operations.restores.preflight import Options, Plan, plan_restore
from pgaudit_kit.operations.restores.recovery import Standing, tidy_up, untouched
from pgaudit_kit.operations.restores.replace_database import exchange
from pgaudit_kit.operations.restores.restore_lock import check_lock_held, restore_lock
from pgaudit_kit.operations.restores.restored import Confirm, Replacement, Restore
from pgaudit_kit.operations.restores.retention import drop_unused
from pgaudit_kit.operations.restores.swap import drop_database
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.connection import connect, refused_queries
from pgaudit_kit.server.snapshot import snapshot
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine


@dataclass(frozen=True)
class _Job:
    """What to restore, what it must equal, where to, and what was asked for."""

    dump: Dump
    expected: Source
    verification: AuditResult
    target: Target
    options: Options
    begun: float


def restore(
    backup: Backup | str | os.PathLike[str],
    target: Target | str | Engine | URL,
    *,
    confirm: Confirm,
    manifest: Manifest | str | os.PathLike[str] | None = None,
    force: bool = False,
    no_owner: bool = False,
    no_tablespaces: bool = False,
    jobs: int = 1,
    drop_old: bool = False,
    keep: int | None = None,
    drop_leftovers: bool = False,
    accept_partial: bool = False,
    in_place: bool = False,
    replace_contents: bool = False,
    store: str | os.PathLike[str] = "backups",
    config: Settings = None,
) -> Restore:
    """Restore *backup* as the database of *target*, proven, without ever leaving that database half changed.

    The file is verified first (against *manifest*, default the one beside it). It is restored into `NAME__restore_TIME`, proven
    there against the manifest (without one: against the dump itself) and analyzed. Then *confirm* is asked, and the names are
    exchanged in one transaction; the database before it is kept as `NAME__before_TIME`. A database that does not exist yet is made,
    without asking. What an earlier restore that was killed left behind is dropped, and said.

    *force*: end the sessions of others. *no_owner*: leave owners and privileges out; *no_tablespaces*: put everything into the
    database's own tablespace. *jobs*: how many connections load an archive of format custom or directory. *drop_old*: drop the
    database that was replaced. *keep*: of the databases that restores and rollbacks of this one kept, keep this many, the newest;
    *confirm* is told which ones go. *drop_leftovers*: drop what has the name of a leftover, but not our mark, too.
    *accept_partial*: let a backup of a part, or of nothing, replace the whole database, which is refused otherwise.
    *in_place*, for roles that may not create databases: see `restore_in_place`; *replace_contents* and *store* are for that alone.
    *config*: as of `verify`; a restore that took longer than its `rto` is a warning.

    Returns a Restore; with the verdict failed or not_checked nothing was replaced. Raises RestoreFailed, with the state and the way
    on said, when it could not be done (`party`: whose fault it is; BadBackup: the dump's), UsageError for a dump that is no local file,
    and the errors of read_dump, load_manifest, resolve_target and connect.
    """
    rto = settings_of(config).rto
    options = Options(not no_owner, not no_tablespaces, force, jobs, drop_old, keep, drop_leftovers, accept_partial)
    if in_place and options != Options(owners=options.owners, accept_partial=accept_partial):
        what = "a restore in place ends no sessions, uses one connection, and makes, keeps and drops no databases"
        raise UsageError(what, remedy="Of the options leave all out but no_owner, accept_partial, replace_contents, store and manifest.")
    if replace_contents and not in_place:
        raise UsageError("only a restore in place replaces contents", remedy="Add in_place (--in-place), or leave it out.")
    if in_place:
        done: Restore = restore_in_place(
            backup,
            target,
            confirm=confirm,
            manifest=manifest,
            store=store,
            replace_contents=replace_contents,
            no_owner=no_owner,
            accept_partial=accept_partial,
        )
    else:
        done = _restore_beside(_job_of(backup, target, manifest, options), confirm)
    return timed(done, rto)


def _restore_beside(job: _Job, confirm: Confirm) -> Restore:
    """Restore it, if its verification has proven it; else say why nothing was touched."""
    if is_proven(job.verification, job.expected):
        with unpacked(job.dump) as dump:
            return _carry_out(replace(job, dump=dump), confirm)
    why = "failed its verification" if job.verification.verdict is Outcome.FAILED else "could not be verified completely"
    return Restore(
        job.target.database,
        f"{job.dump.label} {why}, so nothing was touched.",
        job.verification.check_list,
        verification=job.verification,
        seconds=time.monotonic() - job.begun,
    )


def timed(done: Restore, rto: timedelta | None) -> Restore:
    """The same with the check of how long it took; of one that replaced nothing, or without *rto*, that is not asked."""
    if rto is None or not done.replaced:
        return done
    check = check_duration(done.seconds, rto=rto, of="reading, proving and your answer included", at_worst=Outcome.WARNED)
    return replace(done, check_list=(*done.check_list, check))


def _job_of(
    backup: Backup | str | os.PathLike[str],
    target: Target | str | Engine | URL,
    manifest: Manifest | str | os.PathLike[str] | None,
    options: Options,
) -> _Job:
    """Find out what is meant, and verify the dump."""
    begun = time.monotonic()
    resolved = target_to_fill(target)
    given = backup.path if isinstance(backup, Backup) else backup
    dump = read_dump(given)
    expected = expected_source(dump, manifest, given=given)  # what is no local file is refused before anything else
    verification = verify(dump, manifest=expected if isinstance(expected, Manifest) else None)
    # a portable archive names owners all the same; a portable script does not, so there is nothing to leave out
    portable = "owner" in told_to_leave_out(expected) and dump.provenance.format != "plain"
    return _Job(dump, expected, verification, resolved, replace(options, owners=options.owners and not portable), begun)


def _carry_out(job: _Job, confirm: Confirm) -> Restore:
    """Plan, load, prove, ask and exchange; whatever stops that, the staging database does not stay behind."""
    with restore_lock(job.target) as lock, maintenance_connection(job.target) as connection:
        plan = plan_restore(job.dump, job.expected, job.target, connection, job.options)
        oid: int | None = None
        try:
            oid = _create_staging(job, plan, connection)
            return _stage_and_exchange(job, plan, connection, confirm=_while_locked(confirm, job.target, lock))
        except BaseException as error:  # Ctrl-C included
            if oid is None and isinstance(error, PgAuditError):
                raise  # the server refused to make it, so what has that name is somebody else's
            standing = tidy_up(job.target, plan, oid)
            if isinstance(error, PgAuditError) and not isinstance(error, UsageError):
                raise _failed(job, error, standing) from error
            if isinstance(error, KeyboardInterrupt):
                error.add_note(" ".join([f"{standing.state}.", *standing.steps]))
            raise


def _while_locked(confirm: Confirm, target: Target, lock: psycopg.Connection[Any]) -> Confirm:
    """Ask, and then make sure that no other restore can have begun meanwhile."""

    def ask(replacement: Replacement) -> bool:
        agreed = confirm(replacement)
        check_lock_held(target, lock)
        return agreed

    return ask


def _failed(job: _Job, error: PgAuditError, standing: Standing) -> RestoreFailed:
    """The error of a restore that stopped: what happened, how the server stands, and how to go on from there."""
    return restore_failed(
        error,
        f"{error.message.rstrip('.')}; {standing.state}",
        resource=job.target.label,
        remedy=" ".join(filter(None, [error.remedy, *standing.steps])),
    )


def _create_staging(job: _Job, plan: Plan, connection: psycopg.Connection[Any]) -> int | None:
    """Make the empty staging database with the locale that was chosen; return its oid."""
    own = "" if plan.live else f"Create the database {job.target.database!r} with a locale that the server knows, then restore again."
    version = connection.info.server_version
    if plan.live:
        create = create_like(plan.staging, plan.live, version, locale=plan.locale, connection_limit=STAGED_LIMIT)
    else:
        create = create_new(plan.staging, plan.locale, version, connection_limit=STAGED_LIMIT)
    try:
        with refused_queries(job.target.label, f"creating {plan.staging!r}", remedy=own):
            connection.execute(create)
    except QueryFailed as error:
        raise RestoreFailed(f"nothing was touched: {error.message}", resource=job.target.label, remedy=error.remedy) from error
    return database_oid(connection, plan.staging)


def _stage_and_exchange(job: _Job, plan: Plan, connection: psycopg.Connection[Any], *, confirm: Confirm) -> Restore:
    with refused_queries(job.target.label, "restoring"):
        connection.execute(mark_staged(plan.staging))
        loaded, proof = _load_and_prove(job, plan, connection)
        checks = [*plan.checks, *proof.check_list]
        proven = is_proven(proof, job.expected)
        replaced = exchange(job.target, plan, connection, confirm=confirm, force=job.options.force) if proven else None
        if not proven:
            drop_database(connection, plan.staging)
        if replaced is not None:
            checks.append(check_carried(replaced, connection))
        if proven and plan.dropped:
            checks.append(drop_unused(connection, plan.dropped))
        kept = plan.kept if replaced is not None and database_oid(connection, plan.kept) is not None else None
    return Restore(
        job.target.database,
        _state(job, plan, proof, kept, proven=proven),
        tuple(checks),
        replaced=proven,
        kept=kept,
        verification=job.verification,
        programs=tuple(map(str, loaded.programs)),
        left_out=loaded.left_out,
        benign=loaded.benign,
        unasked=(*plan.unasked, *_slower(job, loaded)),
        seconds=time.monotonic() - job.begun,
    )


def _slower(job: _Job, loaded: Loaded) -> tuple[str, ...]:
    if loaded.jobs == job.options.jobs:
        return ()
    return ("It was loaded over one connection: scripts, tar archives and settings that the server does not know leave no other way.",)


def _state(job: _Job, plan: Plan, proof: AuditResult, kept: str | None, *, proven: bool) -> str:
    """How the server stands, in one sentence."""
    name = job.target.database
    if not proven:
        why = "is not" if proof.verdict is Outcome.FAILED else "could not be proven to be"
        return f"What was restored {why} what was backed up, so it was dropped; {untouched(job.target, plan).state}."
    if plan.live is None:
        return f"{name!r} is the restored database."
    return f"{name!r} is the restored database; the one before it is {f'kept as {kept!r}' if kept else 'dropped'}."


def _load_and_prove(job: _Job, plan: Plan, connection: psycopg.Connection[Any]) -> tuple[Loaded, AuditResult]:
    """Load the dump into the staging database, prove it there, and analyze it."""
    staging, options = job.target.with_database(plan.staging), job.options
    loaded = load_dump(job.dump, staging, connection, owners=options.owners, tablespaces=options.tablespaces, jobs=options.jobs)
    ignore = frozenset() if options.owners else frozenset({"owner", "acl"})
    with snapshot(staging) as restored:
        proof = prove(job.expected, restored, ignore=ignore if options.tablespaces else ignore | {"tablespace"})
    with connect(staging, read_only=False, autocommit=True) as analyzing:
        analyzing.execute("ANALYZE")
    return loaded, proof
