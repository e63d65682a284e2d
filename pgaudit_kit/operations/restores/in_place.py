"""Restore inside of the database itself, for roles that may not create or rename any: one transaction, proven before its COMMIT."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.proof import prove
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.same import told_to_leave_out
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.checks.fitting import check_versions
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import OutcomeUnknown, PgAuditError, RestoreFailed, UsageError
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.backups.read_back import is_proven
from pgaudit_kit.operations.restores.as_new import make_as_new
from pgaudit_kit.operations.restores.database_contents import Contents, drop_contents, lock_tables, read_contents
from pgaudit_kit.operations.restores.dump_as_script import dump_as_script
from pgaudit_kit.operations.restores.dump_needs import check_extension_versions, check_extensions, check_roles, check_whole, roles_in
from pgaudit_kit.operations.restores.expected_source import expected_source
from pgaudit_kit.operations.restores.load_dump import is_newer
from pgaudit_kit.operations.restores.load_errors import restore_failed
from pgaudit_kit.operations.restores.local_dump import unpacked
from pgaudit_kit.operations.restores.lost_access import ask_access, not_given_back
from pgaudit_kit.operations.restores.maintenance import target_to_fill
from pgaudit_kit.operations.restores.preflight import check_compression, check_script, check_wrapping
from pgaudit_kit.operations.restores.replace_database import not_confirmed
from pgaudit_kit.operations.restores.restored import Confirm
from pgaudit_kit.operations.restores.restored_in_place import ContentsReplacement, InPlaceRestore
from pgaudit_kit.operations.restores.run_script import run_script
from pgaudit_kit.operations.restores.server_state import refuse_failed
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import connect, refused_queries
from pgaudit_kit.server.snapshot import Snapshot
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine

_LABEL = "before-restore"
_LOCK_SECONDS = 60
_OTHERS = f"Stop the application if others hold locks for more than {_LOCK_SECONDS} seconds; use a role that owns everything."
_GIVE_AGAIN = "Restore a backup made with --full, without --no-owner, or give them again afterwards: the backup made first has them all."
_LIMITS = ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"]
_NO_OWNERS = frozenset({"owner", "acl"})


@dataclass(frozen=True)
class _Job:
    """What to restore, what it must equal, where to, and where the backup before it goes."""

    dump: Dump
    expected: Source
    target: Target
    owners: bool
    accept_partial: bool
    store: str | os.PathLike[str]
    begun: float


def restore_in_place(
    backup_file: Backup | str | os.PathLike[str],
    target: Target | str | Engine | URL,
    *,
    confirm: Confirm,
    store: str | os.PathLike[str] = "backups",
    manifest: Manifest | str | os.PathLike[str] | None = None,
    replace_contents: bool = False,
    no_owner: bool = False,
    accept_partial: bool = False,
) -> InPlaceRestore:
    """Restore *backup_file* into the database of *target* itself, in one transaction that is proven before it is committed.

    The file is verified first. A database that holds anything is refused, unless *replace_contents*: then *confirm* is asked, its tables
    are locked against writing, it is backed up into *store* (verified, labelled `before-restore`), and what it holds is dropped in the
    very transaction that restores. What was restored is proven in that transaction, against *manifest* (default: the one beside the file,
    else the dump itself): with any finding, any error, or a kill at any instant it is rolled back. So the database holds what it held, or
    what the dump holds; never both. Extensions that another role owns stay where they are. Readers wait from the drop to the end.

    *accept_partial*: let a backup of a part, or of nothing, replace all of it, which is refused otherwise.

    Returns an InPlaceRestore; with the verdict failed or not_checked nothing was changed. Raises RestoreFailed, with the state said,
    BackupFailed, UsageError, and the errors of read_dump, load_manifest, resolve_target and connect.
    """
    begun = time.monotonic()
    resolved = target_to_fill(target)
    given = backup_file.path if isinstance(backup_file, Backup) else backup_file
    dump = read_dump(given)
    expected = expected_source(dump, manifest, given=given)
    verification = verify(dump, manifest=expected if isinstance(expected, Manifest) else None)
    owners = not no_owner and "owner" not in told_to_leave_out(expected)  # an archive names them all the same
    job = _Job(dump, expected, resolved, owners, accept_partial, store, begun)
    if not is_proven(verification, expected):
        why = "failed its verification" if verification.verdict is Outcome.FAILED else "could not be verified completely"
        return _result(job, f"{dump.label} {why}, so nothing was touched.", verification)
    with unpacked(dump) as bare:
        return _carry_out(replace(job, dump=bare), confirm, verification, replace_contents=replace_contents)


def _carry_out(job: _Job, confirm: Confirm, verification: AuditResult, *, replace_contents: bool) -> InPlaceRestore:
    """Look, ask, and replace, over one connection."""
    resolved = job.target
    with connect(resolved, read_only=False) as connection:
        checks, contents = _look(job, connection, replace_contents=replace_contents)
        connection.rollback()  # nobody waits for a lock while a person thinks
        if not contents.is_empty:
            access, loses = _ask_access(job, connection)
            checks += access
            where = (resolved.label, resolved.database, job.dump.label, os.fspath(job.store))
            if not confirm(ContentsReplacement(*where, None, None, loses=loses, holds=str(contents))):
                raise not_confirmed(resolved)
        try:
            return _replace(job, connection, checks, contents, verification)
        except PgAuditError as error:
            if isinstance(error, UsageError | OutcomeUnknown):
                raise
            state = f"{error.message.rstrip('.')}; all was rolled back: {resolved.database!r} is as it was"
            raise restore_failed(error, state, resource=resolved.label, remedy=error.remedy) from error


def _look(job: _Job, connection: psycopg.Connection[Any], *, replace_contents: bool) -> tuple[list[Check], Contents]:
    """Everything that would make the restore fail, and what the database holds. Raises RestoreFailed that names it."""
    with refused_queries(job.target.label, "looking at the server"):
        checks = [check_versions(job.dump.provenance.server_version, connection.info.parameter_status("server_version") or "")]
        if job.dump.inventory.of_kind("EXTENSION"):
            checks += filter(None, [check_extensions(job.dump, connection), check_extension_versions(job.expected, connection)])
        if job.owners and roles_in(job.dump.toc_entries):
            checks.append(check_roles(job.dump, connection))
        checks += [check_script(job.dump)] if job.dump.provenance.format == "plain" else _can_pg_restore_read(job.dump, connection)
        contents = read_contents(connection)
        whole = check_whole(job.expected, replaces=replace_contents and not contents.is_empty, accepted=job.accept_partial)
        checks += [whole] if whole else []
        refuse_failed(checks, job.target)
    if not contents.is_empty and not replace_contents:
        raise RestoreFailed(
            f"nothing was touched: {job.target.database!r} is not empty, it holds {contents}",
            resource=job.target.label,
            remedy="Restore into an empty database, or say --replace-contents: it is backed up first, and replaced as a whole.",
        )
    return checks, contents


def _ask_access(job: _Job, connection: psycopg.Connection[Any]) -> tuple[list[Check], str]:
    """What was asked of owners and privileges, and which ones are lost, in words."""
    lost = not_given_back(job.expected, owners=job.owners)
    with refused_queries(job.target.label, "looking at owners and privileges"):
        asked = ask_access(job.target, connection, lost, in_place=True, remedy=_GIVE_AGAIN)
        connection.rollback()
    if not isinstance(asked, Check):
        return [], asked or ""
    return [asked], asked.found if asked.outcome is Outcome.WARNED else ""


def _can_pg_restore_read(dump: Dump, connection: psycopg.Connection[Any]) -> list[Check]:
    wrapping = check_wrapping(dump)
    return [wrapping] if wrapping.outcome is Outcome.FAILED else [wrapping, check_compression(dump, connection)]


def _replace(
    job: _Job, connection: psycopg.Connection[Any], checks: list[Check], contents: Contents, verification: AuditResult
) -> InPlaceRestore:
    """Back up, drop, load and prove, all in the transaction of *connection*, and commit it when it is proven."""
    before: Backup | None = None
    with refused_queries(job.target.label, "restoring in place", remedy=_OTHERS):
        _begin(connection)
        if not contents.is_empty:
            lock_tables(connection)
            before = backup(job.target, store=job.store, label=_LABEL, full=True)
            if read_contents(connection) != contents:
                what = "what the database holds was changed by others while it was backed up"
                raise RestoreFailed(what, resource=job.target.label, remedy="Stop the application, and restore again.")
            drop_contents(connection)
        refused = make_as_new(connection, access=job.owners)
        loaded, programs = _load(job, connection)
        left_out = (*refused, *loaded)
        proof = _prove(job, connection)
        checks = [*checks, *proof.check_list]
        if is_proven(proof, job.expected):
            _commit(job, connection)
        else:
            connection.rollback()
    at = before.location if before else None
    if not is_proven(proof, job.expected):
        why = "is not" if proof.verdict is Outcome.FAILED else "could not be proven to be"
        state = f"What was restored {why} what was backed up, so all was rolled back; {job.target.database!r} is as it was."
        return _result(job, state, verification, checks, programs=programs, left_out=left_out)
    _analyze(job.target)
    kept = f"; what it held before is in {at}" if at else ""
    state = f"{job.target.database!r} holds what was restored{kept}."
    return _result(job, state, verification, checks, replaced=True, backup=at, programs=programs, left_out=left_out)


def _begin(connection: psycopg.Connection[Any]) -> None:
    """Begin the transaction: no limit of the role's ends it, and no lock is waited for too long."""
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [f"{_LOCK_SECONDS}s"])
    connection.execute("SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = ANY (%s)", [_LIMITS])


