"""What was lost: of one table, of one foreign key. What a sequence has to do with it is in `sequence_use`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pgaudit_kit.records.table_data import TableName

TEMPORAL = "it is a temporal key, whose rows need several others together"
KeyState: TypeAlias = Literal["in force", "not valid", "dropped"]


@dataclass(frozen=True, slots=True)
class TouchedSince:
    """How many of the rows that differ were touched in the minute, hour, day, month or year that begins at `since`, on each side."""

    since: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class TimesTouched:
    """The earliest and the latest value of `column`, as PostgreSQL prints them, over all rows that differ, on both sides.

    `over_time` counts those rows by when they were touched, in spans of one `unit` (minute, hour, day, month, year), as fine as is kept.
    """

    column: str
    first: str
    last: str
    unit: str = field(default="", compare=False)
    over_time: tuple[TouchedSince, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DanglingKey:
    """A foreign key of either side, and how many rows of the right one point at a row that is not there.

    `rows` is None where that cannot be known, and `reason` says why. `state`: `in force`, `not valid` (or not enforced), or `dropped`:
    only the left side has it.
    """

    name: str
    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    state: KeyState
    rows: int | None
    reason: str = ""
