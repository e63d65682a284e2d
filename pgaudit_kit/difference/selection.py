"""A part of a source: the objects and tables that --include and --exclude choose, in the patterns of pg_dump and psql."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from string import ascii_lowercase, ascii_uppercase
from typing import TypeAlias

from pgaudit_kit.difference.partitions import leaves
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.identifiers import read_identifier
from pgaudit_kit.records.inventory import Inventory, Unread
from pgaudit_kit.records.objects import DATABASE, PUBLIC_SCHEMA, DatabaseObject, ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.wrapped_source import WrappedSource

Names: TypeAlias = Sequence[tuple[str | None, str]]

_WILDCARDS = {"*": ".*", "?": ".", "$": r"\$"}
# The classes that bracket expressions of PostgreSQL may name and Python's do not (regc_locale.c); letters are those of ASCII
_CLASSES = {"digit": "0-9", "alpha": "a-zA-Z", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z", "xdigit": "0-9a-fA-F", "space": r"\s"}
_CLASS = re.compile(r"\[:(\w+):\]")
_IN_NO_SCHEMA = frozenset(
    {"SUBSCRIPTION", "EVENT TRIGGER", "BLOB", "PUBLICATION", "EXTENSION", "PROCEDURAL LANGUAGE", "ACCESS METHOD", "CAST", "TRANSFORM"}
    | {"FOREIGN DATA WRAPPER", "SERVER", "USER MAPPING", DATABASE}
)
_FOLD = str.maketrans(ascii_uppercase, ascii_lowercase)  # of UTF-8 names psql folds no others


def why_no_match(text: str) -> str:
    """Why the pattern *text* chose nothing, for people. A shell eats the quotes that keep capitals."""
    folded = text != text.translate(_FOLD) and '"' not in text
    return "nothing on either side has such a name" + (f"; capitals count in double quotes alone: '\"{text}\"'" if folded else "")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: what it matches of a schema (None: any schema), and of a name."""

    text: str
    schema: re.Pattern[str] | None
    name: re.Pattern[str]

    def matches(self, schema: str | None, name: str) -> bool:
        """Whether it matches that name in that schema."""
        return (self.schema is None or bool(self.schema.match(schema or ""))) and bool(self.name.match(name))


def parse_pattern(text: str) -> Pattern:
    """Read a pattern: `name`, `schema.name`, `schema.*`.

    The rules are psql's and pg_dump's (processSQLNamePattern in src/fe_utils/string_utils.c): letters fold to lower case,
    `*` is any text, `?` any character, a dot divides schema and name, and within double quotes all of them stand for
    themselves; anything else is a regular expression. Without a schema, any schema fits (pg_dump takes those of its search path only,
    which a dump does not have). Raises UsageError.
    """
    parts = [""]
    quoted = False
    at = 0
    while at < len(text):
        character = text[at]
        if character == '"' and quoted and text[at + 1 : at + 2] == '"':
            parts[-1] += '"'
            at += 1
        elif character == '"':
            quoted = not quoted
        elif quoted:
            parts[-1] += re.escape(character)
        elif character == ".":
            parts.append("")
        else:
            parts[-1] += _WILDCARDS.get(character, character.translate(_FOLD))
        at += 1
    remedy = 'Write name, schema.name or schema.*, with "…" around what is not lower case.'
    if quoted or len(parts) > 2 or not parts[-1]:  # noqa: PLR2004  schema and name
        raise UsageError(f"not a pattern for names: {text!r}", resource=text, remedy=remedy)
    try:
        compiled = [re.compile(rf"(?:{_CLASS.sub(lambda found: _CLASSES[found[1]], part)})\Z", re.DOTALL) for part in parts]
    except (re.error, KeyError) as error:
        raise UsageError(f"not a pattern for names: {text!r} ({error})", resource=text, remedy=remedy) from error
    return Pattern(text, compiled[0] if len(parts) == 2 else None, compiled[-1])  # noqa: PLR2004


