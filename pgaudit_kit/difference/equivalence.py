"""What differs only because another version of PostgreSQL, or another time zone, wrote it: one rule each, and nothing without a reason."""

from __future__ import annotations

from dataclasses import replace

from pgaudit_kit.difference.icu_locales import TAGS_SINCE, language_tag
from pgaudit_kit.difference.inherited_columns import compression_when_restored, same_order_when_restored
from pgaudit_kit.difference.operator_families import LOOSE_SINCE, same_members
from pgaudit_kit.difference.printed_otherwise import printed_otherwise
from pgaudit_kit.difference.procedures import IN_SINCE, same_arguments
from pgaudit_kit.difference.public_schema import public_schema_changed, public_schema_not_told
from pgaudit_kit.difference.versions import by_age, major, oldest, straddle
from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.objects import NOT_NULL_DETAILS, ObjectKey
from pgaudit_kit.records.privileges import as_before_17
from pgaudit_kit.records.source import Source
from pgaudit_kit.rows.zoned_text import in_utc

PLPGSQL = ObjectKey("EXTENSION", None, "plpgsql")
_PLPGSQL_UNLISTED = 11
_RUN_AS_OWNER_CAME = 16
_MAINTAIN_CAME = 17
_NOTHING_BUT_PRIVILEGES = frozenset({"ACL", "DEFAULT ACL"})
_NOT_NULL_NAMED = 18
_NOT_NULL_NAMED_IN_DOMAINS = 17
_STREAMS_CAME = 18
_MAINTAIN_REASON = "the privilege MAINTAIN came with PostgreSQL 17"


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


def _new_privileges_alone(difference: ObjectDifference, left: Source, right: Source) -> str:
    """What holds nothing but privileges, and those only because 17 added one: see `_new_privileges`."""
    if difference.status not in ("only_left", "only_right") or difference.key.kind not in _NOTHING_BUT_PRIVILEGES:
        return ""
    if oldest(left, right) >= _MAINTAIN_CAME:
        return ""
    acl = (left if difference.status == "only_left" else right).inventory.by_key[difference.key].attributes.get("acl")
    return _MAINTAIN_REASON if acl and not as_before_17(acl) else ""


def _new_privileges(_difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """17 added a privilege on tables (MAINTAIN): without it, a server before it has all that there are.

    pg_dump of 17 and later revokes and grants by name what a server before it has, which leaves MAINTAIN to whoever had ALL
    (dumputils.c, buildACLCommands), so that also two sources of the same old version can differ in it.
    """
    if oldest(left, right) >= _MAINTAIN_CAME or not _is_acl(change.attribute):
        return ""
    return _MAINTAIN_REASON if as_before_17(change.left) == as_before_17(change.right) else ""


def _not_null_names(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """Not-null constraints have names only from 18 on (pg_dump.c, determineNotNullFlags), those of domains from 17 on."""
    named = _NOT_NULL_NAMED_IN_DOMAINS if difference.key.kind == "DOMAIN" else _NOT_NULL_NAMED
    if oldest(left, right) >= named or change.attribute.rpartition(" ")[2] not in NOT_NULL_DETAILS:
        return ""
    return f"NOT NULL has a name from PostgreSQL {named} on"


def _run_as_owner(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """Whether a subscription runs as its owner can be chosen from 16 on; before, it always does.

    pg_dump of 16 and later says so of an older server (pg_dump.c, getSubscriptions), that server itself has no word for it.
    """
    if (difference.key.kind, change.attribute) != ("SUBSCRIPTION", "run_as_owner") or oldest(left, right) >= _RUN_AS_OWNER_CAME:
        return ""
    return "before PostgreSQL 16 every subscription runs as its owner"


def _streaming(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """A dump by pg_dump before 18 is silent about what was the default, off; from 18 on the default is another (subscriptioncmds.c)."""
    if (difference.key.kind, change.attribute) != ("SUBSCRIPTION", "streaming"):
        return ""
    (old, new), texts = by_age(left, right, change)
    by_old_program = old.provenance.pg_dump_version and major(old.provenance.pg_dump_version) < _STREAMS_CAME
    if not by_old_program or major(new.provenance.server_version) < _STREAMS_CAME or texts != (None, "parallel"):
        return ""
    return "from PostgreSQL 18 on a subscription streams in parallel unless it is told not to"


def _is_acl(attribute: str) -> bool:
    return attribute.rpartition(" ")[2] == "acl"


def _restored_order(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    same = same_order_when_restored(difference, change, left.inventory, right.inventory)
    return "a restore puts columns that parents have too where the parents have them" if same else ""


def _loose_members(difference: ObjectDifference, left: Source, right: Source) -> str:
    if not straddle(left, right, LOOSE_SINCE) or not same_members(difference, left.inventory, right.inventory):
        return ""
    return "from PostgreSQL 14 on a class leaves members that it can do without to its family"


def _arguments_say_in(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    if not straddle(left, right, IN_SINCE) or not same_arguments(difference.key, change):
        return ""
    return "from PostgreSQL 14 on the arguments of procedures say IN"


def _inherited_compression(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    same = compression_when_restored(difference.key, change, left.inventory, right.inventory)
    return "a restore gives a column that is inherited the compression of its parent's" if same else ""


def _icu_locale(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """From 16 on CREATE COLLATION stores the language tag of what it was told (collationcmds.c, DefineCollation)."""
    if (difference.key.kind, change.attribute) != ("COLLATION", "locale") or not straddle(left, right, TAGS_SINCE):
        return ""
    _, (older, newer) = by_age(left, right, change)
    return "from PostgreSQL 16 on a locale of ICU is stored as its language tag" if older and newer == language_tag(older) else ""


def _plpgsql(difference: ObjectDifference, left: Source, right: Source) -> str:
    """The extension plpgsql, which pg_dump up to 10 lists (selectDumpableExtension)."""
    if difference.key != PLPGSQL or difference.status not in ("only_left", "only_right"):
        return ""
    holder, lacking = (left, right) if difference.status == "only_left" else (right, left)
    in_its_place = holder.inventory.by_key[PLPGSQL].attributes.get("extension_schema") == "pg_catalog"
    newest = max(major(version) for version in (lacking.provenance.server_version, lacking.provenance.pg_dump_version or "0"))
    if not in_its_place or newest < _PLPGSQL_UNLISTED:
        return ""
    return "every database has the extension plpgsql from the start, and pg_dump from 11 on does not list it"


def _bounds_under_other_zones(_difference: ObjectDifference, change: Change, _left: Source, _right: Source) -> str:
    if change.attribute != "partition_bound" or not (change.left and change.right):
        return ""
    same = in_utc(change.left.encode()) == in_utc(change.right.encode())
    return "the bounds are of the same instants, printed under other time zones" if same else ""


_OF_OBJECTS = (_plpgsql, _new_privileges_alone, _loose_members)
_OF_CHANGES = (
    *(public_schema_not_told, public_schema_changed, _new_privileges, _not_null_names, _run_as_owner, _streaming, _restored_order),
    *(_inherited_compression, _icu_locale, _arguments_say_in, printed_otherwise, _bounds_under_other_zones),
)
