"""What differs only because another version of PostgreSQL wrote it: one rule each, with its reason. Nothing is forgiven without one."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

from pgaudit_kit.difference.operator_families import LOOSE_SINCE, same_members
from pgaudit_kit.difference.procedures import IN_SINCE, same_arguments
from pgaudit_kit.records.difference import ObjectDifference
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
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|\s+|.""", re.DOTALL)
_NAME = re.compile(r'"|[^\W\d]')


def forgive(difference: ObjectDifference, left: Source, right: Source) -> ObjectDifference:
    """Return *difference*, as `equivalent` with its reason when a rule says that only versions differ."""
    difference = _without_not_null_names(_without_new_privileges(difference, left, right), left, right)
    if difference.status == "equivalent":
        return difference
    rules = (_public_schema, _public_privileges, _view_prefix, _run_as_owner, _loose_members, _arguments_say_in)
    reason = next((told for rule in rules if (told := rule(difference, left, right))), "")
    return replace(difference, status="equivalent", reason=reason) if reason else difference


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
    servers = [major(s.provenance.server_version) for s in (left, right)]
    if not min(servers) < _PUBLIC_CHANGED <= max(servers):
        return ""
    for change in difference.changes:
        if change.attribute == "owner" and "pg_database_owner" in (change.left, change.right):
            continue
        if change.attribute != "acl" or _of_others(change.left) != _of_others(change.right):
            return ""
    return "from PostgreSQL 15 on only the owner creates objects in the schema public unless others are allowed to"


def _of_others(acl: str | None) -> list[str]:
    return [line for line in (acl or "").split("\n") if line and not line.startswith("PUBLIC=")]


def _without_new_privileges(difference: ObjectDifference, left: Source, right: Source) -> ObjectDifference:
    """17 added a privilege on tables (MAINTAIN): without it, a server before it has all that there are.

    pg_dump of 17 and later revokes and grants by name what a server before it has, which leaves MAINTAIN to whoever had ALL
    (dumputils.c, buildACLCommands), so that also two sources of the same old version can differ in it.
    """
    if min(major(s.provenance.server_version) for s in (left, right)) >= _MAINTAIN_CAME:
        return difference
    reason = "the privilege MAINTAIN came with PostgreSQL 17"
    if difference.status in ("only_left", "only_right") and difference.key.kind in _NOTHING_BUT_PRIVILEGES:
        item = (left if difference.status == "only_left" else right).inventory.by_key[difference.key]
        acl = item.attributes.get("acl")
        return replace(difference, status="equivalent", reason=reason) if acl and not as_before_17(acl) else difference
    kept = tuple(c for c in difference.changes if not (_is_acl(c.attribute) and as_before_17(c.left) == as_before_17(c.right)))
    if difference.status != "changed" or kept == difference.changes:
        return difference
    return replace(difference, changes=kept) if kept else replace(difference, status="equivalent", reason=reason)


def _without_not_null_names(difference: ObjectDifference, left: Source, right: Source) -> ObjectDifference:
    """Not-null constraints are objects of their own, with a name, only from 18 on (pg_dump.c, determineNotNullFlags)."""
    if difference.status != "changed" or min(major(s.provenance.server_version) for s in (left, right)) >= _NOT_NULL_NAMED:
        return difference
    kept = tuple(c for c in difference.changes if c.attribute.rpartition(" ")[2] not in NOT_NULL_DETAILS)
    if kept == difference.changes:
        return difference
    reason = "NOT NULL has a name from PostgreSQL 18 on"
    return replace(difference, changes=kept) if kept else replace(difference, status="equivalent", reason=reason)


def _run_as_owner(difference: ObjectDifference, left: Source, right: Source) -> str:
    """Whether a subscription runs as its owner can be chosen from 16 on; before, it always does.

    pg_dump of 16 and later says so of an older server (pg_dump.c, getSubscriptions), that server itself has no word for it.
    """
    if difference.key.kind != "SUBSCRIPTION" or [change.attribute for change in difference.changes] != ["run_as_owner"]:
        return ""
    if min(major(s.provenance.server_version) for s in (left, right)) >= _RUN_AS_OWNER_CAME:
        return ""
    return "before PostgreSQL 16 every subscription runs as its owner"


def _is_acl(attribute: str) -> bool:
    return attribute.rpartition(" ")[2] == "acl"


def _view_prefix(difference: ObjectDifference, left: Source, right: Source) -> str:
    """A view of one relation: until 15 every column has the relation's name before it, from 16 on none has.

    Until 15 the stored query of a view has OLD and NEW in its range table, so ruleutils.c (make_ruledef, get_query_def)
    takes it for one of several relations and writes `t.a`; 16 took both out.
    """
    if difference.key.kind not in _VIEWS or difference.status != "changed":
        return ""
    older, newer = sorted((left, right), key=lambda s: major(s.provenance.server_version))
    if not major(older.provenance.server_version) < _VIEWS_CHANGED <= major(newer.provenance.server_version):
        return ""
    for change in difference.changes:
        texts = (change.left, change.right) if older is left else (change.right, change.left)
        if change.attribute != "definition" or not _differ_by_one_prefix(texts[0] or "", texts[1] or ""):
            return ""
    return "PostgreSQL before 16 writes the relation's name before each column of a view of one relation"


def _loose_members(difference: ObjectDifference, left: Source, right: Source) -> str:
    servers = [major(s.provenance.server_version) for s in (left, right)]
    if not min(servers) < LOOSE_SINCE <= max(servers) or not same_members(difference, left.inventory, right.inventory):
        return ""
    return "from PostgreSQL 14 on a class leaves members that it can do without to its family"


def _arguments_say_in(difference: ObjectDifference, left: Source, right: Source) -> str:
    servers = [major(s.provenance.server_version) for s in (left, right)]
    if not min(servers) < IN_SINCE <= max(servers) or not same_arguments(difference):
        return ""
    return "from PostgreSQL 14 on the arguments of procedures say IN"


def _differ_by_one_prefix(longer: str, shorter: str) -> bool:
    """Whether *longer* is *shorter* with one and the same `name.` before some of its names."""
    prefix = ""
    tokens = _TOKEN.findall(longer)
    expected = iter(_TOKEN.findall(shorter))
    at = 0
    for wanted in expected:
        if tokens[at : at + 1] != [wanted] or tokens[at + 1 : at + 2] == ["."]:
            skipped = _prefix_before(tokens, at, wanted)
            if skipped and prefix in ("", skipped):
                prefix = skipped
                at += 2
        if tokens[at : at + 1] != [wanted]:
            return False
        at += 1
    return bool(prefix) and at == len(tokens)


def _prefix_before(tokens: list[str], at: int, name: str) -> str:
    """The name that stands, with a dot, before *name* at that place; "" when there is none."""
    given = tokens[at : at + 3]
    return given[0] if given[1:] == [".", name] and _NAME.match(given[0]) else ""


def major(version: str | None) -> int:
    """The leading number of a version string such as `14.23 (Debian …)`; without one, newer than all."""
    match = re.match(r"\d+", version or "")
    return int(match[0]) if match else sys.maxsize
