"""Which column each sequence feeds, and how far both have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgaudit_kit.records.objects import Attributes, ObjectKey
from pgaudit_kit.records.sequence_use import SequenceUse
from pgaudit_kit.server.catalog import Row, query

if TYPE_CHECKING:
    from pgaudit_kit.server.snapshot import Snapshot


def sequence_uses(live: Snapshot) -> tuple[SequenceUse, ...]:
    """Return one record per serial or identity column of *live*, by sequence. Reads the highest value of each such column.

    Raises QueryFailed, also when this role may not read one of the columns.
    """
    from psycopg import sql

    states = {s.key: s.attributes for s in live.inventory.of_kind("SEQUENCE")}
    uses = []
    for row in live.ask(query("sequence_use", live.major)):
        furthest = sql.SQL("SELECT {}({})::bigint AS value FROM {}").format(
            sql.SQL("max" if row["increment"] > 0 else "min"),
            sql.Identifier(row["column_name"]),
            sql.Identifier(row["table_schema"], row["table_name"]),
        )
        (found,) = live.ask(furthest.as_string())
        key = ObjectKey("SEQUENCE", row["schema"], row["name"])
        state = states.get(key, {})
        column = f"{row['table_schema']}.{row['table_name']}.{row['column_name']}"
        uses.append(SequenceUse(row["sequence"], column, row["increment"], _next(state, row), found["value"], key))
    return tuple(uses)


def _next(state: Attributes, row: Row) -> int | None:
    last = state.get("last_value")
    if last is None:
        return None
    return int(last) + (row["increment"] if state.get("is_called") == "true" else 0)
