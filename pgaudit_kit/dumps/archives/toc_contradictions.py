"""What the entries of an archive say against each other, and against the large objects that are there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from pgaudit_kit.dumps.archives.archive_data import Problem
from pgaudit_kit.dumps.archives.archive_toc import Archive, ArchiveEntry
from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.text_encoding import not_utf8
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.table_data import TableName

_BLOB, _BLOBS, _METADATA = "BLOB", "BLOBS", "BLOB METADATA"
# From here on one entry describes a group of large objects, and one holds their content; before, all content is in one.
GROUPS_SINCE = (1, 16)
_SHOWN = 5
# PostgreSQL 16; before, only later minor versions do it
_ROOT_IS_TOLD_SINCE = (1, 15)
_VIA_ROOT = "-- load via partition root "


def contradictions(archive: Archive, *, resource: str) -> Iterator[Problem]:
    """Yield what cannot be true of the entries, whatever the data. Each names its entry."""
    tables = [entry for entry in archive.entries if entry.toc.desc == "TABLE"]
    by_oid = {entry.oid: entry for entry in tables if entry.oid}
    by_name = {_name(entry): entry for entry in tables}
    tells_root = archive.version[:2] >= _ROOT_IS_TOLD_SINCE
    seen: dict[TableName, ArchiveEntry] = {}
    for entry in archive.entries:
        if problem := _foreign_text(entry, archive.encoding):
            yield Problem(DamagedDump(f"its text has {problem}", resource=resource, offset=entry.toc_offset), entry)
        if entry.toc.desc != "TABLE DATA":
            continue
        name = _name(entry)
        what = _other_table(entry, by_oid.get(entry.oid), by_name.get(name)) or _other_target(entry, tells_root=tells_root)
        if not what and name in seen:
            what = f"its rows are in two entries, {seen[name].dump_id} and {entry.dump_id}"
        seen.setdefault(name, entry)
        if what:
            yield Problem(DamagedDump(what, resource=resource, offset=entry.toc_offset), entry)


def _foreign_text(entry: ArchiveEntry, encoding: str) -> str:
    """What a server refuses in the entry's names and SQL."""
    toc = entry.toc
    texts = (toc.desc, toc.tag, toc.schema, toc.owner, toc.tablespace, toc.access_method, toc.definition, toc.copy_statement)
    return next(filter(None, (not_utf8(text, encoding) for text in texts if text)), "")


def _other_table(rows: ArchiveEntry, same_oid: ArchiveEntry | None, same_name: ArchiveEntry | None) -> str:
    """A table and its rows carry the same OID (getTables, makeTableDataInfo in pg_dump.c), so their names must agree."""
    if same_oid and _name(same_oid) != _name(rows):
        return f"its rows are said to be of {_name(same_oid)} by entry {same_oid.dump_id}"
    if same_name and rows.oid and same_name.oid not in (0, rows.oid):
        return f"its rows are said to be of another table of that name than that of entry {same_name.dump_id}"
    return ""


def _other_target(rows: ArchiveEntry, *, tells_root: bool) -> str:
    """Rows go into their own table, or with --load-via-partition-root into another one, which newer entries name (dumpTableData)."""
    copy = parse_copy(rows.toc.copy_statement or "")
    name = _name(rows)
    target = TableName(name.schema if copy.schema is None else copy.schema, copy.table) if copy else name
    if target == name:
        return ""
    if rows.toc.definition and rows.toc.definition.startswith(_VIA_ROOT):
        root = read_name(rows.toc.definition, len(_VIA_ROOT))
        return "" if root and root[1] == target.name else f"its rows go into {target}, and not where its entry says"
    return f"its rows go into {target}" if tells_root else ""


def _name(entry: ArchiveEntry) -> TableName:
    return TableName(entry.toc.schema or "", entry.toc.tag)


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