@dataclass(frozen=True)
class Selection:
    """What is to be compared: everything that a pattern of *include* matches (all without one) and none of *exclude* does.

    An object is chosen by its own name or by that of the table it belongs to; a routine, by its name without arguments;
    a schema also by `schema.*`. A sequence comes with the table that owns it, and one of an identity column goes with it, as
    with pg_dump (pg_dump.c, getOwnedSeqs).
    """

    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Selection:
        """The selection of patterns as text. Raises UsageError."""
        return cls(tuple(map(parse_pattern, include)), tuple(map(parse_pattern, exclude)))

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    def has(self, key: ObjectKey) -> bool:
        """Whether that object is chosen."""
        return self._chooses(_names(key))

    def has_table(self, name: TableName) -> bool:
        """Whether the rows of that table are chosen."""
        return self._chooses([(name.schema, name.name)])

    def keys(self, inventory: Inventory) -> frozenset[ObjectKey]:
        """The objects of *inventory* that are chosen."""
        return frozenset(o.key for o in inventory.objects if self._has_object(o, inventory))

    def asks_for(self, unread: Unread) -> bool:
        """Whether what could not be read may be chosen. What is in no schema is not, where all patterns name one."""
        if unread.key:
            return self.has(unread.key)
        return not self.include or unread.kind not in _IN_NO_SCHEMA or any(not p.schema or p.schema.match("") for p in self.include)

    def without_match(self, *sources: Source) -> tuple[str, ...]:
        """The patterns of *include* that match nothing of any of *sources*."""
        names = [name for s in sources for o in s.inventory.objects for name in _names(o.key)]
        names += [(table.schema, table.name) for s in sources for table in s.table_data]
        return tuple(p.text for p in self.include if not any(p.matches(*name) for name in names))

    def without_partitions(self, *sources: Source) -> tuple[TableName, ...]:
        """The chosen tables of *sources* whose rows are not, since they are in partitions that no pattern names. As with pg_dump -t."""
        found = {table: below for source in sources for table, below in leaves(source.inventory).items()}
        return tuple(
            table
            for table, below in sorted(found.items())
            if self.include and self.has_table(table) and not any(table in source.table_data for source in sources)
            if any(not any(p.matches(leaf.schema, leaf.name) for p in (*self.include, *self.exclude)) for leaf in below)
        )

    def _has_object(self, item: DatabaseObject, inventory: Inventory) -> bool:
        owner, column = owner_of(item)
        if owner is None:
            return self.has(item.key)
        names = [(owner.schema, owner.name)]
        table = inventory.by_key.get(ObjectKey("TABLE", owner.schema, owner.name))
        is_identity = table is not None and any(c.name == column and c.attributes.get("identity") for c in table.columns)
        return self._chooses(_names(item.key), included_by=names, excluded_by=names if is_identity else ())

    def _chooses(self, names: Names, *, included_by: Names = (), excluded_by: Names = ()) -> bool:
        included = not self.include or any(p.matches(*name) for p in self.include for name in (*names, *included_by))
        return included and not any(p.matches(*name) for p in self.exclude for name in (*names, *excluded_by))


def _names(key: ObjectKey) -> Names:
    """The names that choose an object."""
    names = [(key.schema, key.name.partition("(")[0] or key.name), (key.schema, key.name)]
    if key.parent:
        names.append((key.schema, key.parent))
    if key.kind == "SCHEMA":
        names.append((key.name, ""))
    return names


def owner_of(item: DatabaseObject) -> tuple[TableName | None, str]:
    """The table and column that own a sequence; (None, "") without one, and for anything else."""
    names: list[str] = []
    at = 0
    while found := read_identifier(item.attributes.get("owned_by") or "", at):
        names.append(found[0])
        at = found[1] + 1
    return (TableName(names[0], names[1]), names[2]) if len(names) == 3 else (None, "")  # noqa: PLR2004  schema, table, column


class SelectedSource(WrappedSource):
    """What a selection leaves of *source*, which is compared with *other*."""

    def __init__(self, source: Source, selection: Selection, other: Source) -> None:
        super().__init__(source)
        self._selection = selection
        self._other = other

    @cached_property
    def inventory(self) -> Inventory:
        """The chosen objects. What is not modelled has no name to choose by for certain: all of it stays."""
        whole = self.whole.inventory
        chosen = self._selection.keys(whole) | self._selection.keys(self._other.inventory)  # what one side alone chooses is not missing
        unread = tuple(u for u in whole.unread if u.key in chosen or self._selection.asks_for(u))
        objects = tuple(o for o in whole.objects if o.key in chosen)
        return replace(whole, objects=objects, unread=unread, without_public=whole.without_public and self._selection.has(PUBLIC_SCHEMA))

    @cached_property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The chosen tables."""
        return {name: data for name, data in self.whole.table_data.items() if self._selection.has_table(name)}
