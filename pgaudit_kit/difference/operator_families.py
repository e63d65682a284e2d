"""Members of operator families: which of them belong to a class, and which are loose in the family, changed with PostgreSQL 14."""

from __future__ import annotations

import re
from collections import Counter

from pgaudit_kit.records.difference import ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey

_MEMBERS = ("operators", "functions")
_QUALIFIED = re.compile(r'("(?:[^"]|"")*"|[^."]+)\.("(?:[^"]|"")*"|[^."]+)')
LOOSE_SINCE = 14


def same_members(difference: ObjectDifference, left: Inventory, right: Inventory) -> bool:
    """Whether a class or family differs in nothing but in where it says its members, which are the same ones on both sides.

    From 14 on, CREATE OPERATOR CLASS leaves those that its access method can do without loose in the family (amvalidate.h,
    amadjustmembers): so a class that was dumped before is another one when it is restored.
    """
    if difference.status != "changed" or not {c.attribute for c in difference.changes} <= {*_MEMBERS}:
        return False
    families = [_family_of(inventory.by_key[difference.key]) for inventory in (left, right)]
    return families[0] == families[1] is not None and _members(families[0], left) == _members(families[0], right)


def _family_of(item: DatabaseObject) -> ObjectKey | None:
    """The key of the family that a class is in; a family's own."""
    if item.key.kind == "OPERATOR FAMILY":
        return item.key
    name = _QUALIFIED.fullmatch(item.attributes.get("family") or "")
    if item.key.kind != "OPERATOR CLASS" or name is None:
        return None
    return ObjectKey("OPERATOR FAMILY", _raw(name[1]), f"{_raw(name[2])} USING {item.key.name.rpartition(' USING ')[2]}")


def _raw(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def _members(family: ObjectKey | None, inventory: Inventory) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for item in inventory.of_kind("OPERATOR CLASS", "OPERATOR FAMILY"):
        if _family_of(item) == family:
            found.update((of, line) for of in _MEMBERS for line in (item.attributes.get(of) or "").split("\n") if line)
    return found
