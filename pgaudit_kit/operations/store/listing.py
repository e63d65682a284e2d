"""What lies in a store: the backups that are whole, and everything else, each with what it is. Nothing in it is fatal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.operations.store.names import StoreName, parse_name, parse_partial, series_of
from pgaudit_kit.operations.store.packs import PACKS
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.manifest import SUFFIX, DumpFile, Manifest
from pgaudit_kit.records.stored_backup import StoredBackup, Stray, StrayKind

_ADDRESS = re.compile(r"\((?P<address>[^()]*)\)\Z")
_LOCK = re.compile(r"\.pgaudit-[0-9a-f]{16}\.lock\Z")  # target_lock.py
ReadText = Callable[[str], str]


@dataclass(frozen=True)
class Entry:
    """A file, or a folder with the size of all its files. `in_use`: a temporary one whose writer lives."""

    size_bytes: int
    is_folder: bool = False
    in_use: bool = False


def read_store(entries: Mapping[str, Entry], read_text: ReadText) -> tuple[tuple[StoredBackup, ...], tuple[Stray, ...]]:
    """Return the backups among *entries*, oldest first, and the other entries by name. What *read_text* raises is told of the file."""
    names = {file: parsed for file in entries if (parsed := parse_name(file))}
    backups: list[StoredBackup] = []
    strays = [_what_else(file, entry) for file, entry in entries.items() if file not in names and file != PACKS]
    for name in sorted({parsed.name for parsed in names.values()}):
        files = {parsed.suffix: parsed for parsed in names.values() if parsed.name == name}
        backup, wrong = _read_backup(name, files, entries, read_text)
        backups += [backup] if backup else []
        strays += wrong
    return tuple(sorted(backups, key=lambda b: (b.taken_at, b.name))), tuple(sorted(strays, key=lambda s: s.name))


def _what_else(file: str, entry: Entry) -> Stray:
    if _LOCK.match(file):
        return Stray(file, StrayKind.LOCK, "keeps a second backup of the same database away while one runs; without one it does nothing")
    if not parse_partial(file):
        return Stray(file, StrayKind.FOREIGN, "was not written by pgaudit")
    if entry.in_use:
        return Stray(file, StrayKind.WRITING, "is being written, or deleted")
    return Stray(file, StrayKind.ABANDONED, "was left by a run that was killed; the next backup or prune removes it")


def _read_backup(
    name: str, files: Mapping[str, StoreName], entries: Mapping[str, Entry], read_text: ReadText
) -> tuple[StoredBackup | None, list[Stray]]:
    if incomplete := _incomplete(name, files, entries):
        return None, incomplete
    try:
        manifest = Manifest.from_json(read_text(name + SUFFIX), label=name + SUFFIX)
        taken_at = _moment(manifest)
    except FileNotFoundError:
        return None, []  # deleted since the store was listed
    except (PgAuditError, OSError, ValueError) as error:
        return None, [_unreadable(name + SUFFIX, error)]
    recorded = manifest.dump_file
    dumps = [parsed for parsed in files.values() if parsed.format]
    if recorded is None:
        return None, [Stray(name + SUFFIX, StrayKind.FOREIGN, "is a snapshot without a dump")]
    dump = next((parsed for parsed in dumps if parsed.file == recorded.name), None)
    if dump is None:
        return None, [Stray(name + SUFFIX, StrayKind.LOST, f"is incomplete: its dump {recorded.name} is missing")]
    evidence, wrong = _read_evidence(name, files, recorded, read_text)
    wrong += [Stray(o.file, StrayKind.INCOMPLETE, "is not the dump that its manifest was written for") for o in dumps if o is not dump]
    backup = _backup(manifest, recorded, dump, taken_at, entries[dump.file].size_bytes)
    return replace(backup, evidence=evidence), wrong


def _incomplete(name: str, files: Mapping[str, StoreName], entries: Mapping[str, Entry]) -> list[Stray]:
    """The files of a backup that has no manifest, or is not finished; none when it may be whole."""
    if _is_unfinished(name, entries):
        return [Stray(parsed.file, StrayKind.WRITING, "belongs to a backup that is not finished") for parsed in files.values()]
    if SUFFIX in files:
        return []
    has_dump = any(parsed.format for parsed in files.values())
    reason = "is incomplete: its manifest is missing" if has_dump else "belongs to a backup that is not there"
    return [Stray(parsed.file, StrayKind.INCOMPLETE, reason) for parsed in files.values()]


def _is_unfinished(name: str, entries: Mapping[str, Entry]) -> bool:
    """Whether its dump has a temporary name and no other: it is being written or deleted, or was when the writer was killed."""
    partial = [parsed[0] for file in entries if (parsed := parse_partial(file)) and parsed[0].name == name and parsed[0].format]
    return any(final.file not in entries or name + SUFFIX not in entries for final in partial)


def _unreadable(file: str, error: Exception) -> Stray:
    return Stray(file, StrayKind.UNREADABLE, f"cannot be read: {getattr(error, 'message', error)}")


def _read_evidence(
    name: str, files: Mapping[str, StoreName], recorded: DumpFile, read_text: ReadText
) -> tuple[tuple[Evidence, ...], list[Stray]]:
    found, wrong = [], []
    for file in (f"{name}{proof.suffix}" for proof in Proof if proof.suffix in files):
        try:
            evidence = Evidence.from_json(read_text(file), label=file)
        except FileNotFoundError:
            continue
        except (PgAuditError, OSError, ValueError) as error:
            wrong.append(_unreadable(file, error))
            continue
        if evidence.dump_sha256 != recorded.sha256 or f"{name}{evidence.proof.suffix}" != file:
            wrong.append(Stray(file, StrayKind.UNREADABLE, "is evidence of another file"))
        else:
            found.append(evidence)
    return tuple(found), wrong


def _backup(manifest: Manifest, recorded: DumpFile, dump: StoreName, taken_at: datetime, found_size_bytes: int) -> StoredBackup:
    counts = [table.rows for table in tables_alone(manifest.table_data)]
    known = [rows for rows in counts if rows is not None]
    return StoredBackup(
        name=dump.name,
        dump_file=dump.file,
        target=_target(dump.name, manifest.source),
        database=manifest.provenance.database or "",
        taken_at=taken_at,
        size_bytes=recorded.size_bytes,
        found_size_bytes=found_size_bytes,
        sha256=recorded.sha256,
        format=dump.format or "",
        rows=sum(known) if len(known) == len(counts) else None,
        seconds=manifest.seconds,
        selection="; ".join(f"{word}: {patterns}" for word, patterns in sorted(manifest.partial.items())),
        portable="owner" in manifest.leaves_out,
        encoding=manifest.provenance.encoding or "",
    )


def _target(name: str, source: str) -> str:
    """Two databases of one name on two servers are two targets; the same one is one, whichever variable named it."""
    address = _ADDRESS.search(source)
    return f"{series_of(name)} ({address['address'] if address else source})"


def _moment(manifest: Manifest) -> datetime:
    moment = datetime.fromisoformat(manifest.provenance.created_at or manifest.taken_at)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
