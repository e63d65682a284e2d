"""A part of a source: the objects and tables that --include and --exclude choose, in the patterns of pg_dump and psql."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName

_WILDCARDS = {"*": ".*", "?": ".", "$": r"\$"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: what it matches of a schema (None: any schema), and of a name."""

    schema: re.Pattern[str] | None
    name: re.Pattern[str]

    def matches(self, schema: str | None, name: str) -> bool:
        """Whether it matches that name in that schema."""
        return (self.schema is None or bool(self.schema.match(schema or ""))) and bool(self.name.match(name))


def parse_pattern(text: str) -> Pattern:
    """Read a pattern: `name`, `schema.name`, `schema.*`.

    The rules are psql's and pg_dump's (processSQLNamePattern in src/fe_utils/string_utils.c): letters fold to lower case,
    `*` is any text, `?` any character, a dot divides schema and name, and within double quotes all of them stand for
    themselves; anything else is a regular expression. Without a schema, any schema fits. Raises UsageError.
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
            parts[-1] += _WILDCARDS.get(character, character.lower())
        at += 1
    remedy = 'Write name, schema.name or schema.*, with "…" around what is not lower case.'
    if quoted or len(parts) > 2 or not parts[-1]:  # noqa: PLR2004  schema and name
        raise UsageError(f"not a pattern for names: {text!r}", resource=text, remedy=remedy)
    try:
        compiled = [re.compile(rf"(?:{part})\Z", re.DOTALL) for part in parts]
    except re.error as error:
        raise UsageError(f"not a pattern for names: {text!r} ({error})", resource=text, remedy=remedy) from error
    return Pattern(compiled[0] if len(parts) == 2 else None, compiled[-1])  # noqa: PLR2004


@dataclass(frozen=True)
class Selection:
    """What is to be compared: everything that a pattern of *include* matches (all without one) and none of *exclude* does.

    An object is chosen by its own name or by that of the table it belongs to; a routine, by its name without arguments;
    a schema also by `schema.*`.
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
        names = [(key.schema, key.name.partition("(")[0] or key.name), (key.schema, key.name)]
        if key.parent:
            names.append((key.schema, key.parent))
        if key.kind == "SCHEMA":
            names.append((key.name, ""))
        return self._chooses(names)

    def has_table(self, name: TableName) -> bool:
        """Whether the rows of that table are chosen."""
        return self._chooses([(name.schema, name.name)])

    def _chooses(self, names: list[tuple[str | None, str]]) -> bool:
        included = not self.include or any(p.matches(*name) for p in self.include for name in names)
        return included and not any(p.matches(*name) for p in self.exclude for name in names)


class SelectedSource:
    """What a selection leaves of *source*. It is a Source itself."""

    def __init__(self, source: Source, selection: Selection) -> None:
        self._source = source
        self._selection = selection

    @property
    def label(self) -> str:
        """That of the whole source."""
        return self._source.label

    @property
    def provenance(self) -> Provenance:
        """That of the whole source."""
        return self._source.provenance

    @cached_property
    def inventory(self) -> Inventory:
        """The chosen objects. What is not modelled has no name to choose by for certain: all of it stays."""
        whole = self._source.inventory
        objects = tuple(o for o in whole.objects if self._selection.has(o.key))
        return replace(whole, objects=objects, unread=tuple(u for u in whole.unread if u.key is None or self._selection.has(u.key)))

    @cached_property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The chosen tables."""
        return {name: data for name, data in self._source.table_data.items() if self._selection.has_table(name)}

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """That of the whole source."""
        return self._source.fingerprint(name, columns)

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        """Those of the whole source."""
        return self._source.row_blocks(name, columns)
