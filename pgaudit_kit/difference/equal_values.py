"""Types of which equal values may print otherwise (1.0 and 1.00, 1 mon and 30 days), and one text for all that are equal.

A `Kind` says how values of a type are equal: "" when their texts are, the name of a built-in type or "letters" and "base letters" of a
collation, or what a type is made of: ("array", kind), ("range", kind), ("row", kind, kind …). PostgreSQL's own `=` agrees with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias
from unicodedata import combining, normalize

from pgaudit_kit.difference.column_types import column_collation, column_type, under_domains
from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_field
from pgaudit_kit.rows.interval import read_interval
from pgaudit_kit.rows.pg_values import ShiftedList, read_array

Kind: TypeAlias = "str | tuple[Kind, ...]"

_TYPE = re.compile(r'(?:.*\.)?"?(numeric|citext|character|real|double precision|interval|jsonb)\b"?(?: [a-z ]+)?(?:\(.*\))?')
_OTHER_NAMES: Mapping[str, Kind] = {"character varying": "", "numrange": ("range", "numeric"), "nummultirange": ("range", "numeric")}
_MODIFIER = re.compile(r"\([\d,]*\)\Z")
_NOT_IN_STRINGS = re.compile(r'("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)')
_FIELD = re.compile(r'((?:"(?:[^"\\]|""|\\.)*"|[^"\\,()]|\\.)*)[,()]', re.DOTALL)
_BOUND = re.compile(r'((?:"(?:[^"\\]|""|\\.)*"|[^"\\,()\[\]{}]|\\.)+)(?=[,()\[\]])', re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|""|\\.)*)"|\\(.)', re.DOTALL)
_ESCAPED = re.compile(r'""|\\(.)', re.DOTALL)
_DAY = 86_400_000_000
_MONTH_DAYS = 30  # to which `=` takes a month


def kind_of_column(inventory: Inventory, table: TableName, column: str) -> Kind:
    """How values of *column* are equal."""
    collation = _blind(inventory, column_collation(inventory, table, column))
    return collation or kind_of(inventory, column_type(inventory, table, column))


def kind_of(inventory: Inventory, type_text: str | None) -> Kind:
    """How values of a type are equal that *inventory* calls so."""
    text = under_domains(inventory, type_text) or ""
    if text.endswith("[]"):
        element = kind_of(inventory, text[:-2])
        return ("array", element) if element else ""
    bare = _MODIFIER.sub("", text)
    if bare in _OTHER_NAMES:
        return _OTHER_NAMES[bare]
    if match := _TYPE.fullmatch(text):
        return match[1]
    name = read_name(text, 0)
    found = name and (inventory.by_key.get(ObjectKey("TYPE", *name[:2])) or inventory.by_key.get(ObjectKey("TABLE", *name[:2])))
    return _kind_of_made(inventory, found) if found else ""


def _kind_of_made(inventory: Inventory, item: DatabaseObject) -> Kind:
    """How values of a type that somebody made are equal."""
    if subtype := item.attributes.get("subtype"):
        bound = kind_of(inventory, subtype)
        return ("range", bound) if bound else ""
    parts = [_blind(inventory, c.attributes.get("collation")) or kind_of(inventory, c.attributes.get("type")) for c in item.columns]
    return ("row", *parts) if any(parts) else ""


def _blind(inventory: Inventory, collation: str | None) -> str:
    """What a collation that is not deterministic looks at, as far as its locale says: letters without case, or also without accents."""
    name = read_name(collation or "", 0)
    item = inventory.by_key.get(ObjectKey("COLLATION", *name[:2])) if name else None
    if item is None or item.attributes.get("deterministic") != "false":
        return ""
    locale = item.attributes.get("locale") or ""
    return "base letters" if "ks-level1" in locale else "letters" if "ks-level2" in locale else "characters"


def alike(kind: Kind, field: bytes) -> bytes:
    """The one text of all values that equal that of *field*, which is COPY text and not NULL."""
    return _alike(kind, decode_field(field) or "").encode("utf-8", "surrogateescape") if kind else field


def _alike(kind: Kind, text: str) -> str:
    if isinstance(kind, str):
        return _SIMPLE[kind](text) if kind else text
    if kind[0] == "row":
        return repr([part if part is None else _alike(k, part) for k, part in zip(kind[1:], _parts(text), strict=False)])
    of_part = kind[1]
    if kind[0] == "range":
        return _BOUND.sub(lambda m: repr(_alike(of_part, _unquoted(m[1]))), text)
    found = read_array(text, read_element=lambda element: _alike(of_part, element))
    return f"{found.lower_bounds if isinstance(found, ShiftedList) else ''}{found}"


def _parts(row: str) -> list[str | None]:
    """The columns of a composite value (rowtypes.c, record_out): what is empty and not quoted is NULL."""
    return [_unquoted(m[1]) if m[1] else None for m in _FIELD.finditer(row[1:])]


def _unquoted(text: str) -> str:
    """Doubled quotes and backslashes stand for one, and quotes are around a part or the whole."""
    return _QUOTED.sub(lambda m: m[2] or _ESCAPED.sub(lambda e: e[1] or '"', m[1]), text)


def _number(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _interval(text: str) -> str:
    found = read_interval(text)
    return str((found.months * _MONTH_DAYS + found.days) * _DAY + found.microseconds) if found else text


def _base_letters(text: str) -> str:
    return "".join(c for c in normalize("NFKD", normalize("NFKD", text).casefold()) if not combining(c))


_SIMPLE: Mapping[str, Callable[[str], str]] = {
    "numeric": _number,
    "citext": str.lower,
    "character": lambda text: text.rstrip(" "),
    "real": lambda text: "0" if text == "-0" else text,
    "double precision": lambda text: "0" if text == "-0" else text,
    "interval": _interval,
    "jsonb": lambda text: _NOT_IN_STRINGS.sub(lambda m: m[1] or _number(m[2]), text),
    "letters": lambda text: normalize(
        "NFKD", normalize("NFKD", text).lower().replace("\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER SIGMA}")
    ),
    "base letters": _base_letters,
    "characters": lambda text: normalize("NFD", text),
}
