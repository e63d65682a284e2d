"""Where a source comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The formats whose table of contents is apart from the rows, and can be read without them
ARCHIVES = frozenset({"custom", "directory", "incremental", "tar"})


@dataclass(frozen=True)
class Provenance:
    """Facts about a source as text for people; None where it does not apply or is not known.

    `format`: plain, custom, directory, tar, cluster (a script of pg_dumpall), live, manifest. `created_at`: for a dump
    as the file says it (local time of the machine that ran pg_dump, no zone); for a snapshot or manifest ISO 8601 in UTC.
    `compression`: of the rows of an archive, or of a whole script. `complete`: the end of a
    dump was seen. `settings`: session settings that shape text (TimeZone, bytea_output, client_encoding …).
    """

    format: str
    database: str | None = None
    server_version: str | None = None
    pg_dump_version: str | None = None
    archive_version: str | None = None
    compression: str | None = None
    encoding: str | None = None
    created_at: str | None = None
    size_bytes: int | None = None
    complete: bool | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
