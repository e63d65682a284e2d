"""What settings of a session, which pg_dump neither sets nor records, print into rows and definitions (PGDUMP_FORMATS.md 6.4).

These are TimeZone, bytea_output, lc_monetary and quote_all_identifiers. Before text is compared, a live session takes them over from the
other side: as recorded, when there is a manifest; else as found out, because with them the server prints the dump's own values back
unchanged. What is left, and text of two files, which is as it is: timestamps are compared as instants; other tables that differ in
nothing but what such a setting prints are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pgaudit_kit.difference.instants import InUtc
from pgaudit_kit.difference.partitions_as_one import partitions_as_one
from pgaudit_kit.difference.printed import Columns, Printed, forms_of_bytea, forms_of_money, holds_bytes, is_quoted
from pgaudit_kit.difference.printed_types import columns_printed_by
from pgaudit_kit.difference.tables import common_columns, compare_table
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.difference import TableDifference
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

TIME_ZONE, BYTEA, MONEY, QUOTES, DIGITS = "TimeZone", "bytea_output", "lc_monetary", "quote_all_identifiers", "extra_float_digits"
# What is the same everywhere, for two live sessions
_NEUTRAL = {TIME_ZONE: "UTC", BYTEA: "hex", MONEY: "C", QUOTES: "off"}
# The built-in types whose text each setting changes
_TYPES = {
    TIME_ZONE: re.compile(r"timestamp(\(\d\))? with time zone|tstz"),
    BYTEA: re.compile(r"bytea\b"),
    MONEY: re.compile(r"money\b"),
    QUOTES: re.compile(r"reg(class|collation|config|dictionary|namespace|oper|operator|proc|procedure|role|type)\b"),
    DIGITS: re.compile(r"real\b|double precision|(point|line|lseg|box|path|polygon|circle)\b"),
}
_WHY = {
    TIME_ZONE: "timestamps were printed under another time zone, or one that could not be found out",
    BYTEA: "bytes were printed in another form (bytea_output)",
    MONEY: "money was printed under another locale (lc_monetary), which is not installed here or could not be found out",
    QUOTES: "names of objects were printed with other quotes (quote_all_identifiers)",
    DIGITS: "floating-point numbers were printed by PostgreSQL 11 or older, with other digits",
}
_SHORTEST_DIGITS_SINCE = 12
_WITH_DOLLARS = re.compile(r"(C|POSIX|en_US)\b|C\.")


@runtime_checkable
class LiveSession(Protocol):
    """What a live source can do that a file cannot."""

    def use_setting(self, name: str, value: str) -> None:
        """Print with this setting from now on. Raises QueryFailed when the server does not take it."""

    def timezone_that_prints(self, values: Iterable[str], *, first: str | None = None) -> str | None:
        """The name of a zone under which the server prints each of *values* back unchanged, *first* if it does; None when there is none."""

    def setting_that_prints(
        self,
        name: str,
        candidates: Iterable[str],
        values: Mapping[tuple[TableName, str], list[str]],
        types: Mapping[tuple[TableName, str], str],
    ) -> str | None:
        """Which of *candidates* for a setting makes the server print *values*, by table and column, back unchanged; None: none does.

        *types*: of columns that the server does not have.
        """

    def monetary_locales(self) -> list[str]:
        """Names of locales that the server may have, the session's own first."""


