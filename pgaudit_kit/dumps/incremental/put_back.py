"""Entries of table data that pg_dump was told to leave out, put back into a table of contents where pg_dump would have written them."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.archives.raw_toc import RawEntry, RawHeader, read_raw_entries, read_raw_header
from pgaudit_kit.dumps.archives.toc_writer import write_toc
from pgaudit_kit.errors import DamagedDump

_DATA = b"TABLE DATA"
_TABLE = b"TABLE"
_PRE_DATA = 2
Name = tuple[bytes, bytes]


def read_toc(archive: bytes, *, resource: str) -> tuple[RawHeader, list[RawEntry]]:
    """Header and entries of the custom archive *archive*. Raises DamagedDump, UnsupportedDump."""
    cursor = ByteCursor(io.BytesIO(archive), resource=resource)
    header = read_raw_header(cursor, "custom")
    return header, read_raw_entries(cursor, header)


def put_back(archive: bytes, left_out: Mapping[Name, RawEntry], *, resource: str) -> tuple[bytes, dict[Name, int]]:
    """Return *archive* with an entry of table data for each table *left_out*, and the dump ids that these have now, by schema and name.

    No entry says where its data are: there are none.
    *left_out*: the entries of an earlier archive of the same database. Raises DamagedDump when a table is not in *archive*.
    """
    header, entries = read_toc(archive, resource=resource)
    entries = [entry._replace(extra=None) for entry in entries]
    tables = {_name(entry): entry for entry in entries if entry.desc == _TABLE}
    fresh = max((entry.dump_id for entry in entries), default=0)
    made: dict[Name, RawEntry] = {}
    for number, (name, earlier) in enumerate(sorted(left_out.items()), start=1):
        table = tables.get(name)
        if table is None:
            shown = b".".join(name).decode("utf-8", "replace")
            raise DamagedDump(f"pg_dump wrote no entry of the table {shown}, whose rows it was to leave out", resource=resource)
        made[name] = earlier._replace(
            dump_id=fresh + number, oids=(b"0", table.oids[1]), owner=table.owner, dependencies=(table.dump_id,), extra=None
        )
    return write_toc(header, _merged(entries, made.values())), {name: entry.dump_id for name, entry in made.items()}


def _merged(entries: list[RawEntry], made: Iterable[RawEntry]) -> list[RawEntry]:
    """*entries* with those *made* among them: pg_dump sorts table data by schema and name, before all other data (pg_dump_sort.c)."""
    there = [number for number, entry in enumerate(entries) if entry.desc == _DATA]
    names = [_name(entries[number]) for number in there]
    behind_definitions = max((n for n, e in enumerate(entries) if e.section == _PRE_DATA), default=-1) + 1
    places: dict[int, list[RawEntry]] = {}
    for entry in sorted(made, key=_name):
        at = bisect_right(names, _name(entry))
        place = there[at] if at < len(there) else there[-1] + 1 if there else behind_definitions
        places.setdefault(place, []).append(entry)
    merged: list[RawEntry] = []
    for number, known in enumerate(entries):
        merged += [*places.pop(number, ()), known]
    return merged + [entry for rest in places.values() for entry in rest]


def _name(entry: RawEntry) -> Name:
    return entry.schema or b"", entry.tag or b""
