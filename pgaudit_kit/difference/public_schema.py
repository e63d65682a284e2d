"""The schema public: every database has it, and it is listed only where it is not as initdb made it."""

from __future__ import annotations

from dataclasses import replace

from pgaudit_kit.difference.versions import major, straddle
from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import PUBLIC_SCHEMA, DatabaseObject
from pgaudit_kit.records.source import Source

PUBLIC_CHANGED = 15
AS_MADE_BEFORE_15 = "PUBLIC=ALL"
_TOLD_UP_TO = 10
_OWNER = "pg_database_owner"


def with_public_schema(left: Source, right: Source, *, both_live: bool) -> tuple[Inventory, Inventory]:
    """The inventories of both; where one alone lists the schema public, or has none, the other with that schema as initdb made it.

    Such a schema is not listed (pg_dump.c, getNamespaces). Its owner is not known of a server before 15: the superuser of initdb.
    That it is gone counts where *both_live*: restoring a dump leaves the one that is there.
    """
    sources = (left, right)
    listed = [PUBLIC_SCHEMA in source.inventory.by_key for source in sources]
    gone = [both_live and source.inventory.without_public for source in sources]
    if listed[0] == listed[1] and gone[0] == gone[1]:
        return left.inventory, right.inventory
    known = (there or not_there for there, not_there in zip(listed, gone, strict=True))
    found = [s.inventory if told else _with_schema_as_made(s) for s, told in zip(sources, known, strict=True)]
    return found[0], found[1]


def _with_schema_as_made(source: Source) -> Inventory:
    before = major(source.provenance.server_version) < PUBLIC_CHANGED
    made = DatabaseObject(PUBLIC_SCHEMA, {"acl": AS_MADE_BEFORE_15} if before else {"owner": _OWNER})
    return replace(source.inventory, objects=(*source.inventory.objects, made))


def public_schema_not_told(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """pg_dump 11 to 14 dumps nothing of the schema public but its privileges (selectDumpableNamespace)."""
    if difference.key != PUBLIC_SCHEMA or change.attribute == "acl":
        return ""
    silent = [source for source, text in ((left, change.left), (right, change.right)) if text is None]
    if not any(_TOLD_UP_TO < major(source.provenance.pg_dump_version) < PUBLIC_CHANGED for source in silent):
        return ""
    return "pg_dump 11 to 14 says nothing of the schema public but its privileges"


def public_schema_changed(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """Before 15 everyone could create objects in the schema public; restoring a dump into a newer server leaves its own rule there."""
    if difference.key != PUBLIC_SCHEMA or not straddle(left, right, PUBLIC_CHANGED):
        return ""
    owner = change.attribute == "owner" and _OWNER in (change.left, change.right)
    if owner or (change.attribute == "acl" and _of_others(change.left) == _of_others(change.right)):
        return "from PostgreSQL 15 on only the owner creates objects in the schema public unless others are allowed to"
    return ""


def _of_others(acl: str | None) -> list[str]:
    return [line for line in (acl or "").split("\n") if line and not line.startswith("PUBLIC=")]
