"""What a dump needs of the server that it is restored into: version, extensions, roles, tablespaces, locale, space. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.operations.restores.database_facts import Locale
from pgaudit_kit.operations.restores.dump_needs import roles_in
from pgaudit_kit.records.identifiers import read_identifier
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import SUFFIX, manifest_beside
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.source import Source

_MAJOR = re.compile(r"(\d+)(?:\.(\d+))?")
_ACL_ROLES = re.compile(r'^(?:GRANT |REVOKE )?("(?:[^"]|"")*"|\w+)=[^"]*?(?: BY ("(?:[^"]|"")*"|\w+))?$', re.MULTILINE)
_GLOBALS = ".globals.sql"
_NO_ROLES = frozenset({"PUBLIC", "OWNER"})
_DEFAULT_ACL_OF = re.compile(r" of (.+)\Z", re.DOTALL)
# Every server has them, or is made with them
_TABLESPACES_OF_ALL = frozenset({"", "pg_default", "pg_global"})
# A table takes 24 bytes a row beside its values and its indexes about as much again; what has no data still is a cluster of 60 MB.
_TIMES_TEXT = 2.5
_CLUSTER_BYTES = 100_000_000
_TIMES_PACKED = 8


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be there. `major` None: the dump does not say. `space_bytes` is an estimate, of a throwaway server with all of it.

    `other_roles` are those of the globals beside it, which nothing in it names.
    """

    major: int | None
    extensions: tuple[str, ...]
    roles: tuple[str, ...]
    tablespaces: tuple[str, ...]
    locale: Locale
    space_bytes: int
    other_roles: tuple[str, ...] = ()


def needs_of(dump: Dump, expected: Source) -> Needs:
    """Return what *dump* needs; *expected*: its manifest, which knows more, or the dump itself."""
    inventory = dump.inventory
    roles = roles_in(dump.toc_entries) | set(_roles_of(inventory))
    spaces = {o.attributes.get("tablespace") or "" for o in inventory.objects} | {e.tablespace or "" for e in dump.toc_entries}
    return Needs(
        major=major_of(dump.provenance.server_version),
        extensions=tuple(o.key.name for o in inventory.of_kind("EXTENSION")),
        roles=tuple(sorted(roles)),
        tablespaces=tuple(sorted(spaces - _TABLESPACES_OF_ALL)),
        locale=_locale_of(dump, expected),
        space_bytes=_space(dump, expected),
        other_roles=tuple(sorted(_roles_beside(dump) - roles)),
    )


def major_of(server_version: str | None) -> int | None:
    """The major version in `15.4 (Debian …)` as a number, 9 for all of 9.x; None when there is none."""
    match = _MAJOR.match(server_version or "")
    return int(match[1]) if match else None


def _roles_beside(dump: Dump) -> set[str]:
    """The roles in `<backup>.globals.sql` beside *dump*, and in the script of pg_dumpall that it is a part of."""
    if dump.path is None:
        return set()
    beside = manifest_beside(dump.path)
    files = [beside.with_name(beside.name.removesuffix(SUFFIX) + _GLOBALS)]
    files += [dump.path] if "#" in dump.label else []
    found: set[str] = set()
    for file in files:
        with suppress(PgAuditError):  # nothing in the dump names them: a script that cannot be read is no fault of it
            opened = read_dump(file) if file.is_file() else None
            found |= {role.name for role in opened.shared.roles} if isinstance(opened, ClusterDump) else set()
    return found


def _roles_of(inventory: Inventory) -> Iterator[str]:
    """The roles that objects name, whatever the format of the dump: a plain script has no entries with definitions."""
    for item in inventory.objects:
        yield from _roles_of_object(item)
    for name in inventory.database.attributes if inventory.database else ():
        if name.startswith("setting ") and (role := _DEFAULT_ACL_OF.search(name)):
            yield role[1]


def _roles_of_object(item: DatabaseObject) -> Iterator[str]:
    kind, attributes = item.key.kind, item.attributes
    if kind != "BLOB" and attributes.get("owner"):  # of large objects it is one of several: their entries say it
        yield attributes["owner"] or ""
    if kind == "USER MAPPING" and item.key.name.lower() != "public":
        yield item.key.name
    if kind == "DEFAULT ACL" and (of := _DEFAULT_ACL_OF.search(item.key.name)):
        yield of[1]
    acls = [text for name, text in attributes.items() if text and name.rpartition(" ")[2] == "acl"] if kind != "BLOB" else []
    acls += [c.attributes["acl"] or "" for c in item.columns if c.attributes.get("acl")]
    for acl in acls:
        for names in _ACL_ROLES.findall(acl):
            yield from (_raw(name) for name in names if name and name not in _NO_ROLES)
    at = 0
    while found := read_identifier(attributes.get("roles") or "", at):  # of a policy: quoted, joined by ", "
        yield found[0]
        at = found[1] + 2


def _raw(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _locale_of(dump: Dump, expected: Source) -> Locale:
    recorded = Locale.from_settings(expected.provenance.settings)
    if recorded != Locale():
        return recorded
    said = dump.inventory.database.attributes if dump.inventory.database else {}
    provider = said.get("locale_provider")
    return Locale(
        encoding=said.get("encoding") or dump.provenance.encoding,
        provider=provider or ("libc" if said.get("lc_collate") else None),
        collate=said.get("lc_collate"),
        ctype=said.get("lc_ctype"),
        locale=said.get("locale") if provider in ("icu", "builtin") else None,
        icu_rules=said.get("icu_rules"),
    )


def _space(dump: Dump, expected: Source) -> int:
    sizes = [data.size_bytes for data in expected.table_data.values()]
    known = sum(size for size in sizes if size is not None)
    if sizes and None not in sizes:
        return _CLUSTER_BYTES + int(known * _TIMES_TEXT)
    size = dump.provenance.size_bytes or 0
    packed = dump.provenance.compression not in (None, "none")
    return _CLUSTER_BYTES + int(max(known, size * _TIMES_PACKED if packed else size) * _TIMES_TEXT)
