"""Before a restore touches anything: does the server have what the dump needs? Extensions, roles, tablespaces, privileges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.operations.backups.read_back import holds_nothing
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

if TYPE_CHECKING:
    import psycopg

_GRANTEE = re.compile(r"\b(?:TO|FROM)\s+(?:GROUP\s+)?((?:\"(?:[^\"]|\"\")*\"|\w+)(?:\s*,\s*(?:\"(?:[^\"]|\"\")*\"|\w+))*)", re.IGNORECASE)
_ROLE = re.compile(r"\"((?:[^\"]|\"\")*)\"|(\w+)")
# CREATE … of these asks for a superuser (each command's reference page); hosted services let others do some of it
_SUPERUSERS_KINDS = ("EVENT TRIGGER", "FOREIGN DATA WRAPPER", "ACCESS METHOD", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE")
_INSTALL = "Install them on the server (contrib package), or restore into a server that has them."
_CREATE_ROLES = "Create them (pg_dumpall --roles-only of the old server), or restore without owners and privileges (--no-owner)."
_BESIDE = "Bring its tables back beside what is there (--table, --schema), take a whole backup"
_OF_ANOTHER = "Look whether it is of the database that you meant"
_UNTRUSTED = "SELECT DISTINCT name FROM pg_catalog.pg_available_extension_versions WHERE superuser AND NOT trusted"
_TRUSTED_SINCE = 130_000
_HAS_SET = 160_000


def check_whole(expected: Source, *, replaces: bool, accepted: bool) -> Check | None:
    """`restore.whole`: neither a backup of a part nor an empty one takes the place of what is there (*replaces*); None when whole.

    *accepted*: that was agreed to. Of a dump without a manifest nobody knows whether it is a part.
    """
    partial = expected.partial_sentence if isinstance(expected, Manifest) else ""
    empty = not partial and holds_nothing(expected)
    if not partial and not empty:
        return None
    refused = replaces and not accepted
    return Check(
        id="restore.whole",
        question="Is it a backup of the whole database?",
        outcome=Outcome.FAILED if refused else Outcome.WARNED,
        expected="everything that the database held",
        found="nothing is in it" if empty else f"it is {partial}",
        compared=1,
        remedy=f"{_OF_ANOTHER if empty else _BESIDE}, or say --accept-partial: what is not in it is gone from the database then."
        if refused
        else "What was not backed up does not come back.",
    )


def check_extensions(expected: Source, connection: psycopg.Connection[Any]) -> Check:
    """`restore.extensions`: the server can create every extension that *expected* has."""
    wanted = [o.key.name for o in expected.inventory.of_kind("EXTENSION")]
    available = {name for (name,) in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
    missing = [name for name in wanted if name not in available]
    return Check(
        id="restore.extensions",
        question="Does the server have every extension?",
        outcome=Outcome.FAILED if missing else Outcome.PASSED,
        expected=many(len(wanted), "extension"),
        found=f"missing: {', '.join(missing)}" if missing else "all there",
        compared=len(wanted),
        remedy=_INSTALL if missing else "",
        evidence=tuple({"extension": name} for name in missing),
    )


def check_extension_versions(expected: Source, connection: psycopg.Connection[Any]) -> Check | None:
    """`restore.extension_versions`: the server would create each extension in the version that was backed up; None when nobody knows it."""
    versions = {o.key.name: v for o in expected.inventory.of_kind("EXTENSION") if (v := o.attributes.get("version"))}
    if not versions:
        return None
    defaults = dict(connection.execute("SELECT name, default_version FROM pg_catalog.pg_available_extensions").fetchall())
    other = [f"{n}: {v} → {defaults[n]}" for n, v in versions.items() if n in defaults and defaults[n] != v]
    return Check(
        id="restore.extension_versions",
        question="Will each extension come in the version that was backed up?",
        outcome=Outcome.WARNED if other else Outcome.PASSED,
        expected=many(len(versions), "version"),
        found=", ".join(other) or "the same",
        compared=len(versions),
        remedy="A dump names no versions, so the server's own come; read their release notes." if other else "",
    )


def check_roles(dump: Dump, connection: psycopg.Connection[Any]) -> Check:
    """`restore.roles`: every role that owns something in the dump or is granted something exists, and this role may act for the owners."""
    there = {name for (name,) in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    wanted = sorted(roles_in(dump.toc_entries))
    missing = [name for name in wanted if name not in there]
    owners = sorted({e.owner for e in dump.toc_entries if e.owner and e.owner in there})
    privilege = "SET" if connection.info.server_version >= _HAS_SET else "MEMBER"
    others = connection.execute(
        "SELECT name FROM pg_catalog.unnest(%s::text[]) AS name WHERE NOT pg_catalog.pg_has_role(name, %s)", [owners, privilege]
    )
    foreign = [name for (name,) in others if name != "pg_database_owner"]  # the owner of any database is that
    found = [f"missing: {', '.join(missing)}"] if missing else []
    found += [f"this role may not make objects theirs: {', '.join(foreign)}"] if foreign else []
    remedies = [_CREATE_ROLES] if missing else []
    remedies += ["Use a superuser or a member of these roles, or restore without owners and privileges (--no-owner)."] if foreign else []
    return Check(
        id="restore.roles",
        question="Does every role that the dump names exist?",
        outcome=Outcome.FAILED if found else Outcome.PASSED,
        expected=many(len(wanted), "role"),
        found="; ".join(found) or "all there",
        compared=len(wanted),
        remedy=" ".join(remedies),
    )


def roles_in(entries: Iterable[TocEntry]) -> set[str]:
    """Return the roles that own entries, or are granted something by their definitions where those are known."""
    roles = set()
    for entry in entries:
        if entry.owner:
            roles.add(entry.owner)
        if entry.desc in ("ACL", "DEFAULT ACL", "ACL LANGUAGE"):
            roles.update(_grantees(entry.definition or ""))
    return roles


def _grantees(definition: str) -> Iterator[str]:
    for match in _GRANTEE.finditer(definition):
        for quoted, bare in _ROLE.findall(match[1]):
            if quoted or bare.upper() != "PUBLIC":
                yield quoted.replace('""', '"') if quoted else bare


def tablespaces_in(inventory: Inventory) -> list[str]:
    """Return the tablespaces that objects of *inventory* lie in, the default one aside."""
    return sorted({t for o in inventory.objects if (t := o.attributes.get("tablespace"))})


def check_tablespaces(wanted: Sequence[str], connection: psycopg.Connection[Any]) -> Check:
    """`restore.tablespaces`: every tablespace that the dump names exists, and this role may use it."""
    rows = connection.execute("SELECT spcname, pg_catalog.has_tablespace_privilege(oid, 'CREATE') FROM pg_catalog.pg_tablespace")
    usable = dict(rows.fetchall())
    wrong = [f"{name} is missing" for name in wanted if name not in usable]
    wrong += [f"this role may not use {name}" for name in wanted if usable.get(name) is False]
    return Check(
        id="restore.tablespaces",
        question="Does every tablespace that the dump names exist?",
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected=many(len(wanted), "tablespace"),
        found="; ".join(wrong) or "all there",
        compared=len(wanted),
        remedy="Create them, or put everything into the database's own tablespace with --no-tablespaces." if wrong else "",
    )


def check_privileges(inventory: Inventory, connection: psycopg.Connection[Any]) -> Check | None:
    """`restore.privileges`: nothing in the dump asks for a superuser, or we are one; None when nothing does.

    A hosted service may let its administrators do some of that, so it is a warning: only trying can tell.
    """
    superusers = {name for (name,) in connection.execute(_UNTRUSTED)} if connection.info.server_version >= _TRUSTED_SINCE else set()
    asking = [o.key for o in inventory.of_kind(*_SUPERUSERS_KINDS)]
    asking += [o.key for o in inventory.of_kind("EXTENSION") if o.key.name in superusers]
    if not asking:
        return None
    row = connection.execute("SELECT rolsuper, rolname FROM pg_catalog.pg_roles WHERE rolname = current_user").fetchone()
    superuser, role = row or (False, "?")
    return Check(
        id="restore.privileges",
        question="May this role create everything that the dump holds?",
        outcome=Outcome.PASSED if superuser else Outcome.WARNED,
        expected=f"a superuser, for {many(len(asking), 'object')}",
        found=f"{role} is one" if superuser else f"{role} is none, and elsewhere only one may create {', '.join(map(str, asking[:5]))}",
        compared=len(asking),
        remedy="" if superuser else "Should the restore fail for it, nothing is replaced: restore as a superuser then.",
    )
