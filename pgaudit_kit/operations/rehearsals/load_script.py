r"""A plain script, run statement by statement: what fails is noted with its place, and the rest goes on.

psql would go on too, but after a COPY that failed it takes the rows for SQL, and obeys what begins with a backslash among them. Here no
command for psql is obeyed at all, and a script made with --create stays inside of the database that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile
from pgaudit_kit.dumps.scripts.script_pieces import Between, CopyData, MetaCommand, Statement
from pgaudit_kit.dumps.scripts.sql_script import ScriptSplitter
from pgaudit_kit.errors import OperationError, UsageError
from pgaudit_kit.operations.rehearsals.loaded import Loaded
from pgaudit_kit.operations.rehearsals.problems import Problem, is_interrupted, made_by, shown_statement, went_away
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_INSERT = re.compile(rb"INSERT\s+INTO\b", re.IGNORECASE)
# What --create and --clean write about the database itself, which here is another one
_OF_THE_DATABASE = re.compile(
    rb"(?:CREATE|ALTER|DROP)\s+DATABASE\b|(?:COMMENT|SECURITY\s+LABEL[^;]*?)\s+ON\s+DATABASE\b|(?:GRANT|REVOKE)\b[^;']*\sON\s+DATABASE\b",
    re.IGNORECASE,
)
_OF_DATABASE_OR_TABLESPACE = re.compile(_OF_THE_DATABASE.pattern + rb"|SET\s+default_tablespace\b", re.IGNORECASE)
_COPY = re.compile(rb"COPY\b", re.IGNORECASE)
_LEFT_OUT_COMMANDS = re.compile(rb"\\(?:restrict|unrestrict|connect|c|encoding)\b")
_BATCH_BYTES = 1 << 18
_SHOWN = 100


def load_script(dump: Dump, target: Target, *, tablespaces: bool = True) -> Loaded:
    """Run the plain script *dump* in the empty database of *target*; what failed is in the result.

    Without *tablespaces* all is put into the default one. Raises CannotConnect, DamagedDump, OperationError when the server went away.
    """
    if not isinstance(dump.file, DumpFile):
        raise UsageError("a script is one file", resource=dump.label)
    with connect(target, read_only=False, autocommit=True) as connection:
        return _ScriptLoad(dump.file, connection, tablespaces=tablespaces).run()


class _ScriptLoad:
    def __init__(self, file: DumpFile, connection: psycopg.Connection[Any], *, tablespaces: bool) -> None:
        self._file = file
        self._left_out = _OF_THE_DATABASE if tablespaces else _OF_DATABASE_OR_TABLESPACE
        self._cursor = connection.cursor()
        self._connection = connection
        self._problems: list[Problem] = []
        self._made: set[str] = set()
        self._tables_without: set[TableName] = set()
        self._statements = 0
        self._inserts: list[Statement] = []
        self._insert_bytes = 0
        self._crlf = False

    def run(self) -> Loaded:
        with self._file.open() as stream:
            copy: Statement | None = None
            for piece in _whole(ScriptSplitter(stream, runs=False)):
                if isinstance(piece, CopyData):
                    self._copy(copy, piece)
                    copy = None
                elif isinstance(piece, MetaCommand):
                    self._command(piece)
                elif isinstance(piece, Statement):
                    copy = self._see(piece)
                elif isinstance(piece, Between) and not self._statements:
                    self._crlf = self._crlf or b"\r\n" in piece.text
            self._send_inserts()
        return Loaded(tuple(self._problems), self._statements, frozenset(self._made), frozenset(self._tables_without), ("psycopg",))

    def _see(self, statement: Statement) -> Statement | None:
        """Run *statement*; return it when its rows come next, and it is to wait for them."""
        if _INSERT.match(statement.text):
            self._inserts.append(statement)
            self._insert_bytes += len(statement.text)
            if self._insert_bytes > _BATCH_BYTES:
                self._send_inserts()
            return None
        self._send_inserts()
        if parse_copy(statement.text.decode("latin-1")):
            return statement
        if _COPY.match(statement.text):  # pg_dump writes no other, and it could run a program or read a file where the server runs
            self._problems.append(Problem(statement.offset, _shown(statement), "only COPY … FROM stdin is carried out"))
        elif not self._left_out.match(statement.text):
            self._run(statement)
        return None

    def _run(self, statement: Statement) -> None:
        import psycopg

        self._statements += 1
        text = statement.text.replace(b"\r\n", b"\n") if self._crlf else statement.text
        try:
            self._cursor.execute(text)
        except psycopg.Error as error:
            self._note(statement, error)
            return
        if text[:6].upper() == b"CREATE" and (name := made_by(text[:2000].decode("utf-8", "replace"))):
            self._made.add(name)

    def _send_inserts(self) -> None:
        """Send the INSERTs that wait, as one; when one of them fails none was carried out, and they are sent one by one."""
        import psycopg

        waiting, self._inserts, self._insert_bytes = self._inserts, [], 0
        if len(waiting) > 1 and self._connection.info.transaction_status.name == "IDLE":
            try:
                self._cursor.execute(b"\n".join(statement.text for statement in waiting))
            except psycopg.Error:
                pass
            else:
                self._statements += len(waiting)
                return
        for statement in waiting:
            self._run(statement)

    def _copy(self, statement: Statement | None, rows: CopyData) -> None:
        import psycopg

        if statement is None:
            return
        self._statements += 1
        try:
            with self._cursor.copy(statement.text) as copy, self._file.open(rows.offset) as stream:
                left = rows.size_bytes
                while left and (block := stream.read(min(PIECE, left))):
                    copy.write(block)
                    left -= len(block)
        except psycopg.Error as error:
            self._note(statement, error)
            parsed = parse_copy(statement.text.decode("utf-8", "replace"))
            if parsed:
                self._tables_without.add(TableName(parsed.schema or "public", parsed.table))

    def _command(self, command: MetaCommand) -> None:
        self._send_inserts()
        if not _LEFT_OUT_COMMANDS.match(command.text):
            what = command.text[:_SHOWN].decode("utf-8", "replace").strip()
            self._problems.append(Problem(command.offset, f"line {command.line}: {what}", "no command of psql is carried out"))

    def _note(self, statement: Statement, error: psycopg.Error) -> None:
        import psycopg

        problem = Problem(statement.offset, _shown(statement), (error.diag.message_primary or str(error)).strip(), error.sqlstate)
        if self._connection.closed or is_interrupted(problem):
            raise went_away(f"at line {statement.line}: {problem.message}")
        if isinstance(error, psycopg.NotSupportedError) and error.sqlstate is None:
            remedy = "Rehearse a dump in another encoding (pg_dump --encoding=UTF8), or an archive."
            raise OperationError(f"line {statement.line} cannot be sent: {error}", resource="the script", remedy=remedy)
        self._problems.append(problem)
        if self._connection.info.transaction_status.name == "INERROR":
            self._cursor.execute("ROLLBACK")


def _shown(statement: Statement) -> str:
    return f"line {statement.line}: {shown_statement(statement.text[: 20 * _SHOWN].decode('utf-8', 'replace'))}"


def _whole(pieces: ScriptSplitter) -> Iterator[object]:
    """The pieces with the parts of a long INSERT put together again."""
    parts: list[Statement] = []
    for piece in pieces:
        if isinstance(piece, Statement) and (parts or not piece.ends):
            parts.append(piece)
            if piece.ends:
                yield Statement(b"".join(part.text for part in parts), parts[0].offset, parts[0].line)
                parts = []
        else:
            yield piece
