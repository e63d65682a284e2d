"""Two inventories compared, object by object and attribute by attribute."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import KNOWN_BY_SOME, Attributes, Column, DatabaseObject, ObjectKey
from pgaudit_kit.records.source import Source

_PUBLIC = ObjectKey("SCHEMA", None, "public")
_PUBLIC_CHANGED = 15


def compare_inventories(left: Source, right: Source, *, ignore: frozenset[str] = frozenset()) -> tuple[ObjectDifference, ...]:
    """As `compare_objects`, of the inventories of two sources; what differs only by the version of pg_dump is `equivalent`."""
    sides = {"only_left": (left, right), "only_right": (right, left)}
    found = compare_objects(left.inventory, right.inventory, ignore=ignore)
    return tuple(_forgive(d, *sides[d.status]) if d.key == _PUBLIC and d.status in sides else d for d in found)


def _forgive(difference: ObjectDifference, holder: Source, lacking: Source) -> ObjectDifference:
    """Judge the schema public when only *holder* lists it, which may come from versions alone (pg_dump.c, getNamespaces).

    pg_dump before 15 never lists it as initdb made it; later ones do unless pg_database_owner owns it, as in every new
    database of a server from 15 on.
    """
    if _major(lacking.provenance.pg_dump_version) < _PUBLIC_CHANGED:
        return replace(difference, status="equivalent", reason="pg_dump before 15 does not list the schema public")
    if _major(holder.provenance.server_version) < _PUBLIC_CHANGED <= _major(lacking.provenance.server_version):
        return replace(difference, status="equivalent", reason="from PostgreSQL 15 on pg_database_owner owns the schema public")
    return difference


def _major(version: str | None) -> int:
    """The leading number of a version string such as `14.23 (Debian …)`; without one, newer than all."""
    match = re.match(r"\d+", version or "")
    return int(match[0]) if match else sys.maxsize


def compare_objects(left: Inventory, right: Inventory, *, ignore: frozenset[str] = frozenset()) -> tuple[ObjectDifference, ...]:
    """Return every object that is on one side only or differs, in inventory order.

    Attributes named in *ignore* are not compared; neither are those that one of the two sources cannot
    know (`KNOWN_BY_SOME`).
    """
    found = []
    keys = {**left.by_key, **right.by_key}
    for key in sorted(keys, key=lambda k: k.sort_key):
        a, b = left.by_key.get(key), right.by_key.get(key)
        if b is None:
            found.append(ObjectDifference(key, "only_left"))
        elif a is None:
            found.append(ObjectDifference(key, "only_right"))
        elif changes := tuple(_changes(a, b, ignore)):
            found.append(ObjectDifference(key, "changed", changes))
    return tuple(found)


def _changes(left: DatabaseObject, right: DatabaseObject, ignore: frozenset[str]) -> Iterator[Change]:
    yield from _attribute_changes(left.attributes, right.attributes, ignore, prefix="")
    yield from _column_changes(left.columns, right.columns, ignore)


def _attribute_changes(left: Attributes, right: Attributes, ignore: frozenset[str], *, prefix: str) -> Iterator[Change]:
    for name in sorted({*left, *right} - ignore):
        a, b = left.get(name), right.get(name)
        if name in KNOWN_BY_SOME and (a is None or b is None):
            continue
        if a != b:
            yield Change(prefix + name, a, b)


def _column_changes(left: tuple[Column, ...], right: tuple[Column, ...], ignore: frozenset[str]) -> Iterator[Change]:
    lefts = {c.name: c for c in left}
    rights = {c.name: c for c in right}
    nothing = Column("")
    for name in {**lefts, **rights}:
        a, b = lefts.get(name, nothing), rights.get(name, nothing)
        if a is nothing and _is_own(b):
            yield Change(f"column {name}", None, b.attributes["type"])
        elif b is nothing and _is_own(a):
            yield Change(f"column {name}", a.attributes["type"], None)
        else:
            yield from _attribute_changes(a.attributes, b.attributes, ignore, prefix=f"column {name} ")
    both = {name for name in lefts if name in rights and _is_own(lefts[name]) and _is_own(rights[name])}
    order_left = [name for name in lefts if name in both]
    order_right = [name for name in rights if name in both]
    if order_left != order_right and "column_order" not in ignore:
        yield Change("column order", ", ".join(order_left), ", ".join(order_right))


def _is_own(column: Column) -> bool:
    """False for one that is inherited or comes from a type: it is listed only where the table says more of it, without its type."""
    return column.attributes.get("type") is not None
