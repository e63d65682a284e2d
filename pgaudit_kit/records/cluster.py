"""What belongs to no database but to the server: roles, memberships, tablespaces, settings and privileges. No password, ever."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgaudit_kit.records.objects import Unmodelled


@dataclass(frozen=True, slots=True)
class Role:
    """A role as pg_dumpall writes it (pg_dumpall.c, dumpRoles). None: not said, as the release knew no such attribute.

    `connection_limit` is None when there is none; `has_password` says that a password or its hash is set, and nothing more is kept.
    `valid_until` is the text of the script.
    """

    name: str
    superuser: bool | None = None
    inherit: bool | None = None
    create_role: bool | None = None
    create_db: bool | None = None
    login: bool | None = None
    replication: bool | None = None
    bypass_rls: bool | None = None
    connection_limit: int | None = None
    has_password: bool = False
    valid_until: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """`member` is a member of `role`. `inherit` and `set` are None before PostgreSQL 16, where the role itself decides."""

    role: str
    member: str
    admin: bool = False
    inherit: bool | None = None
    set: bool | None = None
    grantor: str | None = None


@dataclass(frozen=True, slots=True)
class Tablespace:
    """A tablespace; `options` as SQL, joined by `, `."""

    name: str
    owner: str | None = None
    location: str | None = None
    options: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a role, of a database (up to PostgreSQL 10 pg_dumpall writes these itself), or of one in the other."""

    role: str | None
    database: str | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A GRANT or REVOKE on something shared: `kind` is TABLESPACE, PARAMETER, DATABASE …; `statement` its SQL without semicolon."""

    kind: str
    name: str
    statement: str


@dataclass(frozen=True)
class ClusterObjects:
    """All that a cluster script says outside of its databases, in the order of the script."""

    roles: tuple[Role, ...] = ()
    memberships: tuple[Membership, ...] = ()
    tablespaces: tuple[Tablespace, ...] = ()
    settings: tuple[Setting, ...] = ()
    grants: tuple[Grant, ...] = ()
    databases: tuple[str, ...] = field(default=())  # those that it creates itself (up to PostgreSQL 10)
    unmodelled: tuple[Unmodelled, ...] = ()
