"""The schema public as every new database has it: a dump says of it only what is otherwise, and relies on the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    from psycopg.sql import SQL, Composed

_NO_LONGER_OPEN = 150_000  # from then on initdb gives it to pg_database_owner, and lets PUBLIC use it only
_OWNER = "pg_database_owner"
_STATE = """
SELECT pg_catalog.pg_get_userbyid(n.nspowner), coalesce(pg_catalog.obj_description(n.oid, 'pg_namespace'), ''),
       ARRAY(SELECT CASE a.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee) END || ' ' || a.privilege_type
               FROM pg_catalog.aclexplode(n.nspacl) a ORDER BY 1),
       ARRAY(SELECT DISTINCT pg_catalog.pg_get_userbyid(a.grantee) FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.grantee <> 0)
  FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public'"""
_COMMENT = "standard public schema"


def renew_public(connection: psycopg.Connection[Any], *, access: bool) -> tuple[str, ...]:
    """Make the schema public as initdb made it, in the open transaction; return what the role was not allowed to do.

    *access*: its owner and privileges, too. Without, those of a schema that is there stay: somebody chose them, and the dump tells none.
    Raises psycopg.Error.
    """
    from psycopg.sql import SQL

    refused: list[str] = []
    found = connection.execute(_STATE).fetchone()
    if found is None:
        if problem := _try(connection, [SQL("CREATE SCHEMA public")]):
            return (problem,)
        found = connection.execute(_STATE).fetchone()
        access = True
    owner, comment, granted, grantees = found or ("", "", [], [])
    if comment != _COMMENT:  # first: its owner may, who is another one afterwards
        refused.append(_try(connection, [SQL("COMMENT ON SCHEMA public IS {}").format(_COMMENT)]))
    if access:
        refused.append(_give_back(connection, owner, granted, grantees))
    return tuple(filter(None, refused))


def _give_back(connection: psycopg.Connection[Any], owner: str, granted: Sequence[str], grantees: Sequence[str]) -> str:
    """Give it the owner and the privileges of a new one, if it has others."""
    from psycopg.sql import SQL, Identifier

    closed = connection.info.server_version >= _NO_LONGER_OPEN
    new_owner = _OWNER if closed else owner  # before 15 the superuser of initdb, whom every dump names
    everybody = ["USAGE"] if closed else ["CREATE", "USAGE"]
    as_made = sorted([*(f" {p}" for p in everybody), f"{new_owner} CREATE", f"{new_owner} USAGE"])
    if (owner, sorted(granted)) == (new_owner, as_made):
        return ""
    revoked = [SQL("REVOKE ALL ON SCHEMA public FROM {} CASCADE").format(Identifier(name)) for name in grantees]
    return _try(
        connection,
        [
            *revoked,
            SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC CASCADE"),
            SQL("GRANT ALL ON SCHEMA public TO {}").format(Identifier(owner)),
            SQL("GRANT {} ON SCHEMA public TO PUBLIC").format(SQL(", ").join(map(SQL, everybody))),
            *([SQL("ALTER SCHEMA public OWNER TO {}").format(Identifier(new_owner))] if new_owner != owner else []),
        ],
    )


def _try(connection: psycopg.Connection[Any], statements: Sequence[SQL | Composed]) -> str:
    """Run the *statements*, all or none; "" or, when the role may not, the last words of the server."""
    from psycopg.errors import InsufficientPrivilege

    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
    except InsufficientPrivilege as error:
        return f"the schema public as every new database has it ({error.diag.message_primary})"
    return ""
