"""Materialized views that a dump does not refresh: which of them were not populated.

pg_dump creates each WITH NO DATA, and refreshes those that were populated, unless it dumps no data of it or it reads from one that was
not (pg_dump.c, makeTableDataInfo, buildMatViewRefreshDependencies). So a dump that refreshes one knows it of that one; of another it is
known here only where the dump holds the data of all its tables and nothing that the query reads from can be the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from pgaudit_kit.records.identifiers import sanitise
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.toc import TocEntry

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\W\d][\w$]*|::|\S""")
_NAME = re.compile(r'"|[^\W\d]')
_RELATIONS = ("TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE")
_AFTER_DATA = ("INDEX", "CONSTRAINT", "FK CONSTRAINT", "TRIGGER")
_OF_THE_SERVER = frozenset({"pg_catalog", "information_schema"})

Name = tuple[str | None, str]


def with_known_populated(inventory: Inventory, entries: Collection[TocEntry]) -> Inventory:
    """Return *inventory* with `populated` = 'false' where it is known; *entries*: the table of contents of a dump that is whole."""
    refreshed = {m.key for m in inventory.of_kind("MATERIALIZED VIEW") if m.attributes.get("populated")}
    others = [m for m in inventory.of_kind("MATERIALIZED VIEW") if m.key not in refreshed]
    if not others or inventory.bare_names or not _holds_all_data(inventory, entries, some=bool(refreshed)):
        return inventory
    relations = {(o.key.schema, o.key.name): o for o in inventory.of_kind(*_RELATIONS)}
    known = {m.key for m in others if _reads_from_what_is_populated(m, relations, refreshed)}
    objects = (replace(o, attributes={**o.attributes, "populated": "false"}) if o.key in known else o for o in inventory.objects)
    return replace(inventory, objects=tuple(objects))


def _holds_all_data(inventory: Inventory, entries: Collection[TocEntry], *, some: bool) -> bool:
    """Whether there is data, that of no table is left out, and what comes after the data is there; *some*: something is refreshed."""
    if any(u.kind in _RELATIONS for u in inventory.unmodelled):
        return False
    held = [(t.key.schema, t.key.name) for t in inventory.of_kind("TABLE") if "partition_key" not in t.attributes]
    tables = Counter(map(_on_one_line, held))
    with_data = Counter(_on_one_line((e.schema, e.tag)) for e in entries if e.desc == "TABLE DATA")
    return tables <= with_data and (some or (bool(with_data) and bool(inventory.of_kind(*_AFTER_DATA))))


def _on_one_line(name: Name) -> Name:
    """As a script's comments have it; of two names that become one, two entries are wanted."""
    schema, bare = name
    return (sanitise(schema) if schema else schema, sanitise(bare))


def _reads_from_what_is_populated(view: DatabaseObject, relations: Mapping[Name, DatabaseObject], refreshed: Collection[ObjectKey]) -> bool:
    """Whether all that the query of *view* names is known, and no materialized view below it is without a refresh."""
    waiting, seen = [view], {view.key}
    while waiting:
        named = _names_in(waiting.pop().attributes.get("definition") or "")
        if any(name not in relations and not may_be_column for name, may_be_column in named.items()):
            return False
        below = [relations[name] for name in named.keys() & relations.keys()]
        if any(item.key.kind == "MATERIALIZED VIEW" and item.key not in refreshed for item in below):
            return False
        waiting += [item for item in below if item.key.kind == "VIEW" and item.key not in seen]
        seen |= {item.key for item in below}
    return True


def _names_in(query: str) -> dict[Name, bool]:
    """Each `a.b` in *query* that is no function and no type, and whether it may be a column of what has the alias `a`."""
    tokens = ["", *_TOKEN.findall(query), "", "", ""]
    names = [_raw(token) if _NAME.match(token) and not token.isupper() else None for token in tokens]
    aliases = {name for name, following in zip(names, tokens[1:], strict=False) if name and following != "."}
    found: dict[Name, bool] = {}
    before = ""  # the last word or sign that is no opening parenthesis
    for at, part in enumerate(tokens[:-3]):
        first, second = names[at], names[at + 2]
        if first and second and tokens[at + 1] == "." and before not in (".", "::") and tokens[at + 3] != "(":
            is_relation = before in ("FROM", "JOIN", "ONLY") or names[at + 3] is not None
            of_server = first in _OF_THE_SERVER
            found[first, second] = found.get((first, second), True) and (of_server or (first in aliases and not is_relation))
        before = before if part == "(" else part
    return found


def _raw(token: str) -> str:
    return token[1:-1].replace('""', '"') if token.startswith('"') else token
