"""Is this backup whole? The file itself, and against the manifest taken in pg_dump's own snapshot."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from pgaudit_kit.audits.file_digest import digest_if_there, dump_digest, file_digest
from pgaudit_kit.audits.ledgers import ledger_states, same_ledgers
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.checks.dump_whole import check_complete, check_digest, check_globals, check_rows_readable, check_unreadable
from pgaudit_kit.checks.objects_match import check_objects_match
from pgaudit_kit.checks.required_tables import check_required_tables
from pgaudit_kit.checks.rows_match import check_row_counts, check_row_fingerprints
from pgaudit_kit.checks.sequences import check_sequence_values
from pgaudit_kit.difference.objects import compare_inventories, in_no_dump
from pgaudit_kit.difference.sessions import align_sessions
from pgaudit_kit.difference.tables import compare_tables, without_table
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.remote_places import read_beside
from pgaudit_kit.dumps.files.urls import is_url
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.errors import DamagedDump, ManifestError, NotADump, PgAuditError, UnsupportedDump, UsageError
from pgaudit_kit.records.difference import ObjectDifference
from pgaudit_kit.records.manifest import SUFFIX, Manifest, bare_name, load_manifest, manifest_beside
from pgaudit_kit.records.objects import DATABASE, INVALID_INDEX, Unmodelled
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check, Outcome

WITHOUT_MANIFEST = "Without a manifest beside it, nothing says whether it holds all that the database held."
_WEB = re.compile("https?://", re.IGNORECASE)
SEQUENCE_STATE = frozenset({"last_value", "is_called"})
SCHEMA_ONLY = "schema_only"


def verify(
    dump: str | os.PathLike[str] | Dump,
    *,
    manifest: str | os.PathLike[str] | Manifest | None = None,
    require: Sequence[str] = (),
) -> AuditResult:
    """Verify a dump: its file, every row in it, and, with a manifest, that it holds what the database held.

    Without *manifest* the one beside the dump is taken when there is one. The script of roles and tablespaces that it names is asked, too,
    but not of a Manifest that was given: who does so is about to use the dump alone. *require* names tables that must be there.
    Of a script of several databases every one is verified; its checks have `#database` behind their names. A manifest and required
    tables are those of one database, so they need it named. Raises the errors of read_dump, UsageError and ManifestError; what is
    found wrong is in the result, never raised: also when what a manifest was written for does not even look like a dump any more.
    """
    try:
        opened = open_dump(dump)
    except DamagedDump as error:
        return AuditResult("Is this backup whole?", Path(error.resource).name, (check_unreadable(error.message, error.offset),))
    except (NotADump, UnsupportedDump) as error:
        if changed := _ask_changed(dump, manifest):
            return AuditResult("Is this backup whole?", Path(error.resource).name, (check_unreadable(error.message, None), changed))
        raise
    if isinstance(opened, ClusterDump):
        return _verify_cluster(opened, given=manifest is not None, require=require)
    recorded = manifest_of(opened.path or dump, manifest)
    checks = list(_ask_file(opened))
    if require:
        checks.append(check_required_tables(require, opened.table_data.keys()))
    if recorded is not None:
        checks += _ask_manifest(opened, recorded)
        if recorded.globals_file and recorded is not manifest:
            place = _beside(opened.path or dump, recorded.globals_file.name)
            checks.append(check_globals(recorded.globals_file, digest_if_there(place) if place else None))
    else:
        checks += ledger_states(opened)
    skipped = _not_in_it(recorded) if recorded is not None else (WITHOUT_MANIFEST,)
    return AuditResult("Is this backup whole?", opened.label, tuple(checks), skipped)


def _verify_cluster(dump: ClusterDump, *, given: bool, require: Sequence[str]) -> AuditResult:
    if given or require:
        what = "a manifest is" if given else "required tables are"
        names = ", ".join(one.label for one in dump.databases.values()) or "none is in it"
        raise UsageError(f"{what} of one database", resource=dump.file.resource, remedy=f"Name one: {names}.")
    facts = dump.provenance
    checks = [check_complete(complete=facts.complete, damage=dump.damage, entries=len(dump.databases))]
    # Nearly every cluster has template1 and postgres with nothing in them, and pg_dumpall writes them: their beginning and end are all
    # there is, and the first check has counted them. A script of nothing but such has nothing that could be green.
    empty = [name for name, one in dump.databases.items() if not one.toc_entries and one.provenance.complete]
    empty = empty if len(empty) < len(dump.databases) else []
    for name, one in dump.databases.items():
        if name not in empty:
            checks += [replace(check, id=f"{check.id}#{name}") for check in (*_ask_file(one), *ledger_states(one))]
    skipped = [f"Nothing is in {', '.join(empty)}."] if empty else []
    return AuditResult("Is this backup whole?", dump.label, tuple(checks), (*skipped, WITHOUT_MANIFEST))


def manifest_of(dump: Any, manifest: Any) -> Manifest | None:
    """Return the manifest that was given (or its path), else the one beside *dump* when that is a path or a URL and there is one.

    Raises ManifestError.
    """
    if isinstance(manifest, Manifest):
        return manifest
    if manifest:
        return load_manifest(manifest)
    if not isinstance(dump, str | os.PathLike):
        return None
    text = os.fspath(dump)
    if is_url(text):
        return _manifest_beside_url(text)
    beside = manifest_beside(Path(text))
    return load_manifest(beside) if beside.exists() else None


def _beside(dump: Any, file: str) -> str:
    """The path or URL of a *file* in the folder of *dump*, since what a manifest names lies nowhere else; "" when there is none to ask."""
    if not isinstance(dump, str | os.PathLike) or _WEB.match(text := os.fspath(dump)):
        return ""
    name = PurePath(file).name
    return f"{text.rstrip('/').rpartition('/')[0]}/{name}" if is_url(text) else str(Path(text).with_name(name))


def _manifest_beside_url(url: str) -> Manifest | None:
    if _WEB.match(url):  # a web server is asked for what was named, and nothing else
        return None
    folder, slash, name = url.rstrip("/").rpartition("/")
    file = f"{bare_name(name)}{SUFFIX}"
    content = read_beside(f"{folder}{slash}{file}")
    try:
        return None if content is None else Manifest.from_json(content.decode("utf-8"), label=file)
    except UnicodeDecodeError as error:
        raise ManifestError("cannot read the manifest: not text", resource=file, remedy="Check the URL.") from error


def _not_in_it(manifest: Manifest) -> tuple[str, ...]:
    """What a whole backup would hold and this one does not, as its manifest says."""
    portable = "It is portable: owners and privileges were left out." if {"owner", "acl"} & manifest.leaves_out else ""
    partial = f"It is {manifest.partial_sentence}." if manifest.partial else ""
    return tuple(filter(None, (partial, portable)))


def _ask_changed(dump: Any, manifest: Any) -> Check | None:
    """The check that what looks like no dump, or like one of another version, is not the file that was backed up; None when it may be."""
    path = Path(dump) if isinstance(dump, str | os.PathLike) else None
    if not path or not path.exists():
        return None
    recorded = manifest_of(path, manifest)
    if not recorded or not recorded.dump_file:
        return None
    found = file_digest(path)
    check = check_digest(recorded.dump_file, sha256=found.sha256, size_bytes=found.size_bytes)
    return check if check.outcome is Outcome.FAILED else None


def _ask_file(dump: Dump) -> Iterator[Check]:
    dump.hash_while_counting()
    yield check_complete(complete=dump.complete, damage=dump.damage, entries=len(dump.toc_entries))
    unreadable = []
    dump.fingerprints()  # of all tables together, which may use more than one process
    for data in dump.table_data.values():
        try:
            dump.fingerprint(data.name)
        except PgAuditError as error:
            unreadable.append((data, error.message, isinstance(error, DamagedDump)))
    if dump.table_data:
        yield check_rows_readable(list(dump.table_data.values()), unreadable)


def _ask_manifest(dump: Dump, manifest: Manifest) -> Iterator[Check]:
    if manifest.dump_file is not None:
        found = dump_digest(dump)
        yield check_digest(manifest.dump_file, sha256=found.sha256, size_bytes=found.size_bytes)
    yield from ask_same(manifest, dump)
    yield from same_ledgers(manifest, dump)


def ask_same(expected: Source, found: Source, *, ignore: frozenset[str] = frozenset(), restored: bool = False) -> Iterator[Check]:
    """The checks that two sources hold the same: objects, row counts, fingerprints, sequence values.

    *restored*: *found* was restored from the other into a database of somebody else's making.
    """
    ignore |= told_to_leave_out(expected)
    alignment = align_sessions(expected, found)  # first: constants in definitions are printed by settings, too
    left_out = in_no_dump(expected.inventory, found.inventory)  # one side is a dump, or comes from one
    differences = compare_inventories(expected, found, ignore=SEQUENCE_STATE | ignore, leaving_out=left_out)
    if restored:
        differences = tuple(_by_restores(differences))
    compared = len({*expected.inventory.by_key, *found.inventory.by_key} - {*left_out})
    unmodelled = (*expected.inventory.unmodelled, *(Unmodelled(k.kind, k.schema, k.name, INVALID_INDEX) for k in left_out))
    yield check_objects_match(differences, compared=compared, unmodelled=unmodelled)
    filtered = {s.what for side in (expected, found) for s in without_table(side)}
    tables = [t for t in alignment.settle(compare_tables(expected, found)) if f"rows of {t.name}" not in filtered]
    if restored:
        tables = [t for t in tables if not _is_empty_as_told(expected, found, t.name)]
    if tables:
        yield check_row_counts(tables)
        yield check_row_fingerprints(tables)
    if expected.inventory.of_kind("SEQUENCE") and SCHEMA_ONLY not in _partial(expected):
        yield check_sequence_values(expected.inventory, found.inventory)


def _is_empty_as_told(expected: Source, found: Source, name: TableName) -> bool:
    """Whether the rows of that table were not to be backed up, by the manifest's own words, and none are there."""
    if not _partial(expected) or name in expected.table_data or name not in found.table_data:
        return False
    try:
        return found.fingerprint(name).rows == 0
    except PgAuditError:
        return False


def _partial(source: Source) -> Mapping[str, str]:
    return source.partial if isinstance(source, Manifest) else {}


def told_to_leave_out(source: Source) -> frozenset[str]:
    """The attributes that a backup was told to leave out of everything (`owner`, `acl`), so that nothing made of it has them."""
    return source.leaves_out if isinstance(source, Manifest) else frozenset()


def _by_restores(differences: Iterable[ObjectDifference]) -> Iterator[ObjectDifference]:
    """Those without what no restore brings: properties of the database, versions of extensions (which have a check of their own)."""
    for difference in differences:
        changes = tuple(c for c in difference.changes if c.attribute != "version" or difference.key.kind != "EXTENSION")
        if difference.key.kind != DATABASE and (changes or not difference.changes):
            yield replace(difference, changes=changes)