@dataclass
class Alignment:
    """How far two sources print alike. `doubtful`: the settings that may differ, with the columns that they print."""

    left: Source
    right: Source
    doubtful: dict[str, Columns] = field(default_factory=dict)
    guess_again: Callable[[list[TableName]], bool] | None = None
    columns: Mapping[str, Columns] = field(default_factory=dict)

    @cached_property
    def _as_one(self) -> tuple[Source, Source]:
        return partitions_as_one(self.left, self.right)

    def settle(self, tables: Iterable[TableDifference], *, elsewhere: Container[TableName] = ()) -> tuple[TableDifference, ...]:
        """Return the compared *tables* without the differences that only a setting has made, or may have made.

        Those in *elsewhere* are known to differ in nothing that a setting prints.
        """
        found = {t.name: t for t in tables}
        differing = [t.name for t in found.values() if t.status == "different" and t.name not in elsewhere]
        if differing and self.guess_again and self.guess_again(differing):
            found |= {name: compare_table(*self._as_one, name) for name in differing}
        return tuple(self._settled(t) for t in found.values())

    def printed(self, name: TableName) -> frozenset[str]:
        """The columns of that table whose values a setting prints."""
        return frozenset(column for columns in self.columns.values() for column in columns.get(name, ()))

    def for_rows(self, name: TableName) -> tuple[Source, Source, frozenset[str]]:
        """Both sources as the rows of that table are to be compared one by one, and the columns that are to be left out."""
        doubts = self.doubts(name)
        left, right = self._as_one
        zoned = self.doubtful.get(TIME_ZONE, {}).get(name, ())
        if not zoned:
            return left, right, frozenset(doubts)
        return InUtc(left, zoned), InUtc(right, zoned), frozenset(c for c, setting in doubts.items() if setting != TIME_ZONE)

    def doubts(self, name: TableName) -> dict[str, str]:
        """The columns of that table that may be printed otherwise, with the setting that does it."""
        return {column: setting for setting, columns in self.doubtful.items() for column in columns.get(name, ())}

    def _settled(self, table: TableDifference) -> TableDifference:
        doubts = self.doubts(table.name) if table.status == "different" else {}
        if not doubts or table.rows_left != table.rows_right:
            return table
        left, right, left_out = self.for_rows(table.name)
        sure = tuple(c for c in common_columns(left, right, table.name) if c not in left_out)
        reason = f"{'; '.join(sorted({_WHY[s] for s in doubts.values()}))}: {', '.join(doubts)}"
        try:
            same = left.fingerprint(table.name, sure) == right.fingerprint(table.name, sure)
        except PgAuditError:  # a manifest knows the fingerprint of all columns as they were printed, and no other
            return replace(table, status="not_checked", reason=reason)
        if not same:
            return replace(table, reason=f"compared without what may be printed otherwise: {reason}" if left_out else "")
        if left_out:
            return replace(table, status="not_checked", reason=reason)
        return replace(table, status="equivalent", reason="timestamps are of the same instants, printed under other time zones")


def align_sessions(left: Source, right: Source, *, rows: bool = True) -> Alignment:
    """Make both sources print alike as far as that can be done; the result knows the rest. Without *rows*, definitions tell enough."""
    lives = [s for s in (left, right) if isinstance(s, LiveSession)]
    alignment = Alignment(left, right)
    if len(lives) == 2:  # noqa: PLR2004  both sides
        for live in lives:
            for name, value in _NEUTRAL.items():
                live.use_setting(name, value)
    elif isinstance(left, LiveSession):
        _Aligning(left, left, right, alignment, rows).align()
    elif isinstance(right, LiveSession):
        _Aligning(right, right, left, alignment, rows).align()
    elif rows:
        _doubt_files(left, right, alignment)
    if _has_shortest_digits(left) != _has_shortest_digits(right):
        alignment.doubtful[DIGITS] = _columns(DIGITS, left, right)
    return alignment


def _has_shortest_digits(source: Source) -> bool:
    major = re.match(r"\d+", source.provenance.server_version or "")
    return not major or int(major[0]) >= _SHORTEST_DIGITS_SINCE


def _columns(setting: str, *sources: Source) -> Columns:
    """By the inventory of the first source that has tables: a dump of rows alone does not say types."""
    found = next((s.inventory for s in sources if s.inventory.of_kind("TABLE")), None)
    return columns_printed_by(found, _TYPES[setting]) if found else {}


