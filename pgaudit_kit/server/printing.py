"""With which settings a server prints given values back unchanged: how the values of a dump were printed is found out that way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from pgaudit_kit.errors import QueryFailed
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.asking import Asking
from pgaudit_kit.server.catalog_query import query

SET = "SELECT set_config(%(name)s, %(value)s, true)"
_OFFSET = re.compile(r"[+-]\d\d(?::\d\d){0,2}(?= BC\Z|\Z)")
_TYPE_NAMED = "SELECT format_type(to_regtype(%(type)s), NULL) AS type WHERE to_regtype(%(type)s) IS NOT NULL"

Place = tuple[TableName, str]
"""A table and a column of it."""


def timezone_that_prints(session: Asking, major: int, values: Iterable[str], *, first: str | None = None) -> str | None:
    """The name of a zone under which the server prints each timestamptz text of *values* back unchanged, None without one.

    Zone *first* goes before the session's own, this before UTC, and that before all others.
    """
    # The last years there are come last: in a zone further east they have no number, and by then others have ruled that zone out
    texts = sorted(values, key=lambda text: len(text.partition("-")[0]))
    for preferred in dict.fromkeys((first, None)):
        try:
            with session.savepoint("looking for a time zone"):
                asked = {"values": texts, "first": preferred, "fixed": _fixed_zone(texts)}
                found = session.ask(query("timezone", major), asked)
        except QueryFailed:
            continue  # *first* is no zone of this server, or one of the values is no timestamp of it
        return str(found[0]["name"]) if found else None
    return None


def setting_that_prints(
    session: Asking, major: int, name: str, candidates: Iterable[str], *, values: Mapping[Place, list[str]], types: Mapping[Place, str]
) -> str | None:
    """The first of *candidates* for setting *name* with which the server prints *values* back unchanged; None when none does.

    *types*: of columns that it does not have.
    """
    for candidate in dict.fromkeys(candidates):
        with suppress(QueryFailed), session.savepoint(f"printing with {name} = {candidate}"):
            session.ask(SET, {"name": name, "value": candidate})
            if all(_prints_back(session, major, place, texts, types.get(place)) for place, texts in values.items()):
                return candidate
    return None


def _prints_back(session: Asking, major: int, place: Place, values: list[str], told: str | None) -> bool:
    """Whether *values* are read as of the type of that column, and printed, unchanged. The type's name is the server's own."""
    table, column = place
    found = session.ask(query("column_type", major), {"schema": table.schema, "table": table.name, "column": column})
    if not found and told:  # as text, which the server looks up: it comes from a dump
        found = session.ask(_TYPE_NAMED, {"type": told})
    if not found:
        return True
    type_name = found[0]["type"].replace("%", "%%")
    printed = session.ask(f"SELECT bool_and(v::{type_name}::text = v) AS same FROM unnest(%(values)s::text[]) v", {"values": values})  # noqa: S608
    return bool(printed[0]["same"])


def _fixed_zone(values: Iterable[str]) -> str | None:
    """The zone, as POSIX writes it, that is always at the one offset that all *values* have; None when they have several, or none."""
    offsets = {found[0] for value in values if (found := _OFFSET.search(value))}
    if len(offsets) != 1:
        return None
    offset = offsets.pop()
    return f"<{offset.replace(':', '')}>{'-' if offset[0] == '+' else '+'}{offset[1:]}"
