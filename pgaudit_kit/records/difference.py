"""Two sources compared: what differs, per object, per table, per row. Left is the first source, right the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName

Status = Literal["only_left", "only_right", "changed", "equivalent"]
Method = Literal["rows", "fingerprints", "server hashes"]
TableStatus = Literal["same", "different", "only_left", "only_right", "equivalent", "not_checked"]


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute (or column) whose value differs; None is "not there" or NULL."""

    attribute: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """One object that differs, with its changed attributes (of columns: `column <name> <attribute>`).

    `reason` says why it is `equivalent`; `hint` what one might think of it (that it looks renamed), and no more.
    """

    key: ObjectKey
    status: Status
    changes: tuple[Change, ...] = ()
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TableDifference:
    """One table's rows compared; `reason` says why it is `not_checked` or `equivalent`.

    `method` says what judged: the rows themselves, side by side; fingerprints, of which one may have been recorded; or hashes that two
    servers made of their rows. None where nothing was compared.
    """

    name: TableName
    status: TableStatus
    rows_left: int | None = None
    rows_right: int | None = None
    reason: str = ""
    method: Method | None = None


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that differs. `key` maps key columns to values (empty when the table has no key)."""

    status: Status
    key: Mapping[str, str | None]
    columns: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not compared, and why."""

    what: str
    reason: str
