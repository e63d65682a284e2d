"""From what a person names to a Source: a dump, a manifest or saved snapshot, a live database."""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pgaudit_kit.dumps.cluster import ClusterDump
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import NotADump, UsageError
from pgaudit_kit.records.manifest import load_manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.server.snapshot import snapshot

_TARGET = re.compile(r"(postgres(ql)?(\+\w+)?://|env:|dotenv:|service:)", re.IGNORECASE)


def names_a_server(text: str) -> bool:
    """Whether *text* is a target (URL, env:, dotenv:, service:) rather than a file."""
    return bool(_TARGET.match(text))


def open_source(given: Any) -> AbstractContextManager[Source]:
    """Return a context manager that gives the Source *given* names and closes what it opened.

    *given* is a Source already, a path of a dump, manifest or saved snapshot, a target string, a
    SQLAlchemy Engine or URL. Raises the errors of read_dump, load_manifest and snapshot; UsageError for a script of several
    databases, of which one must be named (`cluster.sql#app`).
    """
    if isinstance(given, str) and names_a_server(given):
        return snapshot(given)
    if isinstance(given, str | os.PathLike):
        source = _open_file(Path(given))
        if isinstance(source, ClusterDump):
            raise source.needs_a_name()
        return nullcontext(source)
    if hasattr(given, "table_data"):
        return nullcontext(given)
    return snapshot(given)


def open_dump(given: Any) -> Dump:
    """Return *given* as a Dump: one already, or the path of one."""
    if isinstance(given, Dump):
        return given
    if isinstance(given, str) and names_a_server(given):
        raise UsageError("a dump file was expected, a live database was given", remedy="Give the path of a dump.")
    return read_dump(given)


def _open_file(path: Path) -> Source:
    if path.name.endswith(".json"):
        return load_manifest(path)
    try:
        return read_dump(path)
    except NotADump as error:
        if "JSON" in error.message:
            return load_manifest(path)
        raise
