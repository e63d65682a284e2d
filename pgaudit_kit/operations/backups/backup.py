"""Back up a database: pg_dump and the manifest in one snapshot, verified before the file gets its name."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import BackupFailed, OperationError, ProgramFailed, QueryFailed, StoreFailed, UsageError
from pgaudit_kit.operations.programs.client_programs import Format, Program, find_program, pg_dump_argv
from pgaudit_kit.operations.restores.database_facts import read_database
from pgaudit_kit.operations.restores.maintenance import named_target
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.store.names import backup_name
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.proofs import new_evidence
from pgaudit_kit.operations.store.store import Incoming, Store
from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.manifest import Manifest, manifest_beside
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.snapshot import Snapshot, snapshot
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    from pandas import DataFrame
    from sqlalchemy import URL, Engine

_STATE = ("last_value", "is_called")


@dataclass(frozen=True)
class Backup:
    """A verified backup: the dump at `location` (a path or URL), what it holds in `manifest`, and the answers of its verification."""

    location: str
    manifest: Manifest
    result: AuditResult
    program: str
    seconds: float

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

    def to_dict(self) -> dict[str, Any]:
        """The backup as `--json` prints it."""
        file = self.manifest.dump_file
        return {
            **self.result.to_dict(),
            "backup": self.location,
            "manifest": self.location.removesuffix(self.path.name) + self.manifest_path.name,
            "database": self.manifest.provenance.database,
            "size_bytes": file.size_bytes if file else None,
            "tables": len(tables_alone(self.manifest.table_data)),
            "rows": sum(t.rows or 0 for t in tables_alone(self.manifest.table_data)),
            "program": self.program,
            "seconds": round(self.seconds, 3),
        }

    def __repr__(self) -> str:
        return f"<Backup {self.path.name}: {self.verdict}>"

    def _repr_html_(self) -> str:
        return self.result._repr_html_()


def backup(
    target: Target | str | Engine | URL,
    *,
    store: str | os.PathLike[str] | Store = "backups",
    format: str = "custom",  # noqa: A002  # the word of pg_dump, and of the command
    label: str | None = None,
    compression: str | None = None,
) -> Backup:
    """Back up the database of *target* into *store* (a folder, a URL, what `open_store` gave) and return the Backup, verified.

    pg_dump runs in an exported snapshot, and the manifest is read in that same snapshot meanwhile. The file gets its name,
    `<database>[-<label>]-<UTC time>`, once it was read back and matched the manifest. *label*: default the target's role, such as
    `production`. *format*: custom or plain. *compression*: none, gzip, gzip:1 … gzip:9; default what pg_dump does.

    Raises TargetError, CannotConnect, ProgramNotFound, UsageError before anything is written, BackupFailed afterwards; no file is
    left then.
    """
    resolved = named_target(target)
    suffix = _suffix(format, compression)
    kept_in = open_store(store, create=True)
    begun = time.monotonic()
    with snapshot(resolved) as live:
        program = find_program("pg_dump", at_least=major_version(live.provenance.server_version))
        name = backup_name(resolved.database, label or resolved.role, datetime.now(UTC))
        try:
            with kept_in.receive(name, suffix) as incoming:
                name = incoming.dump_file
                argv = pg_dump_argv(
                    program,
                    database=resolved.database,
                    output=incoming.path,
                    snapshot_id=live.export_id(),
                    dump_format=cast("Format", format),
                    compression=compression,
                )
                manifest = with_origin(_dump_and_record(live, resolved, argv), resolved, program)
                manifest, result = _read_back(manifest, resolved, incoming)
                location = _publish(manifest, result, incoming, begun)
        except (ProgramFailed, QueryFailed, StoreFailed, OSError) as error:
            raise _failed(name, error) from error
    return Backup(location, manifest, result, str(program), time.monotonic() - begun)


def _suffix(dump_format: str, compression: str | None) -> str:
    if dump_format not in ("custom", "plain"):
        raise UsageError(f"format {dump_format!r} is not written yet", resource="format", remedy="Give custom or plain.")
    if compression is not None and not re.fullmatch(r"none|gzip(:[1-9])?", compression):
        raise UsageError(
            f"compression {compression!r} is not known", resource="compression", remedy="Give none, gzip, or gzip:1 to gzip:9."
        )
    if dump_format == "custom":
        return ".dump"
    return ".sql.gz" if (compression or "").startswith("gzip") else ".sql"


def major_version(server_version: str | None) -> int:
    """Return the major version in `18.6 (Debian …)`. Raises OperationError when there is none."""
    match = re.match(r"\d+", server_version or "")
    if not match:
        raise OperationError(f"the server's version {server_version!r} is not known", remedy="Report this server.")
    return int(match[0])


def _dump_and_record(live: Snapshot, target: Target, argv: list[str]) -> Manifest:
    """Run pg_dump and read the manifest, both in the snapshot of *live*, at the same time."""
    with RunningProgram(argv, dump_environment(live, target)) as running:
        manifest = take_manifest(live, prisma_schema=target.prisma_schema, progress=lambda _: running.raise_if_failed())
        running.wait()
    return manifest


def with_origin(manifest: Manifest, target: Target, program: Program) -> Manifest:
    """Return *manifest* with what wrote the dump and with the locale that the database was made with."""
    with connect(target) as connection:
        facts = read_database(connection, target.database)
    locale = facts.locale.to_settings() if facts else {}
    provenance = replace(manifest.provenance, pg_dump_version=program.version, settings={**manifest.provenance.settings, **locale})
    return replace(manifest, provenance=provenance)


def dump_environment(live: Snapshot, target: Target) -> dict[str, str]:
    """The environment in which pg_dump prints the same text as *live* (PGDUMP_FORMATS.md 6.4: it does not set TimeZone itself)."""
    zone = live.provenance.settings.get("TimeZone")
    return target.libpq_env() | ({"PGTZ": zone} if zone else {})


def _read_back(manifest: Manifest, target: Target, incoming: Incoming) -> tuple[Manifest, AuditResult]:
    """Read the dump as anybody will, and verify it against the manifest. Raises BackupFailed when it does not pass."""
    dump = read_dump(incoming.path)
    with snapshot(target) as later:
        manifest = settle_sequences(manifest, dump.inventory, later.inventory)
    result = replace(verify(dump, manifest=manifest), subject=incoming.dump_file)
    if not is_proven(result, manifest):
        raise BackupFailed(
            f"no backup was written: the dump did not match what the database held; {result.sentence}",
            resource=incoming.dump_file,
            remedy=" ".join(result.next_steps),
        )
    return replace(manifest, dump_file=replace(file_digest(incoming.path), name=incoming.dump_file)), result


def is_proven(result: AuditResult, source: Source) -> bool:
    """Whether *result* passed; of a *source* that holds nothing, whether nothing failed, since there was nothing to compare."""
    if result.verdict is Outcome.NOT_CHECKED:
        return not source.inventory.objects and not source.inventory.unmodelled and not source.table_data
    return result.verdict is not Outcome.FAILED


def settle_sequences(manifest: Manifest, dumped: Inventory, later: Inventory) -> Manifest:
    """Return *manifest* with the state that the dump has for each sequence that was used meanwhile.

    Sequences do not obey the snapshot (PGDUMP_FORMATS.md 7). One that stands elsewhere *later* than in the manifest was in use, so
    the dump's reading is as true as ours; one that stood still must be the same in both.
    """
    objects = []
    for item in manifest.inventory.objects:
        after, in_dump = later.by_key.get(item.key), dumped.by_key.get(item.key)
        moved = item.key.kind == "SEQUENCE" and after and any(item.attributes.get(a) != after.attributes.get(a) for a in _STATE)
        if moved and in_dump:
            item = replace(item, attributes={**item.attributes, **{a: in_dump.attributes.get(a) for a in _STATE}})  # noqa: PLW2901
        objects.append(item)
    return replace(manifest, inventory=replace(manifest.inventory, objects=tuple(objects)))


def _publish(manifest: Manifest, result: AuditResult, incoming: Incoming, begun: float) -> str:
    """Keep it with its manifest and the proof of it; return where."""
    seconds = time.monotonic() - begun
    sha256 = manifest.dump_file.sha256 if manifest.dump_file else ""
    evidence = new_evidence(Proof.VERIFIED, result.verdict, sha256=sha256, seconds=seconds, checks=result.check_list)
    return incoming.publish(replace(manifest, seconds=round(seconds, 3)), evidence)


def _failed(name: str, error: Exception) -> BackupFailed:
    if isinstance(error, OSError):
        where = Path(error.filename).name if error.filename else name
        return BackupFailed(
            f"no backup was written: {error.strerror or error} ({where})", resource=name, remedy="Check the store's space and rights."
        )
    cause = cast("OperationError", error)
    return BackupFailed(f"no backup was written: {cause.message}", resource=name, remedy=cause.remedy)
