"""What every new database has, and a dump therefore does not say: the schema public as initdb makes it, and no default privileges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import SQL, Composed, Identifier

_NO_LONGER_OPEN = 150_000  # from then on initdb gives it to pg_database_owner, and lets PUBLIC use it only
_OWNER = "pg_database_owner"
_STATE = """
SELECT pg_catalog.pg_get_userbyid(n.nspowner), coalesce(pg_catalog.obj_description(n.oid, 'pg_namespace'), ''),
       ARRAY(SELECT CASE a.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee) END || ' ' || a.privilege_type
               FROM pg_catalog.aclexplode(n.nspacl) a ORDER BY 1),
       ARRAY(SELECT DISTINCT pg_catalog.pg_get_userbyid(a.grantee) FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.grantee <> 0)
  FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public'"""
_DEFAULTS = """
SELECT pg_catalog.pg_get_userbyid(d.defaclrole), n.nspname, d.defaclobjtype::text,
       ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee) END
               FROM pg_catalog.aclexplode(d.defaclacl) a),
       ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee) END
               FROM pg_catalog.aclexplode(pg_catalog.acldefault(
                    CASE d.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE d.defaclobjtype END, d.defaclrole)) a)
  FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace"""
_DEFAULTS_OF: Mapping[str, LiteralString] = {
    "r": "TABLES",
    "S": "SEQUENCES",
    "f": "FUNCTIONS",
    "T": "TYPES",
    "n": "SCHEMAS",
    "L": "LARGE OBJECTS",
}
_PUBLIC = "the schema public as every new database has it"
_COMMENT = "standard public schema"


def make_as_new(connection: psycopg.Connection[Any], *, access: bool) -> tuple[str, ...]:
    """Make the emptied database so, in the open transaction; return what the role was not allowed to do.

    Without *access* default privileges stay, and owner and privileges of a schema public that is there: somebody chose them, and the dump
    tells none. Raises psycopg.Error.
    """
    return (*(_take_back_defaults(connection) if access else ()), *_renew_public(connection, access=access))


def _take_back_defaults(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    from psycopg.sql import SQL, Identifier

    refused = []
    for role, schema, letter, grantees, usual in connection.execute(_DEFAULTS).fetchall():
        head = SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} ").format(Identifier(role))
        head += SQL("IN SCHEMA {} ").format(Identifier(schema)) if schema else SQL("")
        kind = SQL(_DEFAULTS_OF[letter])
        statements = [head + SQL("REVOKE ALL ON {} FROM {}").format(kind, _grantee(name)) for name in grantees]
        if not schema:  # with what it would be without, the server forgets that there was anything else
            statements += [head + SQL("GRANT ALL ON {} TO {}").format(kind, _grantee(name)) for name in usual]
        refused.append(_try(connection, statements, f"no default privileges of {role}"))
    return tuple(filter(None, refused))


def _grantee(name: str) -> SQL | Identifier:
    from psycopg.sql import SQL, Identifier

    return Identifier(name) if name else SQL("PUBLIC")


def _renew_public(connection: psycopg.Connection[Any], *, access: bool) -> tuple[str, ...]:
    from psycopg.sql import SQL

    refused: list[str] = []
    found = connection.execute(_STATE).fetchone()
    if found is None:
        if problem := _try(connection, [SQL("CREATE SCHEMA public")], _PUBLIC):
            return (problem,)
        found = connection.execute(_STATE).fetchone()
        access = True
    owner, comment, granted, grantees = found or ("", "", [], [])
    if comment != _COMMENT:  # first: its owner may, who is another one afterwards
        refused.append(_try(connection, [SQL("COMMENT ON SCHEMA public IS {}").format(_COMMENT)], _PUBLIC))
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
        _PUBLIC,
    )


def _try(connection: psycopg.Connection[Any], statements: Sequence[SQL | Composed], what: str) -> str:
    """Run the *statements*, all or none; "" or, when the role may not, *what* is not so, and the server's words."""
    from psycopg.errors import InsufficientPrivilege

    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
    except InsufficientPrivilege as error:
        return f"{what} ({error.diag.message_primary})"
    return ""
