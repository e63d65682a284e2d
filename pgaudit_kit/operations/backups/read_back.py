"""The dump is read as anybody will read it, and held against the manifest, before it gets its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import BackupFailed
from pgaudit_kit.operations.backups.job import Job
from pgaudit_kit.operations.backups.part import whole_or_part
from pgaudit_kit.operations.restores.database_facts import read_database
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import PUBLIC_SCHEMA
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.snapshot import snapshot

_STATE = ("last_value", "is_called")
_PORTABLE = frozenset({"owner", "acl"})


@dataclass(frozen=True)
class Written:
    """What `job` has written, which has no name yet: where it lies, and the name it will have.

    `dump`: the same, when its rows were read already; None: they are to be.
    """

    path: Path
    name: str
    job: Job
    dump: Dump | None = None


def read_back(written: Written, manifest: Manifest) -> tuple[Manifest, AuditResult]:
    """Verify the dump against *manifest*, and return that with what only the dump tells. Raises BackupFailed when it does not pass."""
    dump = written.dump or read_dump(written.path)
    manifest = with_origin(manifest, written)
    manifest, asked = whole_or_part(manifest, written.job.part, dump)
    manifest = settled(manifest, dump.inventory, written)
    verified = verify(dump, manifest=manifest)
    result = replace(verified, subject=written.name, check_list=(*asked, *verified.check_list))
    if not is_proven(result, manifest):
        raise BackupFailed(
            f"no backup was written: the dump did not match what the database held; {result.sentence}",
            resource=written.name,
            remedy=" ".join(result.next_steps),
        )
    return replace(manifest, dump_file=replace(file_digest(written.path), name=written.name)), result


def settled(manifest: Manifest, dumped: Inventory, written: Written) -> Manifest:
    """Return *manifest* with the state of sequences settled, where there are any to ask about."""
    if not manifest.inventory.of_kind("SEQUENCE") or written.job.part.schema_only:
        return manifest
    with snapshot(written.job.live.target) as later:
        return settle_sequences(manifest, dumped, later.inventory)


def is_proven(result: AuditResult, source: Source) -> bool:
    """Whether *result* passed; of a *source* that holds nothing, whether nothing failed, since there was nothing to compare."""
    if result.verdict is Outcome.NOT_CHECKED:
        return holds_nothing(source)
    return result.verdict is not Outcome.FAILED


def holds_nothing(source: Source) -> bool:
    """Whether there is nothing in *source* that a new database has not, too.

    Every database has a schema public: before PostgreSQL 15 it is listed, for its owner, and a script without owners does not name it.
    """
    inventory = source.inventory
    return all(o.key == PUBLIC_SCHEMA for o in inventory.objects) and not inventory.unmodelled and not source.table_data


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


def with_origin(manifest: Manifest, written: Written) -> Manifest:
    """Return *manifest* with how the dump was written, and with the locale that the database was made with."""
    with connect(written.job.live.target) as connection:
        facts = read_database(connection, written.job.live.target.database)
    locale = facts.locale.to_settings() if facts else {}
    settings = {**manifest.provenance.settings, **locale}
    provenance = replace(manifest.provenance, pg_dump_version=written.job.program.version, settings=settings)
    leaves_out = frozenset() if written.job.options.full else _PORTABLE
    return replace(manifest, provenance=provenance, leaves_out=leaves_out, dump_form=written.job.options.form)
