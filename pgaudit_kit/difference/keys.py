"""Which columns tell the rows of a table apart: read from an inventory, so dumps and servers answer alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pgaudit_kit.difference.equal_values import Kind, alike, kind_of_column
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import LARGE_OBJECT_KEY, LARGE_OBJECT_ROWS
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import NULL

_NAME = r'(?:"(?:[^"]|"")*"|[^\s",()]+)'
_NAMES = rf"{_NAME}(?:, {_NAME})*"
_COLUMNS = rf"\(({_NAMES})\)"
_NULLS = "(?P<nulls> NULLS NOT DISTINCT)?"
# What pg_get_constraintdef and pg_get_indexdef print; an index with a WHERE, an expression or an operator class is no key
_CONSTRAINT = re.compile(rf"(?:PRIMARY KEY|UNIQUE){_NULLS} \(({_NAMES})(?: WITHOUT OVERLAPS)?\)")
_INDEX = re.compile(rf"CREATE UNIQUE INDEX .* USING \w+ {_COLUMNS}(?: INCLUDE {_COLUMNS})?{_NULLS}(?: WITH \([^()]*\))?\Z", re.DOTALL)
_PATTERNS = {"CONSTRAINT": _CONSTRAINT, "INDEX": _INDEX}
_IDENTIFIER = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')
_WORST_LAST = ("never", "equal", "distinct")


@dataclass(frozen=True, slots=True)
class RowKey:
    """The columns that tell rows apart. `nulls`: there are none; or two are the same value; or a row that has one is equal to no other.

    `kinds`: by column, how values that print otherwise may be equal (`equal_values.Kind`); () when only equal texts are.
    """

    columns: tuple[str, ...]
    nulls: Literal["never", "equal", "distinct"] = "never"
    kinds: tuple[Kind, ...] = ()

    def alike(self, fields: Sequence[bytes]) -> list[bytes]:
        """The COPY text of a key's values in which equal ones are the same."""
        return [field if field == NULL else alike(kind, field) for kind, field in zip(self.kinds, fields, strict=True)]


def key_of(inventory: Inventory, table: TableName) -> RowKey | None:
    """Return the primary key of *table*, else its narrowest unique constraint or index, those without NULLs first, else None."""
    return RowKey(LARGE_OBJECT_KEY) if table == LARGE_OBJECT_ROWS else next(iter(keys_of(inventory, table)), None)


def keys_of(inventory: Inventory, table: TableName) -> list[RowKey]:
    """Return all keys of *table*, that first by which rows are best told apart."""
    candidates: list[tuple[bool, int, int, tuple[str, ...], RowKey]] = []
    for item in inventory.by_parent.get((table.schema, table.name), ()):
        definition = item.attributes.get("definition") or ""
        pattern = _PATTERNS.get(item.key.kind)
        match = pattern.match(definition) if pattern else None
        if match and item.attributes.get("valid") != "false":
            columns = _identifiers(match[2] if item.key.kind == "CONSTRAINT" else match[1])
            primary = definition.startswith("PRIMARY KEY")
            nulls: Literal["never", "equal", "distinct"] = "equal" if match["nulls"] else "distinct"
            nulls = "never" if primary or _all_not_null(inventory, table, columns) else nulls
            key = RowKey(columns, nulls, _kinds(inventory, table, columns))
            candidates.append((not primary, _WORST_LAST.index(key.nulls), len(columns), columns, key))
    return [candidate[-1] for candidate in sorted(candidates, key=lambda candidate: candidate[:-1])]


def _identifiers(text: str) -> tuple[str, ...]:
    return tuple(quoted.replace('""', '"') if quoted or not bare else bare for quoted, bare in _IDENTIFIER.findall(text))


def _kinds(inventory: Inventory, table: TableName, columns: tuple[str, ...]) -> tuple[Kind, ...]:
    kinds = tuple(kind_of_column(inventory, table, column) for column in columns)
    return kinds if any(kinds) else ()


def _all_not_null(inventory: Inventory, table: TableName, columns: tuple[str, ...]) -> bool:
    owner = inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
    if owner is None:
        return False
    not_null = {c.name for c in owner.columns if c.attributes.get("not_null") == "true" and not c.attributes.get("generated")}
    return not_null.issuperset(columns)
