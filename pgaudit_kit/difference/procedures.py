"""Routines have their arguments in their names: those of procedures say IN from PostgreSQL 14 on; old dumps do not qualify types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pgaudit_kit.records.difference import Change
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.table_data import quote_identifier

IN_SINCE = 14
_IN = re.compile(r"(?<=\()IN |(?<=, )IN |^IN ")


def without_in(key: ObjectKey) -> str:
    """The name of a routine; of a procedure, without IN (ruleutils.c, print_function_arguments)."""
    return _plain(key.name) if key.kind == "PROCEDURE" else key.name


def without_own_schema(key: ObjectKey) -> str:
    """The name of a routine in which the types of its own schema are not qualified."""
    name = without_in(key)
    return name.replace(f"{quote_identifier(key.schema)}.", "") if key.schema else name


def with_one_name(left: Inventory, right: Inventory, plain: Callable[[ObjectKey], str]) -> tuple[Inventory, Inventory]:
    """Return both with the routines that only one side names so, and the other in *plain* words alike, under one name.

    `arguments` stays as it is, so that the pair is seen to differ, and is judged by a rule.
    """
    lefts, rights = (_by_plain_name(a, b, plain) for a, b in ((left, right), (right, left)))
    pairs = {lefts[plain].key: rights[plain].key for plain in lefts.keys() & rights.keys()}
    # one name for both, the one with more words: it is the newer one's
    names = {old: max(pair, key=lambda key: len(key.name)) for pair in pairs.items() for old in pair}
    return (_renamed(left, names), _renamed(right, names)) if names else (left, right)


def same_arguments(key: ObjectKey, change: Change) -> bool:
    """Whether *change* is one of the arguments of a procedure, and of nothing but whether they say IN."""
    if (key.kind, change.attribute) != ("PROCEDURE", "arguments"):
        return False
    return _plain(change.left or "") == _plain(change.right or "")


def _plain(text: str) -> str:
    return _IN.sub("", text)


def _by_plain_name(inventory: Inventory, other: Inventory, plain: Callable[[ObjectKey], str]) -> dict[ObjectKey, DatabaseObject]:
    """The routines that the other does not have under the same name, by their names in plain words."""
    alone = (item for item in inventory.of_kind("FUNCTION", "PROCEDURE", "AGGREGATE") if item.key not in other.by_key)
    return {replace(item.key, name=plain(item.key)): item for item in alone}


def _renamed(inventory: Inventory, names: dict[ObjectKey, ObjectKey]) -> Inventory:
    return replace(inventory, objects=tuple(_with_names(inventory.objects, names)))


def _with_names(objects: Iterable[DatabaseObject], names: dict[ObjectKey, ObjectKey]) -> Iterator[DatabaseObject]:
    for item in objects:
        yield replace(item, key=names[item.key]) if item.key in names else item
