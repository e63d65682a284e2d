"""The rows of two sources compared table by table: exact counts and fingerprints."""

from __future__ import annotations

from collections.abc import Callable

from pgaudit_kit.difference.hash_partitions import together
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.difference import Skipped, TableDifference, TableStatus
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and of how many."""


def compare_tables(left: Source, right: Source, *, progress: Progress | None = None) -> tuple[TableDifference, ...]:
    """Compare every table whose rows either source holds, by name. One result per table, `same` ones included."""
    names = sorted({*left.table_data, *right.table_data})
    found = []
    for done, name in enumerate(names):
        if progress:
            progress(str(name), done, len(names))
        found.append(_compare(left, right, name))
    return together(found, left, right)


def common_columns(left: Source, right: Source, name: TableName) -> tuple[str, ...]:
    """The columns of *name* that both sources hold, in the order of the left one."""
    there = set(right.table_data[name].columns)
    return tuple(c for c in left.table_data[name].columns if c in there)


def _compare(left: Source, right: Source, name: TableName) -> TableDifference:
    if name not in right.table_data:
        return _on_one_side(left, right, name, left_has_it=True)
    if name not in left.table_data:
        return _on_one_side(right, left, name, left_has_it=False)
    columns = common_columns(left, right, name)
    try:
        a, b = _fingerprint(left, name, columns), _fingerprint(right, name, columns)
    except PgAuditError as error:
        return TableDifference(name, "not_checked", left.table_data[name].rows, right.table_data[name].rows, reason=str(error))
    if a != b:
        return TableDifference(name, "different", a.rows, b.rows)
    if set(columns) != {*left.table_data[name].columns, *right.table_data[name].columns}:
        reason = f"the columns differ; compared on those both have: {', '.join(columns) or 'none'}"
        return TableDifference(name, "equivalent", a.rows, b.rows, reason=reason)
    return TableDifference(name, "same", a.rows, b.rows)


def _fingerprint(source: Source, name: TableName, columns: tuple[str, ...]) -> Fingerprint:
    """Ask without columns when they are the source's own: a manifest knows only those."""
    own = source.table_data[name].columns
    return source.fingerprint(name, None if own == columns else columns)


def _on_one_side(holder: Source, other: Source, name: TableName, *, left_has_it: bool) -> TableDifference:
    """A table whose rows only *holder* has: gone from the other side, or there without rows to compare."""
    rows: int | None = holder.table_data[name].rows
    reason = ""
    if rows is None:
        try:
            rows = holder.fingerprint(name).rows
        except PgAuditError as error:
            reason = str(error)
    other_has_table = any(o.key.schema == name.schema and o.key.name == name.name for o in other.inventory.of_kind("TABLE"))
    status: TableStatus = "only_left" if left_has_it else "only_right"
    if other_has_table:
        status, reason = "not_checked", f"{other.label} has the table but holds no rows of it"
    elif not other.inventory.of_kind("TABLE"):
        status, reason = "not_checked", f"{other.label} says nothing of this table"
    return TableDifference(name, status, rows if left_has_it else None, None if left_has_it else rows, reason)


def without_table(source: Source) -> tuple[Skipped, ...]:
    """The data that a dump holds of tables it does not define, although it defines others.

    pg_dump writes the rows of an extension's configuration table that way, filtered by the extension's own
    condition (pg_extension_config_dump), so they cannot be compared with the whole table.
    """
    defined = {(o.key.schema, o.key.name) for o in source.inventory.of_kind("TABLE")}
    if not defined:
        return ()
    return tuple(
        Skipped(f"rows of {name}", "configuration table of an extension: the dump holds only the rows that the extension chose")
        for name in source.table_data
        if (name.schema, name.name) not in defined
    )
