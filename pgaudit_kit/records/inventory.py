"""The objects of a source, one record per object, the same shape whatever the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgaudit_kit.records.objects import DatabaseObject, ObjectKey, Unmodelled


@dataclass(frozen=True)
class Inventory:
    """All objects of a source, sorted by `ObjectKey.sort_key`, and what was seen but not understood.

    `database` is the database that holds them, None where the source does not say (a dump without --create). `not_told` are
    attributes of `LEFT_OUT_AS_A_WHOLE` that the source says nowhere, so that they cannot be compared. With `bare_names` what is in the
    schema of an object is named without it: in scripts of pg_dump before March 2018, which set a search path for each object.
    """

    objects: tuple[DatabaseObject, ...] = ()
    unmodelled: tuple[Unmodelled, ...] = ()
    database: DatabaseObject | None = None
    not_told: frozenset[str] = frozenset()
    bare_names: bool = False
    by_key: Mapping[ObjectKey, DatabaseObject] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", tuple(sorted(self.objects, key=lambda o: o.key.sort_key)))
        object.__setattr__(self, "by_key", {o.key: o for o in self.objects})

    def of_kind(self, *kinds: str) -> tuple[DatabaseObject, ...]:
        """The objects of these kinds, in inventory order."""
        return tuple(o for o in self.objects if o.key.kind in kinds)
