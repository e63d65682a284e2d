"""Privileges and security labels of a live server: the attributes `acl` and `security_label`, as a dump's GRANTs say them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pgaudit_kit.records.objects import COLUMN_ATTRIBUTE, PUBLIC_SCHEMA, Column, DatabaseObject, ObjectKey
from pgaudit_kit.records.privileges import (
    OWNER,
    PUBLIC,
    SCHEMA_PUBLIC,
    Held,
    acl_change_text,
    acl_text,
    default_privileges,
    every_privilege,
    role_text,
)
from pgaudit_kit.records.table_data import quote_identifier

Row = Mapping[str, Any]

_WITH_COLUMNS = frozenset({"TABLE", "TYPE", "FOREIGN TABLE"})
# Words of GRANT whose privileges are those of another word
_SAME_AS = {"PROCEDURE": "FUNCTION"}


def protect(objects: Iterable[DatabaseObject], rows: Iterable[Row], major: int) -> list[DatabaseObject]:
    """Return *objects* with what *rows* (privileges_and_labels.sql) say of them.

    Of anything else, which the server or an extension brings, pg_dump prints how its privileges were changed: an ACL.
    """
    by_key = {item.key: item for item in objects}
    for row in rows:
        key = ObjectKey(row["kind"], row["schema"], row["name"])
        if key == PUBLIC_SCHEMA and key not in by_key and (_schema_public_acl(row) or row["label_pairs"]):
            by_key[key] = DatabaseObject(key, {"owner": row["owner"]})
        if key in by_key:
            by_key[key] = _protected(by_key[key], row, major)
        elif key != PUBLIC_SCHEMA and row["word"] and not row["as_made"] and (acl := _changed(row, major)):
            apart = ObjectKey("ACL", row["schema"], _tag(row))
            by_key[apart] = DatabaseObject(apart, {"acl": acl})
    return list(by_key.values())


def stored_acl(row: Row, kind: str, major: int) -> str | None:
    """Return the text of the privileges in *row* (acl, as_made, owner) on an object of *kind*, a key of EVERY."""
    if row["as_made"]:
        return None
    every = every_privilege(major)[kind]
    return acl_text(every, _held(row["acl"], row["owner"]), default_privileges(kind, every))


def default_acl(row: Row, kind: str, major: int) -> str | None:
    """Return the text of default privileges: IN SCHEMA they are all added to what is there."""
    every = every_privilege(major)[kind]
    default = default_privileges(kind, every) if row["schema"] is None else {}
    return acl_text(every, _held(row["acl"], row["owner"]), default)


def labels_text(labels: str | None) -> str | None:
    """Return (provider, label) pairs as the text of `security_label`."""
    return "\n".join(sorted(f"{provider}: {label}" for provider, label in json.loads(labels or "[]"))) or None


def _held(items: str | None, owner: str, *, symbol: str | None = OWNER) -> Held:
    """Return the privileges that *items*, as aclexplode gives them, are; the owner by *symbol* (None: by name)."""
    held: Held = {}
    for grantee, grantor, privilege, grantable in json.loads(items or "[]"):
        name = PUBLIC if grantee is None else symbol if symbol and grantee == owner else role_text(grantee)
        held.setdefault((name, "" if grantor == owner else role_text(grantor)), {})[privilege] = grantable
    return held


def _kind(row: Row) -> str:
    word: str = row["word"]
    return "COLUMN" if row["column_name"] is not None else _SAME_AS.get(word, word)


def _schema_public_acl(row: Row) -> str | None:
    """As made by initdb, PUBLIC may use it; where somebody dropped and made it again, nobody but its owner may."""
    every = every_privilege()["SCHEMA"]
    held = default_privileges("SCHEMA", every) if row["as_made"] else _held(row["acl"], row["owner"])
    return acl_text(every, held, default_privileges("SCHEMA", every, SCHEMA_PUBLIC))


def _protected(item: DatabaseObject, row: Row, major: int) -> DatabaseObject:
    label = labels_text(row["label_pairs"])
    if row["column_name"] is not None:
        acl = stored_acl(row, "COLUMN", major)
        return _with_said_of_column(item, row["column_name"], {"acl": acl, "security_label": label})
    said = {"security_label": label}
    if item.key == PUBLIC_SCHEMA:
        said["acl"] = _schema_public_acl(row)
    elif row["word"]:
        said["acl"] = stored_acl(row, _kind(row), major)
    return replace(item, attributes={**item.attributes, **{name: text for name, text in said.items() if text is not None}})


def _with_said_of_column(item: DatabaseObject, name: str, said: Mapping[str, str | None]) -> DatabaseObject:
    told = {attribute: text for attribute, text in said.items() if text is not None}
    if item.key.kind not in _WITH_COLUMNS:
        named = {COLUMN_ATTRIBUTE.format(name=name, attribute=attribute): text for attribute, text in told.items()}
        return replace(item, attributes={**item.attributes, **named})
    if any(column.name == name for column in item.columns):
        changed = (Column(c.name, {**c.attributes, **told}) if c.name == name else c for c in item.columns)
        return replace(item, columns=tuple(changed))
    return replace(item, columns=(*item.columns, Column(name, told)) if told else item.columns)


def _tag(row: Row) -> str:
    """The tag of an ACL entry."""
    if row["arguments"] is None:
        name = quote_identifier(row["name"])
    else:
        name = f"{quote_identifier(row['name'].partition('(')[0])}({row['arguments']})"
    return f"{row['word']} {name}" if row["column_name"] is None else f"COLUMN {name}.{quote_identifier(row['column_name'])}"


def _changed(row: Row, major: int) -> str | None:
    """What pg_dump prints: each item of the first state that is gone is revoked, each new one granted (buildACLCommands)."""
    kind = _kind(row)
    every = every_privilege(major)[kind]
    now = _held(row["acl"], row["owner"], symbol=None)
    if row["initial"] is not None:
        before = _held(row["initial"], row["owner"], symbol=None)
    else:
        default = default_privileges(kind, every)
        before = {(role_text(row["owner"]) if name == OWNER else name, by): held for (name, by), held in default.items()}
    revoked = {key: dict.fromkeys(held, False) for key, held in before.items() if now.get(key) != held}
    granted = {key: held for key, held in now.items() if before.get(key) != held}
    return acl_change_text(every, revoked, granted)