def _load(job: _Job, connection: psycopg.Connection[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Run the dump as a script; return what was left out, and the programs."""
    major = connection.info.server_version // 10_000
    with dump_as_script(job.dump, server_major=major, owners=job.owners) as (script, programs):
        newer = is_newer(job.dump, connection)
        left_out = run_script(connection, script, resource=job.dump.label, owners=job.owners, newer_dump=newer)
    connection.execute("RESET SESSION AUTHORIZATION")
    connection.execute("RESET ROLE")
    return left_out, programs


def _prove(job: _Job, connection: psycopg.Connection[Any]) -> AuditResult:
    with Snapshot(job.target, within=connection) as restored:
        return prove(job.expected, restored, ignore=frozenset() if job.owners else _NO_OWNERS)


def _commit(job: _Job, connection: psycopg.Connection[Any]) -> None:
    """Commit; when the connection is lost over it, ask the server what became of the transaction. Raises OutcomeUnknown, psycopg.Error."""
    import psycopg

    (number,) = connection.execute("SELECT pg_catalog.txid_current()").fetchone() or (None,)
    connection.execute("RESET ALL")  # what the script has set is not for whoever gets this session from a pooler
    try:
        connection.commit()
    except psycopg.OperationalError:
        status = None
        with suppress(PgAuditError, psycopg.Error), connect(job.target) as asking:
            (status,) = asking.execute("SELECT pg_catalog.txid_status(%s)", [number]).fetchone() or (None,)
        if status == "committed":
            return
        if status == "aborted":
            raise
        state = f"the connection was lost at COMMIT, and the server cannot be asked: {job.target.database!r} is whole, old or new"
        raise OutcomeUnknown(state, resource=job.target.label, remedy="Compare it with the dump: pgaudit diff.") from None


def _analyze(target: Target) -> None:
    with (
        suppress(PgAuditError),
        refused_queries(target.label, "analyzing"),
        connect(target, read_only=False, autocommit=True) as connection,
    ):
        connection.execute("ANALYZE")


def _result(
    job: _Job,
    state: str,
    verification: AuditResult,
    checks: list[Check] | None = None,
    *,
    replaced: bool = False,
    backup: str | None = None,
    programs: tuple[str, ...] = (),
    left_out: tuple[str, ...] = (),
) -> InPlaceRestore:
    return InPlaceRestore(
        job.target.database,
        state,
        verification.check_list if checks is None else tuple(checks),
        replaced=replaced,
        verification=verification,
        programs=programs,
        left_out=left_out,
        seconds=time.monotonic() - job.begun,
        backup=backup,
    )
