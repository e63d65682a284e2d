"""Which PostgreSQL a source comes from: what is printed depends on it."""

from __future__ import annotations

import re
import sys

from pgaudit_kit.records.difference import Change
from pgaudit_kit.records.source import Source

# The first releases whose pg_dump empties the search path and qualifies every name (CVE-2018-1058)
_QUALIFIES = {(9, 3): 22, (9, 4): 17, (9, 5): 12, (9, 6): 8, (10,): 3}


def by_age(left: Source, right: Source, change: Change) -> tuple[tuple[Source, Source], tuple[str | None, str | None]]:
    """Return both sources and what they say, the older server first."""
    if major(left.provenance.server_version) <= major(right.provenance.server_version):
        return (left, right), (change.left, change.right)
    return (right, left), (change.right, change.left)


def oldest(left: Source, right: Source) -> int:
    """The major version of the older server."""
    return min(major(source.provenance.server_version) for source in (left, right))


def straddle(left: Source, right: Source, changed: int) -> bool:
    """Whether only one of the two servers is as new as the version in which something *changed*."""
    return oldest(left, right) < changed <= max(major(source.provenance.server_version) for source in (left, right))


def major(version: str | None) -> int:
    """The leading number of a version string such as `14.23 (Debian …)`; without one, newer than all."""
    match = re.match(r"\d+", version or "")
    return int(match[0]) if match else sys.maxsize


def qualifies_names(source: Source) -> bool:
    """False for a dump that sets a search path for each object instead: by pg_dump before March 2018.

    An archive does not say it in its SQL, and a script may have lost the comment that names the version.
    """
    if source.inventory.bare_names:
        return False
    version = re.match(r"(\d+(?:\.\d+)*)\.(\d+)", source.provenance.pg_dump_version or "")
    if version is None or major(version[0]) > max(_QUALIFIES)[0]:
        return True
    branch = tuple(map(int, version[1].split(".")))
    return branch in _QUALIFIES and int(version[2]) >= _QUALIFIES[branch]
