"""Foreign keys of either side by which rows of the right one point at nothing: constraints may be gone, not valid, or were not heeded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from pgaudit_kit.difference.foreign_keys import ForeignKey, foreign_keys_of_both
from pgaudit_kit.difference.orphans_in_rows import orphans_in_rows
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.loss import TEMPORAL, DanglingKey, KeyState
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.server.orphans import count_orphans, relations

if TYPE_CHECKING:
    from pgaudit_kit.server.snapshot import Snapshot


@runtime_checkable
class Queried(Protocol):
    """What a live source can do that a file cannot."""

    @property
    def major(self) -> int:
        """Major version of the server."""

    def ask(self, sql: str) -> list[Any]:
        """Run one query."""


def dangling_keys(left: Source, right: Source, *, whole: Source) -> tuple[DanglingKey, ...]:
    """Look at every foreign key of *left* and *right* whose table is in *right*; *whole* is *right* without any selection.

    None of the rows need differ, and none is trusted: a constraint that is in force says nothing of rows written while it was not.
    """
    keys = [k for k in foreign_keys_of_both(left.inventory, right.inventory) if _is_there(right, k)]
    if not keys:
        return ()
    count = _by_queries(cast("Snapshot", whole)) if isinstance(whole, Queried) else _by_rows(whole)
    return tuple(_looked_at(key, count) for key in keys)


def _is_there(right: Source, key: ForeignKey) -> bool:
    return key.table in right.table_data or ObjectKey("TABLE", key.table.schema, key.table.name) in right.inventory.by_key


def _looked_at(key: ForeignKey, count: Callable[[ForeignKey], int | str]) -> DanglingKey:
    state: KeyState = "dropped" if key.dropped else "in force" if key.trusted else "not valid"
    try:
        found = TEMPORAL if key.temporal else count(key)
    except PgAuditError as error:
        found = error.message
    rows, reason = (None, found) if isinstance(found, str) else (found, "")
    return DanglingKey(key.name, key.table, key.columns, key.parent, key.parent_columns, state, rows, reason)


def _by_queries(live: Snapshot) -> Callable[[ForeignKey], int | str]:
    read = cache(lambda: relations(live))

    def count(key: ForeignKey) -> int | str:
        known = read()
        for table, columns in ((key.table, key.columns), (key.parent, key.parent_columns)):
            if table in known and (gone := [c for c in columns if c not in known[table].columns]):
                return f"{table} has no column {gone[0]} any more"
        return count_orphans(live, known, (key.table, key.columns), (key.parent, key.parent_columns), match_full=key.match_full)

    return count


def _by_rows(source: Source) -> Callable[[ForeignKey], int | str]:
    if isinstance(source, Manifest):
        return lambda _: "a manifest holds no rows"
    return lambda key: orphans_in_rows(source, key)
