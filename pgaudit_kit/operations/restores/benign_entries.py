"""What a dump brings although every database has it from the beginning: made room for, or left out, so that it stops no restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_OWNED_BY_OWNER = 150_000  # from here on the owner of the database owns its schema public
_SUPERUSER = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"


def benign_entries(dump: Dump, connection: psycopg.Connection[Any]) -> tuple[TocEntry, ...]:
    """Return the entries of the archive *dump* that only a superuser could restore, and that change nothing: comments on what is there."""
    row = connection.execute(_SUPERUSER).fetchone()
    if row and row[0]:
        return ()
    tags = {"EXTENSION plpgsql"} | (set() if connection.info.server_version >= _OWNED_BY_OWNER else {"SCHEMA public"})
    return tuple(e for e in dump.toc_entries if e.desc == "COMMENT" and e.tag in tags)


def public_entry(dump: Dump) -> TocEntry | None:
    """Return the entry of the archive *dump* that creates the schema public (of pg_dump up to 10, and of --schema=public), if it does."""
    wanted = (e for e in dump.toc_entries if (e.desc, e.tag) == ("SCHEMA", "public"))
    return next((e for e in wanted if (e.definition or "").startswith("CREATE SCHEMA")), None)


def drop_schema_public(target: Target) -> bool:
    """Drop the schema public of the new, empty database of *target*, so that the dump can create its own; False when we may not."""
    from psycopg import errors

    with connect(target, read_only=False, autocommit=True) as connection:
        try:
            connection.execute("DROP SCHEMA IF EXISTS public")
        except (errors.InsufficientPrivilege, errors.DependentObjectsStillExist):
            return False
    return True


def entry_list(dump: Dump, left_out: tuple[TocEntry, ...]) -> str:
    """Return the text of a list for pg_restore --use-list: all entries of *dump* in their order, without those *left_out*."""
    without = {e.dump_id for e in left_out}
    return "".join(f"{e.dump_id};\n" for e in dump.toc_entries if e.dump_id is not None and e.dump_id not in without)
