"""A script, run in a transaction of our own connection: it can be looked at from inside before it is committed."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.scripts.foreign_text import glimpse
from pgaudit_kit.dumps.scripts.safe_script import safe_pieces
from pgaudit_kit.dumps.scripts.script_pieces import Between, CopyData, Statement
from pgaudit_kit.dumps.scripts.sql_script import LONGEST_STATEMENT, Readable
from pgaudit_kit.errors import DamagedDump, LoadFailed, RestoreFailed, hide_secrets
from pgaudit_kit.operations.restores.load_errors import judge, stopped

if TYPE_CHECKING:
    import psycopg

_ENTRY = re.compile(rb"^-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*?);", re.MULTILINE)
_SETTING = re.compile(rb"SET\s+(\w+)\s*(?:=|TO\b)", re.IGNORECASE)
_INSERT = re.compile(rb"INSERT\s", re.IGNORECASE)
_SENT_TOGETHER = 500
_LONG_INSERT = 1 << 20
# What every database has from the beginning, and often another owner than who restores: it is tried, and the proof says if it matters
_OF_EVERY_DATABASE = re.compile(
    rb"CREATE SCHEMA public;|COMMENT ON (?:EXTENSION|SCHEMA public)\b|ALTER SCHEMA public OWNER\b|(?:GRANT|REVOKE) [^;]* ON SCHEMA public\b"
)
# What pg_restore leaves out with --no-owner --no-privileges
_OWNERS = re.compile(
    rb"(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES|SET SESSION AUTHORIZATION)\b|ALTER .* OWNER TO (?:\"(?:[^\"]|\"\")*\"|\w+);\s*\Z", re.DOTALL
)


def run_script(
    connection: psycopg.Connection[Any], script: Readable, *, resource: str, owners: bool = True, newer_dump: bool = False
) -> tuple[str, ...]:
    """Run *script* in the open transaction of *connection*, one statement at a time; return what was left out.

    That are settings which the server does not know, and what concerns schema public and extensions where the role may not do it or it
    is there. Without *owners*, owners and privileges are left out without a word. Each statement is sent by itself, so that the server,
    not this reader alone, sees to it that it is one. *newer_dump*: the server that was dumped is newer than this one.
    Raises LoadFailed (with party, line and object), RestoreFailed when the transaction ended
    on the way, UnsupportedDump, DamagedDump; the transaction is to be rolled back then.
    """
    run = _Run(connection, resource, owners=owners, newer_dump=newer_dump)
    with run.copying:
        for piece in safe_pieces(script, resource=resource, on_rows=run.rows, runs=False):
            if isinstance(piece, Between):
                run.see_comment(piece)
            elif isinstance(piece, CopyData):
                run.end_rows(piece)
            elif isinstance(piece, Statement):
                run.statement(piece)
        run.send_inserts()
    return tuple(dict.fromkeys(run.left_out))


class _Run:
    """The statements of a script on their way to the server."""

    def __init__(self, connection: psycopg.Connection[Any], resource: str, *, owners: bool, newer_dump: bool) -> None:
        self.left_out: list[str] = []
        self.copying = ExitStack()
        self._connection = connection
        self._cursor = connection.cursor()
        self._resource = resource
        self._owners = owners
        self._newer_dump = newer_dump
        self._entry = ""
        self._inserts: list[tuple[bytes, int]] = []
        self._copy: psycopg.Copy | None = None
        self._line = 1  # of the COPY that is open
        self._parts: list[bytes] = []
        self._known_settings = {"role": True}

    def see_comment(self, piece: Between) -> None:
        """Remember which object of the dump comes next."""
        for name, desc, schema in _ENTRY.findall(piece.text):
            dotted = name if schema == b"-" else schema + b"." + name
            self._entry = (desc + b" " + dotted).decode("utf-8", "replace")

    def rows(self, block: bytes) -> None:
        """Send rows of the COPY that is open."""
        copy = self._copy
        if copy is None:
            raise DamagedDump("rows without a COPY", resource=self._resource)
        self._send(lambda: copy.write(block), self._line)

    def end_rows(self, piece: CopyData) -> None:
        """End the COPY that is open."""
        self._copy = None
        self._send(self.copying.close, piece.line)

    def statement(self, piece: Statement) -> None:
        """Send a statement; an INSERT that comes in parts once it is whole."""
        self._parts.append(piece.text)
        if sum(map(len, self._parts)) > LONGEST_STATEMENT:
            raise DamagedDump("a statement that does not end", resource=self._resource, line=piece.line)
        if not piece.ends:
            return
        text = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        if self._is_unknown_setting(text) or (not self._owners and _OWNERS.match(text)):
            return
        self._line = piece.line
        if _INSERT.match(text):
            self._inserts.append((text, piece.line))
            if len(self._inserts) == _SENT_TOGETHER or len(text) > _LONG_INSERT:
                self.send_inserts()
            return
        self.send_inserts()
        if parse_copy(text.decode("latin-1")):
            self._send(lambda: self._begin_rows(text), piece.line)
        elif _OF_EVERY_DATABASE.match(text):
            self._send(lambda: self._try(text), piece.line)
        else:
            self._send(lambda: self._execute(text), piece.line)

    def send_inserts(self) -> None:
        """Send the INSERTs that wait, ahead of their answers; when one fails, one by one, to know which."""
        import psycopg

        inserts, self._inserts = self._inserts, []
        if not inserts:
            return
        try:
            with self._connection.transaction(), self._connection.pipeline() if _can_pipeline() else nullcontext():
                for text, _ in inserts:
                    self._execute(text)
        except psycopg.Error:
            for text, line in inserts:
                self._send(partial(self._execute, text), line)

    def _execute(self, text: bytes) -> None:
        self._cursor.execute(text, binary=True)  # with results in binary psycopg uses the protocol that takes one statement only

    def _begin_rows(self, text: bytes) -> None:
        self._copy = self.copying.enter_context(self._cursor.copy(text))

    def _try(self, text: bytes) -> None:
        from psycopg import errors

        try:
            with self._connection.transaction():
                self._execute(text)
        except (errors.InsufficientPrivilege, errors.DuplicateSchema) as error:
            self.left_out.append(f"{glimpse(text)} ({error.diag.message_primary})")

    def _is_unknown_setting(self, text: bytes) -> bool:
        match = _SETTING.match(text)
        if not match:
            return False
        name = match[1].decode("latin-1").lower()
        if name not in self._known_settings:
            found = self._connection.execute("SELECT pg_catalog.current_setting(%s, true)", [name]).fetchone()
            self._known_settings[name] = found != (None,)
        if not self._known_settings[name]:
            self.left_out.append(name)
        return not self._known_settings[name]

    def _send(self, send: Callable[[], object], line: int) -> None:
        import psycopg

        try:
            send()
        except psycopg.Error as error:
            raise self._refused(error, line) from None
        if self._connection.info.transaction_status not in (psycopg.pq.TransactionStatus.INTRANS, psycopg.pq.TransactionStatus.ACTIVE):
            what = f"line {line} of the script ended the transaction of the restore"
            raise RestoreFailed(what, resource=self._resource, remedy="Look at that line; pg_dump writes no such thing.")

    def _refused(self, error: psycopg.Error, line: int) -> LoadFailed:
        words = hide_secrets(" ".join((error.diag.message_primary or str(error)).split()))
        context = error.diag.context or ""
        copied = context.partition(":")[0] if context.startswith("COPY ") else ""  # behind it stands the value
        place = ", ".join(filter(None, [f"line {line} of the script", self._entry, copied]))
        found = judge(error.sqlstate or "", words, place=place, context=context, newer_dump=self._newer_dump)
        return stopped(replace(found, line=line), what=self._resource)


def _can_pipeline() -> bool:
    from psycopg import capabilities

    return capabilities.has_pipeline()
