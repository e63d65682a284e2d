"""The objects of a source, one record per object, the same shape whatever the source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey, Unmodelled
from pgaudit_kit.records.table_data import TableName


@dataclass(frozen=True, slots=True)
class Unread:
    """What is there, or may be, and the role that asked may not read: no other source can be said to differ in it.

    `attributes` of the object `key`, or with none the object itself; without a `key` of all objects of `kind`, or without that of
    all objects. `reason` says why, and what would help.
    """

    kind: str
    key: ObjectKey | None
    attributes: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        of = str(self.key) if self.key else f"every {self.kind or 'object'}"
        return f"{', '.join(self.attributes)} of {of}" if self.attributes else of


@dataclass(frozen=True)
class Inventory:
    """All objects of a source, sorted by `ObjectKey.sort_key`, and what was seen but not understood.

    `database` is the database that holds them, None where the source does not say (a dump without --create). `not_told` are
    attributes of `LEFT_OUT_AS_A_WHOLE` that the source says nowhere, so that they cannot be compared. `quotes_all`: of a dump whose
    identifiers are all quoted; objects are without needless quotes all the same, rows are as they were printed. `unread` is what the
    role that read a live database may not read of it. With `bare_names` what is in the schema of an object is named without it: in
    scripts of pg_dump before March 2018, which set a search path for each object. `without_public`: a live database has no schema public,
    which is not listed where it is as initdb made it, and of which a dump cannot say that it is gone.
    """

    objects: tuple[DatabaseObject, ...] = ()
    unmodelled: tuple[Unmodelled, ...] = ()
    database: DatabaseObject | None = None
    not_told: frozenset[str] = frozenset()
    quotes_all: bool = field(default=False, compare=False)
    unread: tuple[Unread, ...] = ()
    bare_names: bool = False
    without_public: bool = field(default=False, compare=False)
    by_key: Mapping[ObjectKey, DatabaseObject] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", tuple(sorted(self.objects, key=lambda o: o.key.sort_key)))
        object.__setattr__(self, "by_key", {o.key: o for o in self.objects})

    @cached_property
    def by_parent(self) -> Mapping[tuple[str | None, str], tuple[DatabaseObject, ...]]:
        """What belongs to each table or domain, by its schema and name, in inventory order."""
        found: dict[tuple[str | None, str], list[DatabaseObject]] = defaultdict(list)
        for item in self.objects:
            if item.key.parent is not None:
                found[item.key.schema, item.key.parent].append(item)
        return {parent: tuple(items) for parent, items in found.items()}

    @cached_property
    def partition_parents(self) -> Mapping[TableName, TableName]:
        """The table that each partition, but for foreign tables, is directly a partition of. Kept: it is asked for table by table."""
        found = {}
        for item in self.of_kind("TABLE"):
            if above := read_name(item.attributes.get("partition_of") or "", 0):
                found[TableName(item.key.schema or "", item.key.name)] = TableName(above[0] or "", above[1])
        return found

    @cached_property
    def partitions_of(self) -> Mapping[TableName, tuple[TableName, ...]]:
        """The direct partitions of each partitioned table, as in `partition_parents`."""
        found: dict[TableName, list[TableName]] = defaultdict(list)
        for partition, above in self.partition_parents.items():
            found[above].append(partition)
        return {table: tuple(below) for table, below in found.items()}

    def of_kind(self, *kinds: str) -> tuple[DatabaseObject, ...]:
        """The objects of these kinds, in inventory order."""
        return tuple(o for o in self.objects if o.key.kind in kinds)
