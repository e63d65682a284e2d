"""The file of a dump by itself: is it whole, can all of it be read?"""

from __future__ import annotations

from collections.abc import Iterator

from pgaudit_kit.audits.asking import ask, ask_if_any
from pgaudit_kit.checks.dump_whole import check_complete, check_rows_held, check_rows_readable
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import DamagedDump, PgAuditError
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.table_columns import columns_of
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check

_NAMED = 5
_OF_EVERY_DUMP = frozenset({"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE"})


def things_in(dump: Dump) -> int:
    """How many entries it has, but for those that a dump of an empty database has, too."""
    return sum(entry.desc not in _OF_EVERY_DUMP for entry in dump.toc_entries)


def tables_without_rows(dump: Dump) -> dict[TableName, tuple[str, ...]]:
    """The tables that it defines and holds no rows of (--schema-only, --exclude-table-data), with their columns."""
    tables = (TableName(o.key.schema or "", o.key.name) for o in dump.inventory.of_kind("TABLE") if not o.attributes.get("partition_key"))
    columns = {name: columns_of(dump.inventory, name, generated=False) for name in tables if name not in dump.table_data}
    return {name: of for name, of in columns.items() if of is not None}


def without_rows(dump: Dump) -> str:
    """A sentence that names them, "" when there are none: a backup of definitions alone is whole, and not what most people want."""
    tables = list(tables_without_rows(dump))
    if not tables:
        return ""
    if not dump.table_data:
        return f"It holds no rows, only the definitions of {many(len(tables), 'table')}."
    more = f" and {len(tables) - _NAMED:,} more" if len(tables) > _NAMED else ""
    return f"It holds no rows of {', '.join(map(str, tables[:_NAMED]))}{more}."


def ask_rows_held(dump: Dump) -> tuple[Check, ...]:
    """Whether it holds rows, of a dump that looks as if it was told to hold none; of one that is broken, or holds any, nothing is asked."""

    def answer() -> Check | None:
        tables = () if dump.damage or tables_alone(dump.table_data) else tuple(tables_without_rows(dump))
        return check_rows_held(tables) if tables else None

    return ask_if_any("dump.rows_held", answer)


def ask_file(dump: Dump) -> Iterator[Check]:
    """Whether the file is whole, and every row in it can be read."""
    dump.hash_while_counting()
    complete, entries = dump.complete, things_in(dump)
    yield ask("dump.complete", lambda: check_complete(complete=complete, damage=dump.damage, entries=entries, remedy=dump.remedy_of_rows))
    if dump.table_data:
        yield ask("dump.rows_readable", lambda: _check_rows(dump))


def _check_rows(dump: Dump) -> Check:
    unreadable = []
    dump.fingerprints()  # of all tables together, which may use more than one process
    for data in dump.table_data.values():
        try:
            dump.fingerprint(data.name)
        except PgAuditError as error:
            unreadable.append((data, error.message, isinstance(error, DamagedDump)))
    return check_rows_readable(list(dump.table_data.values()), unreadable, remedy=dump.remedy_of_rows)
