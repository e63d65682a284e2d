"""The SQL that pg_dumpall itself writes, outside of the dumps of the databases (src/bin/pg_dump/pg_dumpall.c), read into records.

Passwords are stepped over: neither they nor their hashes get into anything that is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pgaudit_kit.dumps.ddl.drafts import NOT_MODELLED, without_secrets
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood, split_statements
from pgaudit_kit.records.cluster import ClusterObjects, Grant, Membership, Role, Setting, Tablespace
from pgaudit_kit.records.objects import NOT_UNDERSTOOD, Unmodelled

_FLAGS = {
    "SUPERUSER": "superuser",
    "INHERIT": "inherit",
    "CREATEROLE": "create_role",
    "CREATEDB": "create_db",
    "LOGIN": "login",
    "REPLICATION": "replication",
    "BYPASSRLS": "bypass_rls",
}
_WITHOUT_MEANING = re.compile(
    r"(?:SET|RESET|DROP|BEGIN|COMMIT|UPDATE\s+pg_catalog\.pg_database|SELECT\s+pg_catalog\.(?:set_config|binary_upgrade\w*))\b",
    re.IGNORECASE,
)
_KIND = re.compile(r"(CREATE|ALTER|COMMENT\s+ON|GRANT|REVOKE)(?:\s+(ROLE|TABLESPACE|DATABASE))?\b", re.IGNORECASE)
_SETTING = ("SET",)


class ClusterGlobals:
    """Puts `ClusterObjects` together from the statements, in the order of the script."""

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}
        self._tablespaces: dict[str, Tablespace] = {}
        self._memberships: list[Membership] = []
        self._settings: list[Setting] = []
        self._grants: list[Grant] = []
        self._databases: list[str] = []
        self._unmodelled: list[Unmodelled] = []
        self._handlers: dict[str, Callable[[Cursor], None]] = {
            "CREATE ROLE": self._role,
            "ALTER ROLE": self._role,
            "COMMENT ON ROLE": self._comment,
            "CREATE TABLESPACE": self._create_tablespace,
            "ALTER TABLESPACE": self._alter_tablespace,
            "COMMENT ON TABLESPACE": self._comment,
            "CREATE DATABASE": self._create_database,
            "ALTER DATABASE": self._alter_database,
            "GRANT": self._grant,
            "REVOKE": self._grant,
        }

    def feed(self, sql: str, *, escapes: bool = False) -> None:
        """Take in *sql*; *escapes*: standard_conforming_strings is off in it. What is not understood becomes unmodelled."""
        for statement in split_statements(sql, escapes=escapes):
            if _WITHOUT_MEANING.match(statement):
                continue
            words = _KIND.match(statement)
            key = "" if not words else " ".join(" ".join(filter(None, words.groups())).upper().split())
            handler = self._handlers.get(key)
            if handler is None:
                self._put_aside(statement, NOT_MODELLED)
                continue
            try:
                handler(_behind(statement, key))
            except NotUnderstood:
                self._put_aside(statement, NOT_UNDERSTOOD)

    def build(self) -> ClusterObjects:
        """What was fed so far."""
        return ClusterObjects(
            tuple(self._roles.values()),
            tuple(self._memberships),
            tuple(self._tablespaces.values()),
            tuple(self._settings),
            tuple(self._grants),
            tuple(self._databases),
            tuple(self._unmodelled),
        )

    def _put_aside(self, statement: str, reason: str) -> None:
        text = without_secrets("ROLE", statement)
        words = text.split()
        kind = " ".join(words[:2]).upper() if words[0].upper() in ("CREATE", "ALTER", "SECURITY") else words[0].upper()
        self._unmodelled.append(Unmodelled(kind, None, " ".join(words)[:80], reason, text))

    # ---- roles

    def _role(self, cursor: Cursor) -> None:
        everyone = cursor.take("ALL")
        name = None if everyone else cursor.identifier()
        database = cursor.identifier() if cursor.take("IN", "DATABASE") else None
        if cursor.token.is_word(*_SETTING) or name is None:
            self._setting(cursor, name, database)
            return
        cursor.take("WITH")
        role = self._roles.get(name, Role(name))
        while not cursor.at_end:
            role = _with_attribute(role, cursor)
        self._roles[name] = role

    def _setting(self, cursor: Cursor, role: str | None, database: str | None) -> None:
        cursor.expect(*_SETTING)
        parts, _ = cursor.parts()
        if not (cursor.take("TO") or cursor.take_text("=")):
            raise NotUnderstood("no value")
        single = cursor.token.kind == "string" and cursor.following.kind == "end"
        self._settings.append(Setting(role, database, ".".join(parts), cursor.string() if single else cursor.rest()))

    def _comment(self, cursor: Cursor) -> None:
        is_role = cursor.sql.split()[2].upper() == "ROLE"
        name = cursor.identifier()
        cursor.expect("IS")
        comment = None if cursor.take("NULL") else cursor.string()
        if is_role:
            self._roles[name] = replace(self._roles.get(name, Role(name)), comment=comment)
        else:
            self._tablespaces[name] = replace(self._tablespaces.get(name, Tablespace(name)), comment=comment)

    # ---- memberships and privileges

    def _grant(self, cursor: Cursor) -> None:
        statement = cursor.sql
        if cursor.following.is_word("TO"):
            self._membership(cursor)
            return
        while not cursor.take("ON"):
            if cursor.at_end:
                raise NotUnderstood("no ON")
            cursor.advance()
        kind = cursor.advance().text.upper()
        parts, _ = cursor.parts()
        self._grants.append(Grant(kind, ".".join(parts), statement))

    def _membership(self, cursor: Cursor) -> None:
        role = cursor.identifier()
        cursor.expect("TO")
        member = cursor.identifier()
        options: dict[str, bool] = {}
        if cursor.take("WITH"):
            while True:
                option = cursor.advance().text.lower()
                options[option] = not cursor.take("FALSE")
                if not (cursor.take("TRUE") or cursor.take("OPTION")) and options[option]:
                    raise NotUnderstood(option)
                if not cursor.take_text(","):
                    break
        grantor = cursor.identifier() if cursor.take("GRANTED", "BY") else None
        if not cursor.at_end:
            raise NotUnderstood("more than a membership")
        # dumpRoleMembership, since 16: always INHERIT, and SET only where it is FALSE
        may_set = options.get("set", True if "inherit" in options else None)
        self._memberships.append(Membership(role, member, options.get("admin", False), options.get("inherit"), may_set, grantor))

    # ---- tablespaces and databases

    def _create_tablespace(self, cursor: Cursor) -> None:
        name = cursor.identifier()
        owner = cursor.identifier() if cursor.take("OWNER") else None
        cursor.expect("LOCATION")
        self._tablespaces[name] = Tablespace(name, owner, cursor.string())

    def _alter_tablespace(self, cursor: Cursor) -> None:
        name = cursor.identifier()
        space = self._tablespaces.get(name, Tablespace(name))
        if cursor.take("OWNER", "TO"):
            self._tablespaces[name] = replace(space, owner=cursor.identifier())
        else:
            cursor.expect(*_SETTING)
            options = filter(None, (space.options, " ".join(cursor.group().split())))
            self._tablespaces[name] = replace(space, options=", ".join(options))

    def _create_database(self, cursor: Cursor) -> None:
        self._databases.append(cursor.identifier())

    def _alter_database(self, cursor: Cursor) -> None:
        name = cursor.identifier()
        if cursor.take("OWNER", "TO") or cursor.take("IS_TEMPLATE"):
            return
        self._setting(cursor, None, name)


def _behind(statement: str, key: str) -> Cursor:
    cursor = Cursor(statement)
    cursor.expect(*key.split())
    return cursor


def _with_attribute(role: Role, cursor: Cursor) -> Role:
    """Return *role* with the attribute that comes next. Raises NotUnderstood."""
    word = cursor.advance().text.upper()
    change: dict[str, Any]
    if attribute := _FLAGS.get(word.removeprefix("NO")):
        change = {attribute: not word.startswith("NO")}
    elif word == "CONNECTION":
        change = {"connection_limit": _connection_limit(cursor)}
    elif word == "VALID":
        cursor.expect("UNTIL")
        change = {"valid_until": cursor.string()}
    else:
        if word in ("ENCRYPTED", "UNENCRYPTED"):
            cursor.expect("PASSWORD")
        elif word != "PASSWORD":
            raise NotUnderstood(word)
        change = {"has_password": not cursor.take("NULL") and bool(cursor.string())}
    return replace(role, **change)


def _connection_limit(cursor: Cursor) -> int | None:
    cursor.expect("LIMIT")
    unlimited = cursor.take_text("-")
    limit = cursor.advance()
    if not limit.text.isdecimal():
        raise NotUnderstood("no number")
    return None if unlimited else int(limit.text)
