"""Procedures: from PostgreSQL 14 on their arguments say IN, and so do their names. Before, they do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pgaudit_kit.records.difference import ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey

IN_SINCE = 14
_IN = re.compile(r"(?<=\()IN |(?<=, )IN |^IN ")


def with_one_name(left: Inventory, right: Inventory) -> tuple[Inventory, Inventory]:
    """Return both with the procedures that only one side names with IN (ruleutils.c, print_function_arguments) named as on the other.

    For two sources on either side of 14. `arguments` stays as it is, so that the pair is seen to differ, and is judged by `same_arguments`.
    """
    lefts, rights = (_by_plain_name(a, b) for a, b in ((left, right), (right, left)))
    pairs = {lefts[plain].key: rights[plain].key for plain in lefts.keys() & rights.keys()}
    # one name for both, the one with more words: it is the newer one's
    names = {old: max(pair, key=lambda key: len(key.name)) for pair in pairs.items() for old in pair}
    return (_renamed(left, names), _renamed(right, names)) if names else (left, right)


def same_arguments(difference: ObjectDifference) -> bool:
    """Whether a procedure differs in nothing but in whether its arguments say IN."""
    if difference.key.kind != "PROCEDURE" or [change.attribute for change in difference.changes] != ["arguments"]:
        return False
    (change,) = difference.changes
    return _plain(change.left or "") == _plain(change.right or "")


def _plain(text: str) -> str:
    return _IN.sub("", text)


def _by_plain_name(inventory: Inventory, other: Inventory) -> dict[ObjectKey, DatabaseObject]:
    """The procedures that the other does not have under the same name, by their names without IN."""
    alone = (item for item in inventory.of_kind("PROCEDURE") if item.key not in other.by_key)
    return {replace(item.key, name=_plain(item.key.name)): item for item in alone}


def _renamed(inventory: Inventory, names: dict[ObjectKey, ObjectKey]) -> Inventory:
    return replace(inventory, objects=tuple(_with_names(inventory.objects, names)))


def _with_names(objects: Iterable[DatabaseObject], names: dict[ObjectKey, ObjectKey]) -> Iterator[DatabaseObject]:
    for item in objects:
        yield replace(item, key=names[item.key]) if item.key in names else item
