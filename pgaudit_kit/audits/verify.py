"""Is this backup whole? The file itself, against the manifest taken in pg_dump's own snapshot, and against a live database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from pgaudit_kit.audits.asking import ask
from pgaudit_kit.audits.beside import beside, earlier_backups
from pgaudit_kit.audits.expectations import Settings, ask_dump, ask_tables, settings_of
from pgaudit_kit.audits.file_digest import digest_if_there, dump_digest, file_digest
from pgaudit_kit.audits.ledgers import ledger_states, same_ledgers
from pgaudit_kit.audits.result import WITHOUT_MANIFEST, AuditResult
from pgaudit_kit.audits.same import ask_same
from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.audits.verify_cluster import verify_cluster
from pgaudit_kit.audits.verify_file import ask_file, ask_rows_held, without_rows
from pgaudit_kit.audits.verify_live import ask_target, is_live, verify_live
from pgaudit_kit.checks.dump_whole import check_digest, check_globals, check_unreadable
from pgaudit_kit.checks.live_state import check_rows_complete, protected_tables
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.remote_places import WEB, read_beside
from pgaudit_kit.dumps.files.urls import is_url
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.errors import DamagedDump, ManifestError, NotADump, UnsupportedDump, UsageError
from pgaudit_kit.records.manifest import SUFFIX, DumpFile, Manifest, bare_name, load_manifest, manifest_beside
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check, Outcome


def verify(
    dump: Any,
    target: Any = None,
    *,
    manifest: str | os.PathLike[str] | Manifest | None = None,
    require: Sequence[str] = (),
    config: Settings = None,
) -> AuditResult:
    """Verify a dump: its file, every row in it, and, with a manifest, that it holds what the database held.

    *target*: a live database that must be the very same, and whose server must fit. In place of a dump a live database (a target, an
    Engine, a Snapshot) is verified by itself: whether it is sound, and may be backed up. *config*: a Config, or the file that has the
    settings of a project; its thresholds are checks of their own. None: there are none.

    Without *manifest* the one beside the dump is taken when there is one. The script of roles and tablespaces that it names is asked, too,
    but not of a Manifest that was given: who does so is about to use the dump alone. *require* names tables that must be there.
    Of a script of several databases every one is verified; its checks have `#database` behind their names. A manifest and required
    tables are those of one database, so they need it named. Raises the errors of read_dump, UsageError and ManifestError; what is
    found wrong is in the result, never raised: also when what a manifest was written for does not even look like a dump any more.
    """
    settings = settings_of(config)
    if is_live(dump):
        if target is not None or manifest is not None:
            raise UsageError("a live database is verified by itself", resource="verify", remedy="Name a dump first, then the database.")
        return verify_live(dump, require=require, config=settings)
    try:
        opened = open_dump(dump)
    except DamagedDump as error:
        return AuditResult("Is this backup whole?", Path(error.resource).name, (check_unreadable(error.message, error.offset),))
    except (NotADump, UnsupportedDump) as error:
        if changed := _ask_changed(dump, manifest):
            return AuditResult("Is this backup whole?", Path(error.resource).name, (check_unreadable(error.message, None), changed))
        raise
    if isinstance(opened, ClusterDump):
        return verify_cluster(opened, settings, {"a manifest is": manifest, "required tables are": require, "a target is": target})
    recorded = manifest_of(opened.path or dump, manifest)
    here = None if isinstance(manifest, Manifest) else beside(opened.path or dump)
    before, unlisted = earlier_backups(here, recorded)
    checks = list(ask_file(opened))
    checks += ask_dump(opened, recorded, settings, here, before)
    checks += ask_tables(opened, require, settings)
    if recorded is not None:
        checks += _ask_manifest(opened, recorded)
        if recorded.globals_file and recorded is not manifest:
            place = _beside(opened.path or dump, recorded.globals_file.name)
            globals_file = recorded.globals_file
            checks.append(ask("globals.digest", lambda: check_globals(globals_file, digest_if_there(place) if place else None)))
    else:
        checks += [*ask_rows_held(opened), *ledger_states(opened)]
    if target is not None:
        checks = _told_apart(checks, [*ask_target(recorded or opened, opened, target)])
    skipped = _not_in_it(recorded) if recorded is not None else (without_rows(opened), WITHOUT_MANIFEST)
    return AuditResult("Is this backup whole?", opened.label, tuple(checks), tuple(filter(None, (*skipped, unlisted))))


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
    place = manifest_beside(Path(text))
    return load_manifest(place) if place.exists() else None


def _told_apart(of_dump: Sequence[Check], of_target: Sequence[Check]) -> list[Check]:
    """All of them under ids of their own: what was asked of the dump, and is asked of the target again, is `ID#manifest`."""
    again = {check.id for check in of_target}
    return [*(replace(c, id=f"{c.id}#manifest") if c.id in again else c for c in of_dump), *of_target]


def _beside(dump: Any, file: str) -> str:
    """The path or URL of a *file* in the folder of *dump*, since what a manifest names lies nowhere else; "" when there is none to ask."""
    if not isinstance(dump, str | os.PathLike) or WEB.match(text := os.fspath(dump)):
        return ""
    name = PurePath(file).name
    return f"{text.rstrip('/').rpartition('/')[0]}/{name}" if is_url(text) else str(Path(text).with_name(name))


def _manifest_beside_url(url: str) -> Manifest | None:
    if WEB.match(url):  # a web server is asked for what was named, and nothing else
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


def _ask_manifest(dump: Dump, manifest: Manifest) -> Iterator[Check]:
    if recorded := manifest.dump_file:
        yield ask("dump.digest", lambda: _check_digest(dump, recorded))
    yield from ask_same(manifest, dump)
    if protected := protected_tables(o for o in manifest.inventory.objects if _has_rows_in(dump, o)):
        yield ask("rows.complete", lambda: check_rows_complete(manifest, protected))
    yield from same_ledgers(manifest, dump)


def _has_rows_in(dump: Dump, item: DatabaseObject) -> bool:
    return TableName(item.key.schema or "", item.key.name) in dump.table_data


def _check_digest(dump: Dump, recorded: DumpFile) -> Check:
    found = dump_digest(dump)
    return check_digest(recorded, sha256=found.sha256, size_bytes=found.size_bytes)
