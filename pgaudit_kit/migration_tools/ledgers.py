"""Which ledgers a source has, and their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.migration_tools.tool import LedgerTable, Tool
from pgaudit_kit.migration_tools.tools import TOOLS
from pgaudit_kit.records.ledger import Ledger
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line, lines_of


def find_ledgers(source: Source, *, tool: str | None = None) -> list[tuple[Tool, TableName]]:
    """Return every table of *source* that is the ledger of a tool (of *tool*, by its name), by schema and name; no rows are read."""
    found = []
    for table in _tables(source):
        for one in TOOLS:
            if (tool is None or one.name == tool) and one.is_ledger(table):
                found.append((one, table.name))
                break
    return found


def read_ledger(source: Source, tool: Tool, table: TableName, columns: Sequence[str] | None = None) -> Ledger:
    """Return the rows of the ledger *table* of *tool*, by *columns* alone where given.

    A column that the rows of a dump do not give (INSERT INTO schema_migrations (version) …) is NULL.
    Raises RowsNotAvailable when *source* has the table and not its rows (schema only, a manifest), and the errors of the source.
    """
    data = source.table_data.get(table)
    if data is None:
        remedy = "Give a dump with rows, or the live database."
        raise RowsNotAvailable(f"the rows of {table} are not in it", resource=source.label, table=str(table), remedy=remedy)
    item = source.inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
    nulls: dict[str, str | None] = dict.fromkeys(column.name for column in item.columns) if item else {}
    lines = lines_of(source.row_blocks(table, columns))
    rows = [{**nulls, **dict(zip(columns or data.columns, decode_line(line), strict=True))} for line in lines]
    return Ledger(tool.name, table, tuple(tool.read_rows(rows)))


def lock_fault(source: Source, tool: Tool, table: TableName) -> tuple[tuple[str, str], ...]:
    """What is wrong with the lock beside the ledger *table*, with what to do; () when it is free, or cannot be read."""
    if tool.lock is None:
        return ()
    name, column = TableName(table.schema, tool.lock[0]), tool.lock[1]
    data = source.table_data.get(name)
    if data is None or column not in data.columns:
        return ()
    try:
        values = {decode_line(line)[0] for line in lines_of(source.row_blocks(name, (column,)))}
    except RowsNotAvailable:
        return ()
    if not values & {"t", "true", "1"}:
        return ()
    return ((f"{name} is locked: {tool.title} waits, or refuses to run", tool.remedy("locked", "")),)


def _tables(source: Source) -> list[LedgerTable]:
    """The tables by their definitions, and those that a dump of rows alone has rows of."""
    types: dict[TableName, dict[str, str]] = {name: dict.fromkeys(data.columns, "") for name, data in source.table_data.items()}
    for item in source.inventory.objects:
        if item.key.kind == "TABLE":
            columns = {column.name: column.attributes.get("type") or "" for column in item.columns}
            types[TableName(item.key.schema or "", item.key.name)] = columns
    beside: dict[str, set[str]] = defaultdict(set)
    for name in types:
        beside[name.schema].add(name.name)
    parts = source.inventory.by_parent
    return [
        LedgerTable(name, columns, frozenset(beside[name.schema]), frozenset(p.key.name for p in parts.get((name.schema, name.name), ())))
        for name, columns in sorted(types.items())
    ]
