"""From what a person names to a Source: a dump, a manifest or saved snapshot, a live database."""

from __future__ import annotations

import os
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.urls import is_url
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.errors import NotADump, UsageError
from pgaudit_kit.records.manifest import load_manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.server.snapshot import Snapshot, snapshot

STANDARD_INPUT = "-"
_TARGET = re.compile(r"(postgres(ql)?(\+\w+)?://|env:|dotenv:|service:)", re.IGNORECASE)


def names_a_server(text: str) -> bool:
    """Whether *text* is a target (URL, env:, dotenv:, service:) rather than a file."""
    return bool(_TARGET.match(text))


def open_source(given: Any) -> AbstractContextManager[Source]:
    """Return a context manager that gives the Source *given* names and closes what it opened.

    *given* is a Source already, a path of a dump, manifest or saved snapshot, all else that read_dump takes (a URL, an open binary
    stream), `-` for standard input, a target string, a SQLAlchemy Engine or URL. Raises the errors of read_dump, load_manifest and
    snapshot; UsageError for a script of several databases, of which one must be named (`cluster.sql#app`).
    """
    if isinstance(given, str) and names_a_server(given):
        return snapshot(given)
    if isinstance(given, Snapshot) or hasattr(given, "table_data"):  # of the first that would ask the server
        return nullcontext(given)
    if not isinstance(given, str | os.PathLike) and not hasattr(given, "read"):
        return snapshot(given)
    source = _open_file(given)
    if isinstance(source, ClusterDump):
        raise source.needs_a_name()
    return nullcontext(source)


def open_dump(given: Any) -> Dump:
    """Return *given* as a Dump: one already, or what read_dump takes; `-` is standard input."""
    if isinstance(given, Dump):
        return given
    if isinstance(given, str) and names_a_server(given):
        raise UsageError("a dump file was expected, a live database was given", remedy="Give the path of a dump.")
    return read_dump(sys.stdin.buffer if given == STANDARD_INPUT else given)


def _open_file(given: Any) -> Source:
    local = isinstance(given, str | os.PathLike) and not is_url(os.fspath(given))
    if local and os.fspath(given).endswith(".json"):
        return load_manifest(given)
    try:
        return open_dump(given)
    except NotADump as error:
        if local and given != STANDARD_INPUT and "JSON" in error.message:
            return load_manifest(given)
        raise
