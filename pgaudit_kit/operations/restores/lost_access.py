"""Owners and privileges that the live database has, and that a restore without them would not give back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.same import told_to_leave_out
from pgaudit_kit.difference.public_schema import AS_MADE_BEFORE_15, PUBLIC_CHANGED
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import PUBLIC_SCHEMA, DatabaseObject
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.snapshot import snapshot
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

ID = "restore.access"
_ATTRIBUTES = frozenset({"owner", "acl"})
_NAMED = 5
_LOCK_SECONDS = 10
_WHO = "SELECT current_user, pg_catalog.pg_get_userbyid(10)"  # 10: whoever ran initdb (BOOTSTRAP_SUPERUSERID)
_OF_THE_DATABASE = "pg_database_owner"
_ONLY_USAGE = "PUBLIC=USAGE"  # as from 15 on, which is no text at all there
NOT_ASKED = "Which owners and privileges of the live database do not come back could not be asked"


@dataclass(frozen=True, slots=True)
class _Made:
    """The schema public of a new database."""

    owner: str
    acl: str | None


def not_given_back(expected: Source, *, owners: bool) -> frozenset[str]:
    """Which of `owner` and `acl` a restore of *expected* does not set: all without *owners*, else what the backup leaves out."""
    return (told_to_leave_out(expected) | expected.inventory.not_told) & _ATTRIBUTES if owners else _ATTRIBUTES


def ask_access(
    target: Target, connection: psycopg.Connection[Any], lost: frozenset[str], *, in_place: bool = False, remedy: str
) -> Check | str | None:
    """Look at the live database, for `check_access`; None when nothing is *lost*, a sentence when it cannot be looked at."""
    if not lost:
        return None
    role, made_by = connection.execute(_WHO).fetchone() or ("", "")
    try:
        with snapshot(target, lock_timeout=_LOCK_SECONDS) as live:
            made = _Made(made_by, AS_MADE_BEFORE_15) if live.major < PUBLIC_CHANGED else _Made(_OF_THE_DATABASE, None)
            objects = list(_may_be_lost(live.inventory, made, in_place=in_place))
    except PgAuditError as error:
        return f"{NOT_ASKED}: {error.message}."
    return check_access(objects, role, lost, remedy=remedy)


def check_access(objects: list[DatabaseObject], role: str, lost: frozenset[str], *, remedy: str) -> Check | None:
    """`restore.access`: no object of the live database has an owner or privileges that are not given back; *role* gets all objects.

    None when there are no objects that could have any.
    """
    having = [o for o in objects if o.attributes.get("owner") or _privileges(o)]
    if not having:
        return None
    owned = {str(o.key): owner for o in having if "owner" in lost and (owner := o.attributes.get("owner")) and owner != role}
    granted = {str(o.key): text for o in having if "acl" in lost and (text := _privileges(o))}
    found = [f"objects of others, which become {role}'s: {_listed(owned)}"] if owned else []
    found += [f"privileges: {_listed(granted)}"] if granted else []
    return Check(
        id=ID,
        question="Does it bring back every owner and privilege that the live database has?",
        outcome=Outcome.WARNED if found else Outcome.PASSED,
        expected=f"no privileges, and nothing that is not {role}'s, since those are left out",
        found="; ".join(found) or "there are none to bring back",
        compared=len(having),
        remedy=remedy if found else "",
        evidence=tuple({"object": o, "owner": owned.get(o, ""), "privileges": granted.get(o, "")} for o in {**owned, **granted}),
    )


def _stays(item: DatabaseObject) -> bool:
    """Whether a restore in place leaves the object itself where it is, with all that was granted on it."""
    everywhere = item.key.kind == "DEFAULT ACL" and item.key.schema in (None, "public")
    return item.key == PUBLIC_SCHEMA or everywhere or (item.key.kind == "ACL" and item.key.schema == "pg_catalog")


def _may_be_lost(inventory: Inventory, made: _Made, *, in_place: bool) -> Iterator[DatabaseObject]:
    for item in inventory.objects:
        if in_place and _stays(item):
            continue
        if item.key != PUBLIC_SCHEMA:
            yield item
        elif item.attributes.get("owner") not in (None, made.owner) or item.attributes.get("acl") != made.acl:
            owner = item.attributes.get("owner")
            acl = item.attributes.get("acl") or (_ONLY_USAGE if made.acl else None)
            yield replace(item, attributes={"owner": None if owner == made.owner else owner, "acl": None if acl == made.acl else acl})


def _privileges(item: DatabaseObject) -> str:
    return "; ".join(_texts(item))


def _texts(item: DatabaseObject) -> Iterator[str]:
    if acl := item.attributes.get("acl"):
        yield acl.replace("\n", ", ")
    for name, text in item.attributes.items():
        if text and name.startswith("column ") and name.endswith(" acl"):
            yield f"{name.removesuffix(' acl')}: {text}".replace("\n", ", ")
    for column in item.columns:
        if acl := column.attributes.get("acl"):
            yield f"column {column.name}: {acl}".replace("\n", ", ")


def _listed(told: dict[str, str]) -> str:
    first = ", ".join(f"{name} ({text})" for name, text in list(told.items())[:_NAMED])
    return first + (f" and {len(told) - _NAMED:,} more" if len(told) > _NAMED else "")