@dataclass
class _Aligning:
    """A live session takes over what the other side, a file, was printed with. `source` is the live one, too."""

    live: LiveSession
    source: Source
    other: Source
    alignment: Alignment
    rows: bool
    guessed: list[str] = field(default_factory=list)
    columns: dict[str, Columns] = field(default_factory=dict)

    def align(self) -> None:
        """Set what is recorded, and what can be found out; the rest is doubtful."""
        self.columns = {setting: _columns(setting, self.other, self.source) for setting in _NEUTRAL}
        for setting, columns in self.columns.items():
            recorded = self.other.provenance.settings.get(setting)
            if not recorded:
                self.guessed.append(setting)
            self._use(setting, recorded or self._find(setting, Printed(self.other, columns, rows=self.rows)), columns)
        self.alignment.guess_again, self.alignment.columns = self.guess_again, self.columns

    def guess_again(self, differing: list[TableName]) -> bool:
        """Look at all values of the tables that differ, where only the first ones were seen; whether anything is printed otherwise now."""
        changed = False
        for setting in self.guessed:
            columns = self.columns[setting]
            if doubtful := {name: columns[name] for name in differing if name in columns}:
                before = self.source.provenance.settings.get(setting)
                found = self._find(setting, Printed(self.other, doubtful, whole=True), Printed(self.other, columns))
                self._use(setting, found, doubtful)
                changed |= before != self.source.provenance.settings.get(setting)
        return changed

    def _use(self, setting: str, value: str | None, columns: Columns) -> None:
        """An empty *value*: there was nothing that tells, so nothing to do."""
        if value is None:
            self.alignment.doubtful[setting] = columns
        elif value:
            try:
                self.live.use_setting(setting, value)
            except PgAuditError:  # a zone or a locale that this server does not have
                self.alignment.doubtful[setting] = columns

    def _find(self, setting: str, *printed: Printed) -> str | None:
        """The value that prints what was *printed*: "" when there is nothing, None when there is none such."""
        if setting == QUOTES:
            return "on" if self.other.inventory.quotes_all or any(map(is_quoted, printed)) else "off"
        database = self.other.inventory.database
        said = database.attributes if database else {}
        if setting == TIME_ZONE:
            zoned = [value for p in printed for value in p.zoned_values()] + printed[-1].zoned_constants()
            first = (said.get("setting TimeZone") or "").strip("'") or None
            return self.live.timezone_that_prints(zoned, first=first) if zoned else ""
        values = printed[-1].defaults()
        for p in reversed(printed):
            for place, texts in p.by_column().items():
                values[place] = [*values.get(place, ()), *texts]
        if setting == BYTEA:
            values = {place: told for place, texts in values.items() if (told := list(filter(holds_bytes, texts)))}
        if not values:
            return ""
        types = self._types(values)
        if setting == BYTEA:
            return self.live.setting_that_prints(setting, ("hex", "escape"), values, types)
        own = [(said.get(name) or "").strip("'") for name in ("setting lc_monetary", "locale", "lc_collate", "lc_ctype")]
        return self.live.setting_that_prints(setting, [*filter(None, own), *self.live.monetary_locales()], values, types)

    def _types(self, places: Iterable[tuple[TableName, str]]) -> dict[tuple[TableName, str], str]:
        """The types of columns as the other side calls them."""
        tables = {(o.key.schema, o.key.name): o for o in self.other.inventory.of_kind("TABLE")}
        found = {}
        for name, column in places:
            item = tables.get((name.schema, name.name))
            told = next((c.attributes.get("type") for c in item.columns if c.name == column), None) if item else None
            if told:
                found[name, column] = told
        return found


def _doubt_files(left: Source, right: Source, alignment: Alignment) -> None:
    """Nobody prints text of two files again: where it shows that it was printed otherwise, a difference is doubtful."""
    for setting in _NEUTRAL:
        columns = _columns(setting, left, right)
        recorded = [s.provenance.settings.get(setting) for s in (left, right)]
        if columns and (recorded[0] != recorded[1] if all(recorded) else _may_differ(setting, (left, right), recorded, columns)):
            alignment.doubtful[setting] = columns


def _may_differ(setting: str, sources: tuple[Source, Source], recorded: list[str | None], columns: Columns) -> bool:
    printed = [Printed(source, columns) for source in sources]
    if setting == TIME_ZONE:
        return not any(recorded) or any(_is_of_other_zone(zone, p) for zone, p in zip(recorded, reversed(printed), strict=True) if zone)
    if setting == QUOTES:
        quoted = [r == "on" if r else s.inventory.quotes_all or is_quoted(p) for r, s, p in zip(recorded, sources, printed, strict=True)]
        return quoted[0] != quoted[1]
    if setting == BYTEA:
        forms = [frozenset({r}) if r else forms_of_bytea(p) for r, p in zip(recorded, printed, strict=True)]
        return all(forms) and forms[0] != forms[1]
    forms = [frozenset({"$ " if _WITH_DOLLARS.match(r) else r}) if r else forms_of_money(p) for r, p in zip(recorded, printed, strict=True)]
    return all(forms) and forms[0] != forms[1] and "$ " in forms[0] | forms[1]


def _is_of_other_zone(zone: str, printed: Printed) -> bool:
    """Whether a value that was *printed* is at another offset than *zone* has then, as far as Python's calendar and its zones tell."""
    try:
        known = ZoneInfo(zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return bool(printed.zoned_values())
    for text in printed.zoned_values():
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:  # before the year 1, or after 9999
            continue
        if moment.astimezone(known).utcoffset() != moment.utcoffset():
            return True
    return False
