"""What a dump brings although every database has it from the beginning: made room for, or left out, so that it stops no restore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import LoadFailed
from pgaudit_kit.operations.restores.load_errors import Party
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_SCHEMA_EXISTS = "42P06"
_PUBLIC = "SCHEMA public"
_COMMENT = re.compile(rb"COMMENT ON (?:EXTENSION plpgsql|LANGUAGE plpgsql|SCHEMA public) IS '(?:[^']|'')*';\r?")
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


class RoomInScript:
    """What a plain script brings although every database has it: known by the failure of a load, and gone from the next one.

    `made`: what it was, for people. Only the very statement that failed is left out, and only a comment on what is there.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        self._lines: set[int] = set()

    def make(self, error: LoadFailed, target: Target) -> bool:
        """Make room for what *error* is about in the new database of *target*; False when there is no way, or it was made already."""
        if error.party != Party.BENIGN:
            return False
        if error.sqlstate == _SCHEMA_EXISTS:
            if _PUBLIC in self.made or not drop_schema_public(target):
                return False
            self.made.append(_PUBLIC)
            return True
        if error.line is None or error.line in self._lines:
            return False
        self._lines.add(error.line)
        self.made.append(f"the comment in line {error.line}")
        return True

    def without_lines(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield *blocks* of a script with an empty line for each comment that is left out."""
        return _blanked(blocks, sorted(self._lines)) if self._lines else blocks


def _blanked(blocks: Iterator[bytes], wanted: list[int]) -> Iterator[bytes]:
    number, rest = 1, b""
    for block in blocks:
        if not wanted:
            yield rest + block
            rest = b""
            continue
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield b"".join(b"\n" if _is_left_out(n, line, wanted) else line + b"\n" for n, line in enumerate(lines, number))
        number += len(lines)
        wanted = [n for n in wanted if n >= number]
    yield rest


def _is_left_out(number: int, line: bytes, wanted: list[int]) -> bool:
    return number in wanted and _COMMENT.fullmatch(line) is not None
