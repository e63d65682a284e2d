"""What of the objects of two sources cannot be compared, and why: it is named, and is never taken for the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pgaudit_kit.difference.hidden import Hidden
from pgaudit_kit.difference.not_refreshed import WHY, not_refreshed
from pgaudit_kit.difference.objects import SET_BY_HAND, in_no_dump
from pgaudit_kit.difference.public_schema import AS_MADE_BEFORE_15, PUBLIC_CHANGED
from pgaudit_kit.difference.versions import major
from pgaudit_kit.errors import HIDDEN
from pgaudit_kit.records.difference import Skipped
from pgaudit_kit.records.inventory import Inventory, Unread
from pgaudit_kit.records.objects import (
    INVALID_INDEX,
    LARGE_OBJECTS,
    NOT_UNDERSTOOD,
    PUBLIC_SCHEMA,
    STATEMENT_NOT_COMPARED,
    DatabaseObject,
    ObjectKey,
)
from pgaudit_kit.records.source import Source

_DOUBTFUL = frozenset({NOT_UNDERSTOOD, STATEMENT_NOT_COMPARED})
_WORDS = {"acl": "privileges", "security_label": "security labels", LARGE_OBJECTS: "large objects"}
NOT_OF_A_SCHEMA = frozenset({"last_value", "is_called"})  # pg_dump --schema-only leaves them out, too


@dataclass(frozen=True)
class NotCompared:
    """Of what is compared of *left* and *right*; attributes in *ignore* were not asked for, nor is data with *schema_only*."""

    left: Source
    right: Source
    ignore: frozenset[str]
    schema_only: bool

    @property
    def both_live(self) -> bool:
        """Whether neither is a dump: what is in none is known too. A manifest and a saved snapshot are what a server said."""
        return all(s.provenance.format == "live" for s in (self.left, self.right))

    @cached_property
    def in_no_dump(self) -> tuple[ObjectKey, ...]:
        """What a side that is a dump cannot hold, and so does not lack."""
        return () if self.both_live else in_no_dump(self.left.inventory, self.right.inventory)

    @property
    def compared(self) -> int:
        """How many objects were compared."""
        hidden = Hidden(self.left.inventory, self.right.inventory)
        keys = {*self.left.inventory.by_key, *self.right.inventory.by_key} - {*self.in_no_dump}
        return sum(not hidden.has(key) for key in keys)

    @property
    def leaves_doubt(self) -> bool:
        """Whether something that was asked for could not be looked at. Large objects are data."""
        untold = any(not (self.schema_only and attribute == LARGE_OBJECTS) for _, attribute in self._not_told)
        seen = (u for s in (self.left, self.right) for u in s.inventory.unmodelled)
        unsure = bool(self._not_refreshed) and not self.schema_only
        return untold or unsure or bool(self._unread) or any(u.reason in _DOUBTFUL for u in seen)

    def skipped(self) -> Iterator[Skipped]:
        """All of it, with the reasons."""
        for label, attribute in self._not_told:
            yield Skipped(_WORDS[attribute], f"{label} holds none: it was made without, or all of them were the default")
        if secret := sorted({str(key) for s in (self.left, self.right) for key in _with_secrets(s.inventory)}):
            yield Skipped(f"values that may be secret, of {', '.join(secret)}", "names are compared, such values are never kept")
        if alone := self._of_the_database:
            yield Skipped(f"of the database, {', '.join(alone)}", "one side alone has it; a restore without --create leaves it out")
        for label in self._without_owners:
            yield Skipped("owners", f"{label} names none: it was made without")
        for key in self.in_no_dump:
            yield Skipped(str(key), INVALID_INDEX)
        for key, label in self._not_refreshed.items():
            yield Skipped(f"whether {key} is populated as it was", WHY.format(label=label))
        for label, unread in self._unread:
            yield Skipped(str(unread), f"{unread.reason} ({label})")

    @cached_property
    def _not_refreshed(self) -> dict[ObjectKey, str]:
        return {} if "populated" in self.ignore else not_refreshed(self.left, self.right)

    @cached_property
    def _unread(self) -> tuple[tuple[str, Unread], ...]:
        """What the role that read a side may not read, with the label of that side."""
        asked = self.ignore | NOT_OF_A_SCHEMA if self.schema_only else self.ignore
        sides = ((s.label, unread) for s in (self.left, self.right) for unread in s.inventory.unread)
        return tuple((label, unread) for label, unread in sides if not unread.attributes or not asked.issuperset(unread.attributes))

    @cached_property
    def _not_told(self) -> tuple[tuple[str, str], ...]:
        """What one side leaves out as a whole while the other holds some, with the label of that side."""
        sides = ((self.left, self.right), (self.right, self.left))
        return tuple(
            (source.label, attribute)
            for source, other in sides
            for attribute in sorted(source.inventory.not_told - other.inventory.not_told - self.ignore)
            if any(_tells(item, attribute) for item in other.inventory.objects if not _is_as_initdb_made_it(item, other))
        )

    @property
    def _of_the_database(self) -> list[str]:
        """What of the database was set by hand and only one of two sides says, both of which speak of it."""
        both = [s.inventory.database for s in (self.left, self.right)]
        left, right = (set(item.attributes) if item else set() for item in both)
        ignored = self.ignore | self.left.inventory.not_told | self.right.inventory.not_told
        by_hand = (name for name in left ^ right if name.startswith("setting ") or name in SET_BY_HAND - ignored)
        return sorted(by_hand) if all(both) and not self.both_live else []

    @property
    def _without_owners(self) -> tuple[str, ...]:
        """The label of the side that names no owner at all (pg_dump --no-owner), where the other names some."""
        if "owner" in self.ignore:
            return ()
        sides = (self.left, self.right)
        told = [any(_tells(item, "owner") for item in s.inventory.objects) for s in sides]
        live = [s.provenance.format == "live" for s in sides]  # a server that names none has none
        told = [tells or is_live for tells, is_live in zip(told, live, strict=True)]
        return tuple(s.label for s, tells, other in zip(sides, told, reversed(told), strict=True) if other and not tells)


def _with_secrets(inventory: Inventory) -> Iterator[ObjectKey]:
    """What has options of which only the names are known, or a connection string."""
    for item in inventory.objects:
        hidden = any(HIDDEN in (text or "") for name, text in item.attributes.items() if name == "options")
        if hidden or item.attributes.get("option_names") or item.key.kind == "SUBSCRIPTION":
            yield item.key


def _is_as_initdb_made_it(item: DatabaseObject, source: Source) -> bool:
    """Whether that is the schema public of a server before 15, in which everyone could create objects: no dump says that."""
    before = major(source.provenance.server_version) < PUBLIC_CHANGED
    return before and item.key == PUBLIC_SCHEMA and item.attributes.get("acl") == AS_MADE_BEFORE_15


def _tells(item: DatabaseObject, attribute: str) -> bool:
    return any(name.rpartition(" ")[2] == attribute for name in item.attributes) or any(attribute in c.attributes for c in item.columns)
