"""Which column each sequence feeds, and how far both have come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pgaudit_kit.errors import QueryFailed
from pgaudit_kit.records.objects import Attributes, ObjectKey
from pgaudit_kit.records.sequence_use import SequenceUse
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.catalog_rows import Row

if TYPE_CHECKING:
    from pgaudit_kit.server.snapshot import Snapshot


def sequence_uses(live: Snapshot) -> tuple[SequenceUse, ...]:
    """Return one record per column of *live* that a sequence feeds, by sequence. Reads the highest value of each such column.

    What this role may not read has its `reason`. Raises QueryFailed when the catalog cannot be read.
    """
    states = {s.key: s.attributes for s in live.inventory.of_kind("SEQUENCE")}
    uses = []
    for row in live.ask(query("sequence_use", live.major)):
        key = ObjectKey("SEQUENCE", row["schema"], row["name"])
        use = SequenceUse(
            row["sequence"],
            f"{row['table_schema']}.{row['table_name']}.{row['column_name']}",
            row["increment"],
            next_value(states.get(key, {}), row["increment"]),
            None,
            key,
        )
        try:
            uses.append(replace(use, in_use=_furthest(live, row)))
        except QueryFailed as error:
            uses.append(replace(use, next_value=None, reason=error.message))
    return tuple(uses)


def _furthest(live: Snapshot, row: Row) -> int | None:
    from psycopg import sql

    furthest = sql.SQL("SELECT {}({})::bigint AS value FROM {}").format(
        sql.SQL("max" if row["increment"] > 0 else "min"),
        sql.Identifier(row["column_name"]),
        sql.Identifier(row["table_schema"], row["table_name"]),
    )
    (found,) = live.ask(furthest.as_string())
    value: int | None = found["value"]
    return value


def next_value(state: Attributes, increment: int) -> int | None:
    """The value that a sequence in *state* will give next; None where that is not known."""
    last = state.get("last_value")
    if last is None:
        return None
    return int(last) + (increment if state.get("is_called") == "true" else 0)
