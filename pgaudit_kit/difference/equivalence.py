"""What differs only because another version of PostgreSQL wrote it: one rule each, with its reason. Nothing is forgiven without one."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace

from pgaudit_kit.difference.inherited_columns import same_order_when_restored
from pgaudit_kit.difference.operator_families import LOOSE_SINCE, same_members
from pgaudit_kit.difference.printed_text import (
    Rewrite,
    differ_by_one_prefix,
    rewritten,
    with_bare_fetch,
    with_cast_elements,
    with_flat_conditions,
    without_given_names,
    without_no_indent,
)
from pgaudit_kit.difference.procedures import IN_SINCE, same_arguments
from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.objects import NOT_NULL_DETAILS, ObjectKey
from pgaudit_kit.records.privileges import as_before_17
from pgaudit_kit.records.source import Source

_PUBLIC = ObjectKey("SCHEMA", None, "public")
_PUBLIC_CHANGED = 15
_RUN_AS_OWNER_CAME = 16
_MAINTAIN_CAME = 17
_NOTHING_BUT_PRIVILEGES = frozenset({"ACL", "DEFAULT ACL"})
_VIEWS = frozenset({"VIEW", "MATERIALIZED VIEW"})
_VIEWS_CHANGED = 16
_NOT_NULL_NAMED = 18
_NOT_NULL_NAMED_IN_DOMAINS = 17
_STREAMS_CAME = 18
_MAINTAIN_REASON = "the privilege MAINTAIN came with PostgreSQL 17"
_PREFIX = "PostgreSQL before 16 writes the relation's name before each column of a view of one relation"
_EXPRESSIONS = frozenset({"definition", "using", "check", "where", "default", "generated", "partition_key", "arguments"})
_SQL_BODY = ("BEGIN ATOMIC", "RETURN ")
_REWRITES: Mapping[str, Rewrite] = {
    "a condition that is read again has no parentheses around its first part": with_flat_conditions,
    "an array that is cast is, when read again, one of cast elements": with_cast_elements,
    "a column that nobody sees the name of is, when read again, named by its type": without_given_names,
    "later releases print parentheses behind FETCH FIRST": with_bare_fetch,
    "PostgreSQL before 16 does not print NO INDENT": without_no_indent,
}


def forgive(difference: ObjectDifference, left: Source, right: Source) -> ObjectDifference:
    """Return *difference* without what a rule says that only versions make of it; `equivalent`, with the reasons, when nothing is left."""
    whole = next((told for rule in _OF_OBJECTS if (told := rule(difference, left, right))), "")
    if whole:
        return replace(difference, status="equivalent", reason=whole)
    if difference.status != "changed":
        return difference
    reasons: dict[str, None] = {}
    kept = []
    for change in difference.changes:
        told = next((told for rule in _OF_CHANGES if (told := rule(difference, change, left, right))), "")
        if told:
            reasons[told] = None
        else:
            kept.append(change)
    return replace(difference, changes=tuple(kept)) if kept else replace(difference, status="equivalent", reason="; ".join(reasons))


def _public_schema(difference: ObjectDifference, left: Source, right: Source) -> str:
    """The schema public when only one side lists it (pg_dump.c, getNamespaces).

    pg_dump before 15 never lists it as initdb made it; later ones do unless pg_database_owner owns it, as in every new
    database of a server from 15 on.
    """
    if difference.key != _PUBLIC or difference.status not in ("only_left", "only_right"):
        return ""
    holder, lacking = (left, right) if difference.status == "only_left" else (right, left)
    if major(lacking.provenance.pg_dump_version) < _PUBLIC_CHANGED:
        return "pg_dump before 15 does not list the schema public"
    if major(holder.provenance.server_version) < _PUBLIC_CHANGED <= major(lacking.provenance.server_version):
        return "from PostgreSQL 15 on pg_database_owner owns the schema public"
    return ""


def _public_privileges(difference: ObjectDifference, left: Source, right: Source) -> str:
    """Before 15 everyone could create objects in the schema public; restoring a dump into a newer server leaves its own rule there."""
    if difference.key != _PUBLIC or difference.status != "changed":
        return ""
    if not _straddle(left, right, _PUBLIC_CHANGED):
        return ""
    for change in difference.changes:
        if change.attribute == "owner" and "pg_database_owner" in (change.left, change.right):
            continue
        if change.attribute != "acl" or _of_others(change.left) != _of_others(change.right):
            return ""
    return "from PostgreSQL 15 on only the owner creates objects in the schema public unless others are allowed to"


def _of_others(acl: str | None) -> list[str]:
    return [line for line in (acl or "").split("\n") if line and not line.startswith("PUBLIC=")]


def _new_privileges_alone(difference: ObjectDifference, left: Source, right: Source) -> str:
    """What holds nothing but privileges, and those only because 17 added one: see `_new_privileges`."""
    if difference.status not in ("only_left", "only_right") or difference.key.kind not in _NOTHING_BUT_PRIVILEGES:
        return ""
    if _oldest(left, right) >= _MAINTAIN_CAME:
        return ""
    acl = (left if difference.status == "only_left" else right).inventory.by_key[difference.key].attributes.get("acl")
    return _MAINTAIN_REASON if acl and not as_before_17(acl) else ""


def _new_privileges(_difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """17 added a privilege on tables (MAINTAIN): without it, a server before it has all that there are.

    pg_dump of 17 and later revokes and grants by name what a server before it has, which leaves MAINTAIN to whoever had ALL
    (dumputils.c, buildACLCommands), so that also two sources of the same old version can differ in it.
    """
    if _oldest(left, right) >= _MAINTAIN_CAME or not _is_acl(change.attribute):
        return ""
    return _MAINTAIN_REASON if as_before_17(change.left) == as_before_17(change.right) else ""


def _not_null_names(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """Not-null constraints have names only from 18 on (pg_dump.c, determineNotNullFlags), those of domains from 17 on."""
    named = _NOT_NULL_NAMED_IN_DOMAINS if difference.key.kind == "DOMAIN" else _NOT_NULL_NAMED
    if _oldest(left, right) >= named or change.attribute.rpartition(" ")[2] not in NOT_NULL_DETAILS:
        return ""
    return f"NOT NULL has a name from PostgreSQL {named} on"


def _run_as_owner(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """Whether a subscription runs as its owner can be chosen from 16 on; before, it always does.

    pg_dump of 16 and later says so of an older server (pg_dump.c, getSubscriptions), that server itself has no word for it.
    """
    if (difference.key.kind, change.attribute) != ("SUBSCRIPTION", "run_as_owner") or _oldest(left, right) >= _RUN_AS_OWNER_CAME:
        return ""
    return "before PostgreSQL 16 every subscription runs as its owner"


def _streaming(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """A dump by pg_dump before 18 is silent about what was the default, off; from 18 on the default is another (subscriptioncmds.c)."""
    if (difference.key.kind, change.attribute) != ("SUBSCRIPTION", "streaming"):
        return ""
    (old, new), texts = _by_age(left, right, change)
    by_old_program = old.provenance.pg_dump_version and major(old.provenance.pg_dump_version) < _STREAMS_CAME
    if not by_old_program or major(new.provenance.server_version) < _STREAMS_CAME or texts != (None, "parallel"):
        return ""
    return "from PostgreSQL 18 on a subscription streams in parallel unless it is told not to"


def _is_acl(attribute: str) -> bool:
    return attribute.rpartition(" ")[2] == "acl"


def _printed_otherwise(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """An expression or a query that another server, or the same one after it read it again, prints with other words (printed_text.py)."""
    _, (older, newer) = _by_age(left, right, change)
    if older is None or newer is None or not _is_expression(difference.key, change, left, right):
        return ""
    prefix = difference.key.kind in _VIEWS and _straddle(left, right, _VIEWS_CHANGED)
    told = _told((older, newer), _REWRITES, prefix=prefix)
    if told is None:
        return ""
    needed = [reason for reason in _REWRITES if _told((older, newer), _REWRITES.keys() - {reason}, prefix=prefix) is None]
    return "; ".join([*needed, *([told] if told else [])]) or "only the space between the words differs"


def _told(texts: tuple[str, str], reasons: Collection[str], *, prefix: bool) -> str | None:
    """What is to be told besides *reasons* when both texts, the older first, are the same after those rewrites; else None."""
    rewrites = tuple(rewrite for reason, rewrite in _REWRITES.items() if reason in reasons)
    older, newer = (rewritten(text, rewrites) for text in texts)
    if older == newer:
        return ""
    return _PREFIX if prefix and differ_by_one_prefix(older, newer) else None


def _is_expression(key: ObjectKey, change: Change, left: Source, right: Source) -> bool:
    if change.attribute == "body":  # an SQL body is stored as it was understood, any other as it was written
        routines = (source.inventory.by_key.get(key) for source in (left, right))
        in_sql = all(routine and routine.attributes.get("language") == "sql" for routine in routines)
        return in_sql and all((text or "").startswith(_SQL_BODY) for text in (change.left, change.right))
    return change.attribute.rpartition(" ")[2] in _EXPRESSIONS


def _restored_order(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    same = same_order_when_restored(difference, change, left.inventory, right.inventory)
    return "a restore puts columns that parents have too where the parents have them" if same else ""


def _loose_members(difference: ObjectDifference, left: Source, right: Source) -> str:
    if not _straddle(left, right, LOOSE_SINCE) or not same_members(difference, left.inventory, right.inventory):
        return ""
    return "from PostgreSQL 14 on a class leaves members that it can do without to its family"


def _arguments_say_in(difference: ObjectDifference, left: Source, right: Source) -> str:
    if not _straddle(left, right, IN_SINCE) or not same_arguments(difference):
        return ""
    return "from PostgreSQL 14 on the arguments of procedures say IN"


_OF_OBJECTS = (_public_schema, _public_privileges, _new_privileges_alone, _loose_members, _arguments_say_in)
_OF_CHANGES = (_new_privileges, _not_null_names, _run_as_owner, _streaming, _restored_order, _printed_otherwise)


def _by_age(left: Source, right: Source, change: Change) -> tuple[tuple[Source, Source], tuple[str | None, str | None]]:
    """Return both sources and what they say, the older server first."""
    if major(left.provenance.server_version) <= major(right.provenance.server_version):
        return (left, right), (change.left, change.right)
    return (right, left), (change.right, change.left)


def _oldest(left: Source, right: Source) -> int:
    return min(major(source.provenance.server_version) for source in (left, right))


def _straddle(left: Source, right: Source, changed: int) -> bool:
    """Whether only one of the two servers is as new as the version in which something *changed*."""
    return _oldest(left, right) < changed <= max(major(source.provenance.server_version) for source in (left, right))


def major(version: str | None) -> int:
    """The leading number of a version string such as `14.23 (Debian …)`; without one, newer than all."""
    match = re.match(r"\d+", version or "")
    return int(match[0]) if match else sys.maxsize
