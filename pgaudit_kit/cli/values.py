"""Values of a query as JSON, as the cell of a table, as CSV: exact, and told apart from NULL."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from typing import Any

_NEEDS_QUOTES = frozenset(',"\r\n')


@singledispatch
def plain(value: Any) -> Any:
    """Return *value* as JSON can say it exactly; None, booleans, integers and text as they are."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)


@plain.register
def _(value: float) -> float | str:
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"


@plain.register
def _(value: bytes) -> str:
    return f"\\x{value.hex()}"


@plain.register
def _(value: Decimal) -> str:
    return f"{value:f}"


@plain.register
def _(value: datetime) -> str:
    return value.isoformat(sep=" ").removesuffix(":00") if value.tzinfo else value.isoformat(sep=" ")  # all are UTC: +00


@plain.register
def _(value: list) -> list[Any]:  # type: ignore[type-arg]  # what is registered must be a class
    return [plain(item) for item in value]


@plain.register
def _(value: dict) -> dict[str, Any]:  # type: ignore[type-arg]  # the same
    return {str(name): plain(item) for name, item in value.items()}


def text_of(value: Any) -> str:
    """A value that is not NULL, for a cell: nested ones as JSON."""
    import json

    said = plain(value)
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def csv_line(cells: Iterable[str | None]) -> str:
    """A line of CSV: None is nothing, an empty text is quoted."""
    return ",".join("" if cell is None else _quoted(cell) for cell in cells)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if not cell or _NEEDS_QUOTES & set(cell) else cell
