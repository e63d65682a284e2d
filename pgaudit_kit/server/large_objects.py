"""The contents of the large objects of a live database, as rows (records.large_objects).

lo_get reads a part of one with the rights of the role, and as lo_read does for pg_dump: pages that were never written are zeros. One
query asks the next part of up to a thousand objects, so many small ones take few round trips, and large ones little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pgaudit_kit.rows.large_objects import ContentHash, LargeObjectRows

_TOGETHER = 1_000
_BYTES_AT_ONCE = 1 << 24
_LONGEST_PIECE = 1 << 22

_OIDS = "SELECT oid::bigint FROM pg_largeobject_metadata WHERE oid > %(after)s::bigint::oid ORDER BY oid LIMIT %(limit)s"
_PIECES = """
    SELECT lo_get(w.oid::oid, w.at, %(length)s::integer)
    FROM unnest(%(oids)s::bigint[], %(offsets)s::bigint[]) WITH ORDINALITY AS w(oid, at, number)
    ORDER BY w.number
"""

Fetch = Callable[[str, Mapping[str, Any]], Sequence[tuple[Any, ...]]]
"""Runs a query with parameters and gives its rows."""


def read_large_objects(fetch: Fetch) -> LargeObjectRows:
    """Read the content of every large object once. Raises what *fetch* raises."""
    rows = LargeObjectRows()
    for oids in _groups(fetch):
        for oid, content in _contents(fetch, oids):
            rows.add(oid, content)
    return rows


def _groups(fetch: Fetch) -> Iterator[list[int]]:
    after = 0
    while oids := [oid for (oid,) in fetch(_OIDS, {"after": after, "limit": _TOGETHER})]:
        yield oids
        after = oids[-1]


def _contents(fetch: Fetch, oids: list[int]) -> Iterable[tuple[int, ContentHash]]:
    """The contents of *oids*: a round reads one piece more of each that has not ended yet, the longer the fewer these are."""
    found = {oid: ContentHash() for oid in oids}
    left = oids
    while left:
        length = min(_BYTES_AT_ONCE // len(left), _LONGEST_PIECE)
        asked = {"oids": left, "offsets": [found[oid].size_bytes for oid in left], "length": length}
        unfinished = []
        for oid, (piece,) in zip(left, fetch(_PIECES, asked), strict=True):
            found[oid].add(piece)
            if len(piece) == length:
                unfinished.append(oid)
        left = unfinished
    return found.items()
