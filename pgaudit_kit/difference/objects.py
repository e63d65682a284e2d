"""Two inventories compared, object by object and attribute by attribute."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches

from pgaudit_kit.difference.equivalence import forgive
from pgaudit_kit.difference.hidden import Hidden
from pgaudit_kit.difference.not_refreshed import not_refreshed
from pgaudit_kit.difference.procedures import IN_SINCE, with_one_name, without_in, without_own_schema
from pgaudit_kit.difference.public_schema import with_public_schema
from pgaudit_kit.difference.renames import with_rename_hints
from pgaudit_kit.difference.versions import qualifies_names, straddle
from pgaudit_kit.errors import HIDDEN, UsageError, hide_secrets
from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import (
    ATTRIBUTES,
    COLUMN_ATTRIBUTES,
    DATABASE_ATTRIBUTES,
    KNOWN_BY_SOME,
    LARGE_OBJECTS,
    NOT_NULL_DETAILS,
    THERE_ALL_THE_SAME,
    Attributes,
    Column,
    DatabaseObject,
    ObjectKey,
)
from pgaudit_kit.records.source import Source

COLUMN_ORDER = "column_order"  # no attribute of one column, but one that can be ignored
# Objects that are nothing but an attribute of something
_NOTHING_BUT = {"ACL": "acl", "DEFAULT ACL": "acl", "BLOB": LARGE_OBJECTS}
# pg_get_indexdef says ONLY of those (ruleutils.c, pg_get_indexdef_worker)
_ON_PARTITIONED = re.compile(r'CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|[^ "]+) ON ONLY ')
SET_BY_HAND = frozenset({"comment", "connection_limit", "acl", "security_label"})  # of a database, beside its settings
# What a database keeps when a dump is restored into it without --create
_AS_MADE = frozenset(DATABASE_ATTRIBUTES) - SET_BY_HAND
# Settings of the database that only say how values are printed: rows are compared whatever they are (sessions.py)
_OF_PRINTING = frozenset(
    {"timezone", "bytea_output", "datestyle", "intervalstyle", "extra_float_digits", "lc_monetary", "client_encoding"}
    | {"quote_all_identifiers", "standard_conforming_strings"}
)


def compare_inventories(
    left: Source,
    right: Source,
    *,
    ignore: frozenset[str] = frozenset(),
    leaving_out: Collection[ObjectKey] = (),
    whole_databases: bool = False,
) -> tuple[ObjectDifference, ...]:
    """As `compare_objects`, of the inventories of two sources; what differs only by version is `equivalent`, with its reason."""
    inventories = with_public_schema(left, right, both_live=whole_databases)
    if not (qualifies_names(left) and qualifies_names(right)):
        inventories = with_one_name(*inventories, without_own_schema)
    elif straddle(left, right, IN_SINCE):
        inventories = with_one_name(*inventories, without_in)
    found = (d for d in compare_objects(*inventories, ignore=ignore, whole_databases=whole_databases) if d.key not in leaving_out)
    unsure = not_refreshed(left, right)
    told = (_without_populated(d) if d.key in unsure else d for d in found)
    return with_rename_hints((forgive(d, left, right) for d in told if d is not None), *inventories)


def _without_populated(difference: ObjectDifference) -> ObjectDifference | None:
    """*difference* in all else; None when that is nothing."""
    changes = tuple(change for change in difference.changes if change.attribute != "populated")
    return replace(difference, changes=changes) if changes else None


def in_no_dump(left: Inventory, right: Inventory) -> tuple[ObjectKey, ...]:
    """The objects that one side alone has and no dump can hold: indexes that are invalid, unless they are of a partitioned table."""
    alone = left.by_key.keys() ^ right.by_key.keys()
    items = (left.by_key.get(key) or right.by_key[key] for key in alone if key.kind == "INDEX")
    invalid = (o for o in items if o.attributes.get("valid") == "false" and not _ON_PARTITIONED.match(o.attributes.get("definition") or ""))
    return tuple(sorted((o.key for o in invalid), key=lambda key: key.sort_key))


def checked_ignore(names: Iterable[str]) -> frozenset[str]:
    """Return *names* of attributes as the vocabulary writes them (`column-order` → `column_order`). Raises UsageError for unknown ones."""
    wanted = frozenset(name.strip().lower().replace("-", "_") for name in names)
    known = {COLUMN_ORDER, *COLUMN_ATTRIBUTES, *DATABASE_ATTRIBUTES, *(name for attributes in ATTRIBUTES.values() for name in attributes)}
    if unknown := sorted(wanted - known):
        close = get_close_matches(unknown[0], known) or ["owner", "comment", "tablespace", COLUMN_ORDER]
        message = f"no attribute of any object is called {unknown[0]!r}"
        raise UsageError(message, resource=unknown[0], remedy=f"Perhaps {' or '.join(close)} is meant.")
    return wanted


def is_ignored(attribute: str, ignore: frozenset[str]) -> bool:
    """Whether *attribute* is to be ignored. A comment on a column of a view is an attribute `column <name> comment`.

    One on a large object is `<oid> comment`.
    """
    first, _, rest = attribute.partition(" ")
    if first == "column" or first.isdecimal():
        return attribute in ignore or rest.rpartition(" ")[2] in ignore
    return attribute in ignore or (attribute.endswith("_comment") and "comment" in ignore)


def compare_objects(
    left: Inventory, right: Inventory, *, ignore: frozenset[str] = frozenset(), whole_databases: bool = False
) -> tuple[ObjectDifference, ...]:
    """Return every object that is on one side only or differs, in inventory order.

    With *whole_databases* both say all that there is to say of their database, so that what only one says is a difference.

    Attributes named in *ignore* are not compared; neither are those that one of the two sources cannot
    know (`KNOWN_BY_SOME`, `Inventory.not_told`, `Inventory.unread`).
    """
    ignore |= left.not_told | right.not_told
    hidden = Hidden(left, right)
    found = list(_database_differences(left.database, right.database, ignore, whole=whole_databases))
    keys = {**left.by_key, **right.by_key}
    for key in sorted(keys, key=lambda k: k.sort_key):
        a, b = left.by_key.get(key), right.by_key.get(key)
        if hidden.has(key):
            continue
        if (a is None and _is_there(key, left)) or (b is None and _is_there(key, right)):
            continue
        if (a is None or b is None) and _is_ignored_object(a or b, ignore):
            continue
        if b is None:
            found.append(ObjectDifference(key, "only_left"))
        elif a is None:
            found.append(ObjectDifference(key, "only_right"))
        elif changes := tuple(_changes(a, b, ignore | hidden.attributes(key))):
            found.append(ObjectDifference(key, "changed", changes))
    return tuple(found)


def _is_there(key: ObjectKey, inventory: Inventory) -> bool:
    """Whether that inventory names it among what it could not understand or read: it is there, and that is all that can be said."""
    names = {key.name, f"{key.parent} {key.name}"}
    there = (u for u in inventory.unmodelled if u.reason in THERE_ALL_THE_SAME and u.schema in (None, key.schema))
    return any(u.kind == key.kind and u.name in names for u in there)


def _is_ignored_object(item: DatabaseObject | None, ignore: frozenset[str]) -> bool:
    """Whether nothing is left of an object without what is ignored."""
    return item is not None and _NOTHING_BUT.get(item.key.kind) in ignore


def _database_differences(
    left: DatabaseObject | None, right: DatabaseObject | None, ignore: frozenset[str], *, whole: bool
) -> Iterator[ObjectDifference]:
    """Compare what both say of the database that holds all else, whatever its name.

    A dump is restored into a database of somebody else's making as often as not. So what one side does not say is not
    compared, unless they are *whole*, and what a restore leaves as it is, is not different.
    """
    if left is None or right is None:
        return
    said, said_too = left.attributes.keys(), right.attributes.keys()
    names = sorted(n for n in (said | said_too if whole else said & said_too) if not is_ignored(n, ignore))
    compared = (Change(n, left.attributes.get(n), right.attributes.get(n)) for n in names)
    changes = [change for change in compared if change.left != change.right]
    if set_by_hand := tuple(change for change in changes if not _is_left_by_restores(change.attribute)):
        yield ObjectDifference(left.key, "changed", set_by_hand)
    elif changes:
        reason = "restoring into a database that is there already leaves these as they are"
        yield ObjectDifference(left.key, "equivalent", tuple(changes), reason)


def _is_left_by_restores(attribute: str) -> bool:
    first, _, setting = attribute.partition(" ")
    return attribute in _AS_MADE or (first == "setting" and setting.split(" ")[0].lower() in _OF_PRINTING)


def _changes(left: DatabaseObject, right: DatabaseObject, ignore: frozenset[str]) -> Iterator[Change]:
    yield from _attribute_changes(left.attributes, right.attributes, ignore, prefix="")
    yield from _column_changes(left.columns, right.columns, ignore)


def _attribute_changes(left: Attributes, right: Attributes, ignore: frozenset[str], *, prefix: str) -> Iterator[Change]:
    # the name of a not-null that only one side has is no change of its own
    moot = NOT_NULL_DETAILS if left.get("not_null") != right.get("not_null") else frozenset()
    for name in sorted(n for n in {*left, *right} - moot if not is_ignored(n, ignore)):
        a, b = left.get(name), right.get(name)
        if name in KNOWN_BY_SOME and (a is None or b is None):
            continue
        if a != b and not _is_the_same_but_hidden(a, b):
            yield Change(prefix + name, a, b)


def _is_the_same_but_hidden(left: str | None, right: str | None) -> bool:
    """Whether one of them, from a manifest, only lacks the passwords of the other."""
    if left is None or right is None or HIDDEN not in left + right:
        return False
    return hide_secrets(left) == hide_secrets(right)


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
    if order_left != order_right and COLUMN_ORDER not in ignore:
        yield Change("column order", ", ".join(order_left), ", ".join(order_right))


def _is_own(column: Column) -> bool:
    """False for one that is inherited or comes from a type: it is listed only where the table says more of it, without its type."""
    return column.attributes.get("type") is not None
