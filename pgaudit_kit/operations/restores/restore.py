"""Restore safely: beside the live database, in one transaction, proven, and only then under its name."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.proof import prove
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import PgAuditError, QueryFailed, RestoreFailed, UsageError
from pgaudit_kit.operations.backups.backup import Backup, is_proven
from pgaudit_kit.operations.restores.database_facts import Locale, check_carried, create_like, create_new
from pgaudit_kit.operations.restores.expected_source import expected_source
from pgaudit_kit.operations.restores.in_place import restore_in_place
from pgaudit_kit.operations.restores.load_dump import Loaded, load_dump
from pgaudit_kit.operations.restores.local_dump import local_path
from pgaudit_kit.operations.restores.maintenance import database_oid, maintenance_connection, named_target
from pgaudit_kit.operations.restores.preflight import Plan, plan_restore
from pgaudit_kit.operations.restores.replace_database import exchange
from pgaudit_kit.operations.restores.restored import Confirm, Restore
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
    """What to restore, what it must equal, and where to."""

    dump: Dump
    expected: Source
    verification: AuditResult
    target: Target
    owners: bool


def restore(
    backup: Backup | str | os.PathLike[str],
    target: Target | str | Engine | URL,
    *,
    confirm: Confirm,
    manifest: Manifest | str | os.PathLike[str] | None = None,
    force: bool = False,
    no_owner: bool = False,
    keep: bool = True,
    drop_leftovers: bool = False,
    in_place: bool = False,
    replace_contents: bool = False,
    store: str | os.PathLike[str] = "backups",
) -> Restore:
    """Restore *backup* as the database of *target*, proven, without ever leaving that database half changed.

    The file is verified first (against *manifest*, default the one beside it). It is restored into `NAME__restore_TIME`, proven
    there against the manifest (without one: against the dump itself) and analyzed. Then *confirm* is asked, and the names are
    exchanged in one transaction; the database before it is kept as `NAME__before_TIME` (not with keep=False). A database that does
    not exist yet is made, without asking.

    *force*: end the sessions of others. *no_owner*: leave owners and privileges out. *drop_leftovers*: drop databases that killed
    restores into this target left behind. *in_place*, for roles that may not create databases: `restore_in_place`, which the other two are
    for.

    Returns a Restore; with the verdict failed or not_checked nothing was replaced. Raises RestoreFailed, with the state said, when
    it could not be done, UsageError for a dump that is no local file, and the errors of read_dump, load_manifest, resolve_target
    and connect.
    """
    if in_place:
        if force or drop_leftovers or not keep:
            what = "a restore in place ends no sessions, and makes and drops no databases"
            raise UsageError(what, remedy="Leave force, drop_leftovers and keep out.")
        options: dict[str, Any] = {"manifest": manifest, "store": store, "replace_contents": replace_contents, "no_owner": no_owner}
        return restore_in_place(backup, target, confirm=confirm, **options)
    if replace_contents:
        raise UsageError("only a restore in place replaces contents", remedy="Add in_place (--in-place), or leave it out.")
    begun = time.monotonic()
    resolved = named_target(target)
    dump = read_dump(backup.path if isinstance(backup, Backup) else backup)
    local_path(dump)  # what is no local file is refused before anything else
    expected = expected_source(dump, manifest)
    verification = verify(dump, manifest=expected if isinstance(expected, Manifest) else None)
    if not is_proven(verification, expected):
        why = "failed its verification" if verification.verdict is Outcome.FAILED else "could not be verified completely"
        state = f"{dump.label} {why}, so nothing was touched."
        return Restore(resolved.database, state, verification.check_list, verification=verification, seconds=time.monotonic() - begun)
    job = _Job(dump, expected, verification, resolved, owners=not no_owner)
    with maintenance_connection(resolved) as connection:
        plan = plan_restore(dump, resolved, connection, owners=job.owners, force=force, drop_leftovers=drop_leftovers)
        oid = _create_staging(job, plan, connection)
        try:
            return _stage_and_exchange(job, plan, connection, confirm=confirm, force=force, keep=keep, begun=begun)
        except BaseException as error:  # Ctrl-C included: the staging database must not stay behind
            state = _tidy_up(job, plan, oid)
            if isinstance(error, PgAuditError) and not isinstance(error, UsageError):
                raise RestoreFailed(f"{error.message.rstrip('.')}; {state}", resource=resolved.label, remedy=error.remedy) from error
            raise


def _create_staging(job: _Job, plan: Plan, connection: psycopg.Connection[Any]) -> int | None:
    """Make the empty staging database, like the live one or else as the dump says; return its oid."""
    known = Locale.from_settings(job.expected.provenance.settings)
    new = Locale(encoding=job.dump.provenance.encoding) if known == Locale() else known
    own = "" if plan.live else f"Create the database {job.target.database!r} with a locale that the server knows, then restore again."
    try:
        with refused_queries(job.target.label, f"creating {plan.staging!r}", remedy=own):
            version = connection.info.server_version
            connection.execute(create_like(plan.staging, plan.live, version) if plan.live else create_new(plan.staging, new, version))
    except QueryFailed as error:
        raise RestoreFailed(f"nothing was touched: {error.message}", resource=job.target.label, remedy=error.remedy) from error
    return database_oid(connection, plan.staging)


def _stage_and_exchange(
    job: _Job, plan: Plan, connection: psycopg.Connection[Any], *, confirm: Confirm, force: bool, keep: bool, begun: float
) -> Restore:
    with refused_queries(job.target.label, "restoring"):
        loaded, proof = _load_and_prove(job, plan, connection)
        checks = [*plan.checks, *proof.check_list]
        name, kept = job.target.database, None
        if is_proven(proof, job.expected):
            replaced = exchange(job.target, plan, connection, confirm=confirm, force=force)
            state = f"{name!r} is the restored database."
            if replaced is not None:
                checks.append(check_carried(replaced, connection))
                kept = plan.kept if keep else None
                if not keep:
                    drop_database(connection, plan.kept)
                state = f"{name!r} is the restored database; the one before it is {f'kept as {kept!r}' if kept else 'dropped'}."
        else:
            drop_database(connection, plan.staging)
            why = "is not" if proof.verdict is Outcome.FAILED else "could not be proven to be"
            state = f"What was restored {why} what was backed up, so it was dropped; {_untouched(job, plan)}."
    return Restore(
        name,
        state,
        tuple(checks),
        replaced=is_proven(proof, job.expected),
        kept=kept,
        verification=job.verification,
        programs=tuple(map(str, loaded.programs)),
        left_out=loaded.left_out,
        seconds=time.monotonic() - begun,
    )


def _load_and_prove(job: _Job, plan: Plan, connection: psycopg.Connection[Any]) -> tuple[Loaded, AuditResult]:
    """Load the dump into the staging database, prove it there, and analyze it."""
    staging = job.target.with_database(plan.staging)
    loaded = load_dump(job.dump, staging, connection, owners=job.owners)
    with snapshot(staging) as restored:
        proof = prove(job.expected, restored, ignore=frozenset() if job.owners else frozenset({"owner", "acl"}))
    with connect(staging, read_only=False, autocommit=True) as analyzing:
        analyzing.execute("ANALYZE")
    return loaded, proof


def _tidy_up(job: _Job, plan: Plan, oid: int | None) -> str:
    """Drop the staging database after a failure and say how the server stands, asked anew: the connection may be what failed."""
    try:
        with refused_queries(job.target.label, "tidying up"), maintenance_connection(job.target) as connection:
            if oid is not None and database_oid(connection, job.target.database) == oid:
                kept = f"; the one before it is kept as {plan.kept!r}" if plan.live else ""
                return f"yet the exchange had been made: {job.target.database!r} is the restored database{kept}"
            drop_database(connection, plan.staging)
    except PgAuditError:
        return f"the server cannot be asked any more: {job.target.database!r} is whole, old or new; {plan.staging!r} may be left over"
    return _untouched(job, plan)


def _untouched(job: _Job, plan: Plan) -> str:
    return f"{job.target.database!r} is as it was" if plan.live else f"{job.target.database!r} was not made"
