"""Hints that an object was renamed: gone under one name, there under another, equal in all else. Hints only, never a pairing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from pgaudit_kit.records.difference import ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import KNOWN_BY_SOME, DatabaseObject, ObjectKey
from pgaudit_kit.records.table_data import quote_identifier

_SAYS_LITTLE = KNOWN_BY_SOME | {"comment", "acl", "security_label"}
# Their name says what they are, so another name is another thing
_NEVER_RENAMED = frozenset(
    {"EXTENSION", "CAST", "TRANSFORM", "BLOB", "ACL", "DEFAULT ACL", "USER MAPPING", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"}
)
# Of these, all that is said may be their name: a policy that lets everything through, a table without columns
_SAY_ENOUGH_BY_KIND = frozenset({"POLICY", "TABLE"})
# From 18 on a NOT NULL keeps the name that it got from the table's: shown only where it is not what the table's new name would give
_NAMED_AFTER_THE_TABLE = frozenset({"not_null_name"})
_NAME_HERE = "\0"  # in no text of PostgreSQL

Likeness: TypeAlias = tuple[object, ...]


def with_rename_hints(differences: Iterable[ObjectDifference], left: Inventory, right: Inventory) -> tuple[ObjectDifference, ...]:
    """Return *differences*; those of one object that is gone and one new one just like it say so in `hint`."""
    found = tuple(differences)
    gone = _by_likeness((d, left) for d in found if d.status == "only_left")
    new = _by_likeness((d, right) for d in found if d.status == "only_right")
    hints: dict[ObjectKey, str] = {}
    for likeness in gone.keys() & new.keys():
        if len(gone[likeness]) == len(new[likeness]) == 1:
            before, after = gone[likeness][0], new[likeness][0]
            hints[before.key] = f"looks renamed to {after.key.name}"
            hints[after.key] = f"looks renamed from {before.key.name}"
    return tuple(replace(d, hint=hints[d.key]) if d.key in hints else d for d in found)


def _by_likeness(differences: Iterable[tuple[ObjectDifference, Inventory]]) -> dict[Likeness, list[ObjectDifference]]:
    found: dict[Likeness, list[ObjectDifference]] = defaultdict(list)
    for difference, inventory in differences:
        item = inventory.by_key[difference.key]
        likeness = _likeness_of_schema(item, inventory) if item.key.kind == "SCHEMA" else _likeness(item)
        if likeness:
            found[likeness].append(difference)
    return found


def _likeness(item: DatabaseObject) -> Likeness | None:
    """All that is comparable but the name; None when too little is known to call two things alike."""
    if item.key.kind in _NEVER_RENAMED:
        return None
    attributes = tuple(
        sorted(
            (name, _without_name(value, item.key.name))
            for name, value in item.attributes.items()
            if value is not None and name not in _SAYS_LITTLE
        )
    )
    if not (attributes or item.columns or item.key.kind in _SAY_ENOUGH_BY_KIND):
        return None
    said = ((c.name, (pair for pair in c.attributes.items() if pair[0] not in _NAMED_AFTER_THE_TABLE)) for c in item.columns)
    columns = tuple((name, tuple(sorted(pairs, key=str))) for name, pairs in said)
    arguments = item.key.name.partition("(")[2]
    return (item.key.kind, item.key.schema, item.key.parent, arguments, attributes, columns)


def _likeness_of_schema(schema: DatabaseObject, inventory: Inventory) -> Likeness | None:
    """What is in it: that is all that a schema is. None of an empty one."""
    inside = frozenset((o.key.kind, o.key.name, o.key.parent) for o in inventory.objects if o.key.schema == schema.key.name)
    return (schema.key.kind, inside) if inside else None


def _without_name(text: str, name: str) -> str:
    """*text* without the object's own name, which definitions repeat (CREATE INDEX name ON …)."""
    return re.sub(rf"(?<!\w){re.escape(quote_identifier(name))}(?!\w)", _NAME_HERE, text)
