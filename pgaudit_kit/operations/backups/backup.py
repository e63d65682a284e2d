"""Back up a database: pg_dump and the manifest in one snapshot, verified before the file gets its name."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pgaudit_kit.audits.expectations import Settings, ask_tables, settings_of
from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.result import AuditResult, check_named
from pgaudit_kit.checks.backup_preflight import advice_on_locks, check_locks
from pgaudit_kit.checks.dump_size import check_dump_size
from pgaudit_kit.display import frames
from pgaudit_kit.errors import BackupFailed, OperationError, ProgramFailed, QueryFailed, StoreFailed, UsageError
from pgaudit_kit.operations.backups.dumping import dump_and_record
from pgaudit_kit.operations.backups.globals_file import read_globals
from pgaudit_kit.operations.backups.history import check_history, recent_backups
from pgaudit_kit.operations.backups.incremental import IncrementalRun, Taken
from pgaudit_kit.operations.backups.incremental_base import INCREMENTAL_FORM
from pgaudit_kit.operations.backups.job import Job
from pgaudit_kit.operations.backups.part import Part
from pgaudit_kit.operations.backups.preflight import locks_in_the_way, preflight, who_was_in_the_way
from pgaudit_kit.operations.backups.prove_chunks import prove_chunks
from pgaudit_kit.operations.backups.read_back import Written, read_back
from pgaudit_kit.operations.programs.client_programs import Program, find_program
from pgaudit_kit.operations.programs.pg_dump import Compression, DumpOptions, Format
from pgaudit_kit.operations.restores.maintenance import named_target
from pgaudit_kit.operations.store.encryption import encrypt_to, see_that_it_is_not_encrypted
from pgaudit_kit.operations.store.names import GLOBALS, backup_name
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.proofs import new_evidence
from pgaudit_kit.operations.store.running_backups import running_note
from pgaudit_kit.operations.store.store import Incoming, Store
from pgaudit_kit.operations.store.target_lock import only_backup_of, scratch_of
from pgaudit_kit.records.config import Config
from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.manifest import Manifest, manifest_beside
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.snapshot import Snapshot, snapshot
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    from pandas import DataFrame
    from sqlalchemy import URL, Engine

LOCK_TIMEOUT_SECONDS = 300.0
_LOCK_TIMEOUT = "lock timeout"


@dataclass(frozen=True)
class Backup:
    """A verified backup: the dump at `location` (a path or URL), what it holds in `manifest`, and all answers."""

    location: str
    manifest: Manifest
    result: AuditResult
    program: str
    seconds: float
    incremental: Mapping[str, object] | None = None

    @property
    def path(self) -> Path:
        """The dump, of a backup in a folder."""
        return Path(self.location)

    @property
    def manifest_path(self) -> Path:
        """Its manifest, of a backup in a folder."""
        return manifest_beside(self.path)

    @property
    def verdict(self) -> Outcome:
        """The worst outcome of its verification."""
        return self.result.verdict

    @property
    def check_list(self) -> tuple[Check, ...]:
        """The checks of its verification."""
        return self.result.check_list

    @property
    def checks(self) -> DataFrame:
        """Frame `checks` (display.frames.SCHEMAS): one row per check."""
        return self.result.checks

    def findings(self, check_id: str) -> DataFrame:
        """The evidence of the check *check_id*: one row per finding, its columns those of its id (`pk.explain`). Raises UsageError."""
        return frames.evidence_frame(check_named(self.check_list, check_id))

    def to_dict(self) -> dict[str, Any]:
        """The backup as `--json` prints it."""
        file = self.manifest.dump_file
        return {
            **self.result.to_dict(),
            "backup": self.location,
            "manifest": self._beside(self.manifest_path.name),
            "globals": self._beside(self.manifest.globals_file.name) if self.manifest.globals_file else None,
            "format": self.manifest.dump_form,
            "portable": "owner" in self.manifest.leaves_out,
            "partial": dict(self.manifest.partial),
            "database": self.manifest.provenance.database,
            "size_bytes": file.size_bytes if file else None,
            "tables": len(tables_alone(self.manifest.table_data)),
            "rows": sum(t.rows or 0 for t in tables_alone(self.manifest.table_data)),
            "program": self.program,
            "seconds": round(self.seconds, 3),
            **({"incremental": dict(self.incremental)} if self.incremental else {}),
        }

    def _beside(self, name: str) -> str:
        return self.location.removesuffix(self.path.name) + name

    def __repr__(self) -> str:
        return f"<Backup {self.path.name}: {self.verdict}>"

    def _repr_html_(self) -> str:
        return self.result._repr_html_()


def backup(
    target: Target | str | Engine | URL,
    *,
    store: str | os.PathLike[str] | Store = "backups",
    format: str | None = None,  # noqa: A002  # the word of pg_dump, and of the command
    label: str | None = None,
    compression: str | None = None,
    jobs: int = 1,
    full: bool = False,
    part: Part | None = None,
    globals: bool = False,  # noqa: A002  # the word of pg_dumpall
    role_passwords: bool = False,
    lock_timeout: float | None = LOCK_TIMEOUT_SECONDS,
    incremental: bool = False,
    encrypt_to: Sequence[str] = (),
    full_read: bool = False,
    config: Settings = None,
) -> Backup:
    """Back up the database of *target* into *store* (a folder, a URL, what `open_store` gave) and return the Backup, verified.

    pg_dump runs in an exported snapshot, and the manifest is read in that same snapshot meanwhile. The file gets its name,
    `<database>[-<label>]-<UTC time>`, once it was read back and matched the manifest. *label*: default the target's role, such as
    `production`.

    *format*: custom (default), directory (with *jobs* tables at a time), plain, tar. *compression*: none, gzip, lz4, zstd, or with a level
    (`zstd:9`); default what pg_dump does. What it cannot compress as a whole we do (plain, tar). Owners and privileges are left out
    unless *full*. *part*: only a part of the database, which the manifest then says. *globals*: roles and tablespaces in a script
    beside it, with the hashes of passwords only if *role_passwords*. *lock_timeout*: how many seconds to wait for a table that
    somebody has locked (None: for ever). *config*: as of `verify`; required tables that are not there, and a dump that is too small, are
    told by the result, and the backup is kept: it holds what the database held.

    *encrypt_to*: public keys of age, or files of them, to which an incremental backup is encrypted, all of one store to the same ones.
    *incremental*: keep only chunks of rows that the store has not yet, and do not read tables that the server says are as they were in the
    last one; with *full_read* read them all, and each twice. Each is whole by itself. No *format* or *jobs* then; *compression*: zstd.

    Raises TargetError, CannotConnect, ProgramNotFound, UsageError before anything is written, BackupFailed afterwards; no file is
    left then.
    """
    resolved = named_target(target)
    part = part or Part()
    compress = Compression.parse(compression) if compression else None
    options = DumpOptions(_format(format, incremental=incremental, full_read=full_read), compress, jobs, full, part.options, lock_timeout)
    kept_in = open_store(store, create=True)
    _encrypt(kept_in, encrypt_to, incremental=incremental, role_passwords=role_passwords)
    begun = time.monotonic()
    settings = settings_of(config)
    with ExitStack() as stack:
        stack.enter_context(only_backup_of(resolved.place, kept_in))
        live = stack.enter_context(snapshot(resolved, lock_timeout=lock_timeout))
        program = _fitting_program(live, options)
        recent = recent_backups(kept_in, database=resolved.database, target=resolved.place)
        job = Job(live, program, options, part, roles=("passwords" if role_passwords else "names") if globals else "")
        checks = preflight(job, scratch_of(kept_in), recent[0] if recent else None)
        checks += [check_locks(locks_in_the_way(live, part), tables=len(live.table_data))] if live.table_data else []
        name = backup_name(resolved.database, label or resolved.role, datetime.now(UTC))
        taken: Taken | None = None
        try:
            note = stack.enter_context(running_note(kept_in.packs.folder, resolved.place)) if incremental else None
            with kept_in.receive(name, options.suffix) as incoming:
                name = incoming.dump_file
                if note:
                    taken = IncrementalRun(job, kept_in, note, full_read).take(recent, incoming)
                    manifest, verified = prove_chunks(Written(incoming.path, incoming.dump_file, job), taken)
                else:
                    manifest, verified = _dump_and_verify(job, incoming)
                manifest, beside = _with_globals(job, incoming, manifest)
                location = _publish(manifest, verified, incoming, begun)
        except (ProgramFailed, QueryFailed, StoreFailed, OSError) as error:
            raise _failed(job, name, error) from error
    result = replace(verified, check_list=(*checks, *verified.check_list, *beside, *_ask_expected(manifest, recent, settings)))
    return Backup(location, manifest, result, str(program), time.monotonic() - begun, taken.to_dict() if taken else None)


def _encrypt(store: Store, recipients: Sequence[str], *, incremental: bool, role_passwords: bool) -> None:
    """Have the store encrypt, or see that it does not. Raises UsageError."""
    if recipients and (role_passwords or not incremental):
        what = "the hashes of passwords would lie beside it, not encrypted" if incremental else "only incremental backups are encrypted"
        remedy = "Leave --role-passwords out." if incremental else "Add --incremental, or leave --encrypt-to out."
        raise UsageError(what, resource="--encrypt-to", remedy=remedy)
    if incremental:
        encrypt_to(store, recipients)
    else:
        see_that_it_is_not_encrypted(store)


def _format(given: str | None, *, incremental: bool, full_read: bool) -> Format:
    if given == INCREMENTAL_FORM or (incremental and given):
        remedy = "Ask for an incremental backup (--incremental), and leave --format out: it has a format of its own."
        raise UsageError(f"format {given!r} does not fit an incremental backup", resource="format", remedy=remedy)
    if full_read and not incremental:
        remedy = "Leave --full-read out, or add --incremental."
        raise UsageError("only incremental backups leave anything unread", resource="full-read", remedy=remedy)
    return INCREMENTAL_FORM if incremental else cast("Format", given or "custom")


def _ask_expected(manifest: Manifest, recent: Sequence[Manifest], settings: Config) -> list[Check]:
    checks = check_history(manifest, recent, share=settings.smallest_share)
    smallest = settings.smallest_size_bytes
    if manifest.partial or not manifest.dump_file:  # a part need not hold everything, nor be large
        return checks
    checks += [check_dump_size(manifest.held_bytes, smallest=smallest, before=(), share=None)] if smallest is not None else []
    return [*checks, *ask_tables(manifest, (), settings)]


def _fitting_program(live: Snapshot, options: DumpOptions) -> Program:
    need = f" that compresses with {options.compression.algorithm}" if options.compression else ""
    return find_program("pg_dump", at_least=live.major, fits=options.fits, need=need)


def _dump_and_verify(job: Job, incoming: Incoming) -> tuple[Manifest, AuditResult]:
    manifest, dump = dump_and_record(job, incoming.path)
    return read_back(Written(incoming.path, incoming.dump_file, job, dump), manifest)


def _with_globals(job: Job, incoming: Incoming, manifest: Manifest) -> tuple[Manifest, list[Check]]:
    """Put roles and tablespaces beside the dump, when they were asked for and the server tells them."""
    if not job.roles:
        return manifest, []
    script, check = read_globals(job.live.target, server_major=job.live.major, passwords=job.roles == "passwords")
    if script is None:
        return manifest, [check]
    file = incoming.companion(GLOBALS)
    file.write_bytes(script)
    return replace(manifest, globals_file=replace(file_digest(file), name=f"{incoming.name}{GLOBALS}")), [check]


def _publish(manifest: Manifest, verified: AuditResult, incoming: Incoming, begun: float) -> str:
    """Keep it with its manifest and the proof of it; return where."""
    seconds = time.monotonic() - begun
    sha256 = manifest.dump_file.sha256 if manifest.dump_file else ""
    evidence = new_evidence(Proof.VERIFIED, verified.verdict, sha256=sha256, seconds=seconds, checks=verified.check_list)
    return incoming.publish(replace(manifest, seconds=round(seconds, 3)), evidence)


def _failed(job: Job, name: str, error: Exception) -> BackupFailed:
    if isinstance(error, OSError):
        where = Path(error.filename).name if error.filename else name
        message = f"no backup was written: {error.strerror or error} ({where})"
        return BackupFailed(message, resource=name, remedy="Check the store's space and rights.")
    cause = cast("OperationError", error)
    if _LOCK_TIMEOUT in cause.message:
        held = who_was_in_the_way(job.live, job.part)
        message = f"no backup was written: it waited {job.options.lock_timeout:g} s for a table, in vain; {'; '.join(map(str, held))}"
        return BackupFailed(message.rstrip("; "), resource=name, remedy=advice_on_locks(held))
    return BackupFailed(f"no backup was written: {cause.message}", resource=name, remedy=cause.remedy)
