"""The SQL of a new table that holds what a table of a dump held: its columns, without what ties it to others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgaudit_kit.difference.rescue_sql import qualified, quoted
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.identifiers import read_name, read_parents
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Attributes, ObjectKey
from pgaudit_kit.records.table_columns import declared_columns
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.table_names import name_in_sql
from pgaudit_kit.rows.pg_types import built_in_type

_OF_A_SEQUENCE = re.compile(r"\b(?:nextval|currval|setval|lastval)\s*\(", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_BRACKETS = re.compile(r"(?:\s*\[\d*\])+\Z")
_LONGEST_NAME = 63  # bytes; NAMEDATALEN - 1: the server would cut a longer one
_SUFFIX = "_from_dump"


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table to be made: `create` is its statement; `columns`, of these `types`, those that COPY gives values.

    `identities` are the columns that count on by themselves. `left_out` says, in sentences, what the table of the dump has and this one
    does not, besides keys, checks, indexes and triggers. `search_path` is what its types need: "" but for dumps that do not say their
    schemas. `made` are the statements that made types and domains of the dump, by name; `extensions` may have brought others.
    """

    name: TableName
    create: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    identities: tuple[str, ...]
    left_out: tuple[str, ...]
    search_path: str
    made: Mapping[str, str]
    extensions: tuple[str, ...]

    def how_made(self, words: str) -> str:
        """How the dump made what a server's *words* say it lacks, as the end of a sentence."""
        for name, statement in self.made.items():
            if {f'"{name}"', f'"{name.partition(".")[2]}"'} & set(_QUOTED.findall(words)):
                return f", as the dump has it: {statement.rstrip(';')}"
        return f" (the extensions of the dump are {', '.join(self.extensions)})" if self.extensions else ""


def define_table(inventory: Inventory, table: TableName, columns: Sequence[str], *, name: TableName, resource: str) -> TableDefinition:
    """Return the definition of *name*: the columns of *table* with their types, collations, NOT NULL, defaults and identity.

    *columns* are those of its COPY lines. Raises RowsNotAvailable when the dump does not say their types.
    """
    attributes = _attributes(inventory, table)
    if untyped := [column for column in columns if not attributes.get(column, {}).get("type")]:
        what = f"this dump does not say the type of column {untyped[0]} of {table}: it has rows, but not the table"
        raise RowsNotAvailable(what, resource=resource, table=str(table), remedy="Create the table yourself, and load --sql FILE into it.")
    lines, left_out = [], []
    for column, its in attributes.items():
        default = its.get("default")
        if default and _OF_A_SEQUENCE.search(default):
            left_out.append(f"Column {column} has no default: that of the dump is {default}.")
            default = None
        lines.append(f"    {quoted(column)} {' '.join(_clauses(its, default))}")
    create = f"CREATE TABLE {qualified(name)} (\n" + ",\n".join(lines) + "\n);\n"
    types = [its["type"] or "" for its in attributes.values()]
    return TableDefinition(
        name,
        create,
        types=tuple(attributes[column]["type"] or "" for column in columns),
        columns=tuple(columns),
        identities=tuple(column for column, its in attributes.items() if its.get("identity")),
        left_out=tuple(left_out),
        search_path=quoted(table.schema) if any(map(_is_unqualified, types)) else "",
        made={f"{o.key.schema}.{o.key.name}": o.definition or "" for o in inventory.of_kind("TYPE", "DOMAIN")},
        extensions=tuple(o.key.name for o in inventory.of_kind("EXTENSION")),
    )


def new_name(text: str | None, table: TableName, *, suffix: str = _SUFFIX) -> TableName:
    """Return the name that *text* says, in the schema of *table* unless it says one; without it `<table>_from_dump`. Raises UsageError."""
    if text is None:
        name = table.name
        while len((name + suffix).encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
            name = name[:-1]
        return TableName(table.schema, name + suffix)
    parsed = name_in_sql(text)
    if parsed is None:
        raise UsageError(f"not the name of a table: {text!r}", remedy='Write name or schema.name, or "Schema"."Name".')
    if len(parsed[1].encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        raise UsageError(f"{text} is longer than the {_LONGEST_NAME} bytes of a name", remedy="Choose a shorter one.")
    return TableName(parsed[0] or table.schema, parsed[1])


def _attributes(inventory: Inventory, table: TableName) -> dict[str, Attributes]:
    """The attributes of each column; what a child declares again, and a partition has of its parent, put together."""
    merged: dict[str, Attributes] = {}
    item = inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
    above = [TableName(schema or table.schema, name) for schema, name in read_parents((item and item.attributes.get("partition_of")) or "")]
    for place in (*above, table):  # pg_dump 10 wrote partitions without columns
        for column in declared_columns(inventory, place) or ():
            said = {key: value for key, value in column.attributes.items() if value is not None}
            merged[column.name] = {**merged.get(column.name, {}), **said}
    return merged


def _is_unqualified(kind: str) -> bool:
    """Whether the type *kind* is one of a schema that the dump does not name, as before the releases of March 2018."""
    bare = _BRACKETS.sub("", kind)
    found = read_name(bare, 0)
    return found is not None and found[0] is None and built_in_type(bare) is None and built_in_type(found[1]) is None  # "char" has quotes


def _clauses(its: Attributes, default: str | None) -> list[str]:
    clauses = [its["type"] or ""]
    if its.get("collation"):
        clauses.append(f"COLLATE {its['collation']}")
    if generated := its.get("generated"):
        expression, _, kind = generated.rpartition(" ")
        clauses.append(f"GENERATED ALWAYS AS ({expression}) {kind}")
    elif default:
        clauses.append(f"DEFAULT {default}")
    if its.get("identity"):
        clauses.append(f"GENERATED {its['identity']} AS IDENTITY")
    if its.get("not_null"):
        clauses.append("NOT NULL")
    return clauses
