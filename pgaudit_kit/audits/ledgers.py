"""The ledgers of a source, for the audits that are not about migrations alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pgaudit_kit.audits.asking import ask, ask_if_any
from pgaudit_kit.checks.migrations import check_ledger_match, check_ledger_state
from pgaudit_kit.errors import PgAuditError, RowsNotAvailable
from pgaudit_kit.migration_tools.ledgers import find_ledgers, read_ledger
from pgaudit_kit.migration_tools.states import statuses_of
from pgaudit_kit.migration_tools.tool import Tool
from pgaudit_kit.records.ledger import Ledger
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check, Outcome


def ledger_of(source: Source, tool: Tool, table: TableName) -> Ledger:
    """The ledger *table* of *tool*: its rows, or what a Manifest recorded of them. Raises as read_ledger."""
    if isinstance(source, Manifest) and source.ledger is not None and (source.ledger.tool, source.ledger.table) == (tool.name, table):
        return source.ledger
    return read_ledger(source, tool, table)


def first_ledger(source: Source, *, schema: str = "public", among: Collection[TableName] | None = None) -> Ledger | None:
    """The ledger to record of *source*: Prisma's in *schema*, else the first that is there and can be read; None without any.

    *among*: only these tables.
    """
    there = [(tool, table) for tool, table in find_ledgers(source) if among is None or table in among]
    found = sorted(there, key=lambda one: (one[0].name, one[1].schema) != ("prisma", schema))
    for tool, table in found:
        with suppress(RowsNotAvailable):
            return read_ledger(source, tool, table)
    return None


def ledger_states(source: Source) -> Iterator[Check]:
    """`migrations.state` of every ledger of what is being verified: a warning at worst, for the dump is whole all the same.

    An empty ledger says nothing, and neither does one whose rows are not in the dump.
    """
    found = find_ledgers(source)
    for tool, table in found:
        if table in source.table_data:
            for check in ask_if_any("migrations.state", partial(_state_of, source, tool, table)):
                yield replace(check, id=f"{check.id}#{tool.name} {table}") if len(found) > 1 else check


def _state_of(source: Source, tool: Tool, table: TableName) -> Check | None:
    statuses = statuses_of(tool, str(table), read_ledger(source, tool, table), None)
    return check_ledger_state(statuses, at_worst=Outcome.WARNED) if statuses else None


def same_ledgers(expected: Source, found: Source) -> Iterator[Check]:
    """`migrations.ledger`: *found* has the ledgers of *expected*, row for row. Of a Manifest that is the one it recorded."""
    if isinstance(expected, Manifest):
        ledgers = [expected.ledger] if expected.ledger is not None else []
    else:
        ledgers = []
        for tool, table in find_ledgers(expected):
            with suppress(PgAuditError):  # the check of its rows says so
                ledgers.append(read_ledger(expected, tool, table))
    for ledger in ledgers:
        data = expected.table_data.get(ledger.table)
        match = partial(_match, ledger, found, data.columns if data else None)
        check = ask("migrations.ledger", match)
        yield replace(check, id=f"{check.id}#{ledger.tool} {ledger.table}") if len(ledgers) > 1 else check


def _match(expected: Ledger, found: Source, given: Sequence[str] | None) -> Check:
    """*given*: the columns that the expected rows give; the others may have become what their defaults say."""
    for tool, table in find_ledgers(found, tool=expected.tool):
        if table == expected.table:
            return check_ledger_match(expected, _by_columns(found, tool, table, given))
    return check_ledger_match(expected, None)


def _by_columns(source: Source, tool: Tool, table: TableName, columns: Sequence[str] | None) -> Ledger:
    data = source.table_data.get(table)
    if isinstance(source, Manifest) or columns is None or data is None or not set(columns) < set(data.columns):
        return ledger_of(source, tool, table)
    return read_ledger(source, tool, table, columns)
