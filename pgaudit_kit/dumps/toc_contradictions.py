"""What the entries of an archive say against each other, and against the large objects that are there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from pgaudit_kit.dumps.archive_data import Problem
from pgaudit_kit.dumps.archive_toc import Archive, ArchiveEntry
from pgaudit_kit.errors import DamagedDump

_BLOB, _BLOBS, _METADATA = "BLOB", "BLOBS", "BLOB METADATA"
# From here on one entry describes a group of large objects, and one holds their content; before, all content is in one.
GROUPS_SINCE = (1, 16)
_SHOWN = 5


def contradictions(archive: Archive, *, resource: str) -> Iterator[Problem]:
    """Yield what cannot be true of the entries, whatever the data.

    A table and its rows carry the same OID (getTables, makeTableDataInfo in pg_dump.c), so their names must agree.
    """
    tables = {entry.oid: entry for entry in archive.entries if entry.toc.desc == "TABLE"}
    seen: dict[tuple[str | None, str], ArchiveEntry] = {}
    for entry in archive.entries:
        if entry.toc.desc != "TABLE DATA":
            continue
        name = (entry.toc.schema, entry.toc.tag)
        table = tables.get(entry.oid) if entry.oid else None
        if table and (table.toc.schema, table.toc.tag) != name:
            what = f"its rows are said to be of {table.toc.schema}.{table.toc.tag} by entry {table.dump_id}"
        elif name in seen:
            what = f"its rows are in two entries, {seen[name].dump_id} and {entry.dump_id}"
        else:
            seen[name] = entry
            continue
        yield Problem(DamagedDump(what, resource=resource, offset=entry.toc_offset), entry)


def large_object_problems(archive: Archive, found: Mapping[int, Iterable[int]], *, resource: str) -> Iterator[Problem]:
    """Yield where the large objects that were *found* (OIDs by the dump id of their BLOBS entry) are not those that the entries list."""
    for entry, oids in _listed(archive):
        if entry.dump_id not in found:
            continue  # its data are missing as a whole, which is told already
        there = sorted(found[entry.dump_id])
        lost = sorted(oids.difference(there)) if oids is not None else []
        strange = sorted(set(there).difference(oids)) if oids is not None else []
        twice = sorted({oid for oid, after in pairwise(there) if oid == after})
        wrong = {"no content of": lost, "content of large objects that no entry lists:": strange, "twice the content of": twice}
        for what, some in wrong.items():
            if some:
                shown = ", ".join(map(str, some[:_SHOWN])) + (f" and {len(some) - _SHOWN:,} more" if len(some) > _SHOWN else "")
                yield Problem(DamagedDump(f"{what} {shown}", resource=resource, offset=entry.toc_offset), entry)


def _listed(archive: Archive) -> Iterator[tuple[ArchiveEntry, set[int] | None]]:
    """Each entry of content, and the OIDs that it must have; None when the archive does not list them."""
    groups = {entry.toc.tag: entry for entry in archive.entries if entry.toc.desc == _METADATA}
    # entries of single objects; without them it is an archive of 8.4 or older, or one of data alone
    single = {int(e.toc.tag) for e in archive.entries if e.toc.desc == _BLOB and e.toc.tag.isdigit()}
    for entry in archive.entries:
        if entry.toc.desc != _BLOBS or not entry.toc.has_data:
            continue
        if archive.version[:2] >= GROUPS_SINCE:
            group = groups.get(entry.toc.tag)
            yield entry, set(map(int, filter(str.isdigit, (group.toc.definition or "").split()))) if group else None
        else:
            yield entry, single or None
