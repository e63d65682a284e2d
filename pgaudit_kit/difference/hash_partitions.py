"""Rows that a restore puts into another hash partition: all of them together are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pgaudit_kit.difference.partitions import leaves
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.difference import TableDifference
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

_REASON = "all hash partitions of {table} together hold the same rows: where one lies follows from OIDs, which a restore gives anew"


def together(found: Sequence[TableDifference], left: Source, right: Source) -> tuple[TableDifference, ...]:
    """Return *found* with the hash partitions that differ `equivalent`, where all of a table's together do not.

    The hash of an enum's value is that of its OID, so pg_dump loads such rows by way of the partitioned table (pg_dump.c,
    forcePartitionRootLoad), and they go where the restored type's OIDs say.
    """
    different = {table.name for table in found if table.status == "different"}
    reasons: dict[TableName, str] = {}
    if different:
        below = leaves(left.inventory)
        for table in _hashed(left) & _hashed(right):
            partitions = below.get(table, ())
            if different & {*partitions} and partitions == leaves(right.inventory).get(table) and _same_rows(left, right, partitions):
                reasons |= dict.fromkeys(partitions, _REASON.format(table=table))
    return tuple(replace(t, status="equivalent", reason=reasons[t.name]) if t.name in different & reasons.keys() else t for t in found)


def _hashed(source: Source) -> set[TableName]:
    tables = source.inventory.of_kind("TABLE")
    return {TableName(t.key.schema or "", t.key.name) for t in tables if (t.attributes.get("partition_key") or "").startswith("HASH ")}


def _same_rows(left: Source, right: Source, partitions: Sequence[TableName]) -> bool:
    try:
        columns = left.table_data[partitions[0]].columns
        sums = [sum((_fingerprint(source, name, columns) for name in partitions), Fingerprint()) for source in (left, right)]
    except (KeyError, PgAuditError):  # one holds no rows of it, or they cannot be read
        return False
    return sums[0] == sums[1]


def _fingerprint(source: Source, name: TableName, columns: tuple[str, ...]) -> Fingerprint:
    """In one and the same order of columns, which each partition may have otherwise. Raises KeyError when it has others."""
    own = source.table_data[name].columns
    if {*own} != {*columns}:
        raise KeyError(name)
    return source.fingerprint(name, None if own == columns else columns)
