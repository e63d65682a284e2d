"""What the roles that read two live databases may not read of them, and so cannot be compared."""

from __future__ import annotations

from collections import defaultdict

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey


class Hidden:
    """`Inventory.unread` of two inventories, by object."""

    def __init__(self, left: Inventory, right: Inventory) -> None:
        self._whole: set[ObjectKey | str] = set()
        self._attributes: dict[ObjectKey | str, set[str]] = defaultdict(set)
        for unread in (*left.unread, *right.unread):
            of = unread.key or unread.kind
            if unread.attributes:
                self._attributes[of] |= {*unread.attributes}
            else:
                self._whole.add(of)

    def has(self, key: ObjectKey) -> bool:
        """Whether nothing of that object can be compared."""
        return not self._whole.isdisjoint((key, key.kind, ""))

    def attributes(self, key: ObjectKey) -> frozenset[str]:
        """Those of that object that cannot be compared."""
        return frozenset().union(*(self._attributes.get(of, ()) for of in (key, key.kind, "")))
