"""Every error this package raises on purpose: one base, one sentence each, no secret in any.

    PgAuditError                     exit 3: something could not be checked or done
    ├── UsageError                   exit 2: the caller asked for something that cannot be meant
    │   ├── TargetError              a target that names no database (missing .env, unset variable, bad URL)
    │   └── ParameterError           a report parameter that is unknown, of the wrong type, or a secret
    ├── DumpError                    a file, as a dump
    │   ├── DumpNotFound             exit 2: no such file, or not readable by this account
    │   ├── NotADump                 exit 2: readable, but no dump; says what it looks like
    │   ├── UnsupportedDump          a dump, in a form that this version does not read
    │   ├── DamagedDump              a dump that is cut short or broken; says where
    │   └── RowsNotAvailable         the source is fine but holds no rows of that table
    ├── ManifestError                exit 2: a manifest or saved snapshot that cannot be read
    ├── ServerError                  a live server
    │   ├── CannotConnect            unreachable, refused, wrong password, no such database
    │   └── QueryFailed              a catalog or row query that the server refused
    └── OperationError               something that changes a disk or a server
        ├── ProgramNotFound          exit 2: no pg_dump, pg_restore, psql, initdb … of a fitting version
        ├── ProgramFailed            it ran and failed; its own last words are in the message
        │   └── LoadFailed           loading a dump stopped; `party` says whose fault it is
        ├── BackupFailed             no backup was written
        ├── StoreFailed              a store of backups that cannot be reached, listed, read or written
        └── RestoreFailed            nothing was swapped; says what the state is and how to go on
            ├── BadBackup            exit 1: because the dump itself is bad, which is a finding
            └── OutcomeUnknown       the connection was lost over a COMMIT, and the server cannot be asked what became of it

The tree is the whole contract: `except PgAuditError` catches all of it.
"""

from __future__ import annotations

import os
import re
import traceback
from typing import Any, ClassVar

_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]*):[^\s/'\"]*@(?=[^\s@]*)", re.IGNORECASE)
_KEY_PASSWORD = re.compile(r"(\b(?:password|passwd|pgpassword|sslpassword)\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'\"]+)", re.IGNORECASE)
# of CREATE ROLE, and of OPTIONS (...) of user mappings and foreign servers
_SQL_PASSWORD = re.compile(r"(\b(?:password|passwd|sslpassword)\s+)E?'(?:[^'\\]|\\.|'')*'", re.IGNORECASE)
HIDDEN = "•••"
DEBUG = "PGAUDIT_DEBUG"
"""The environment variable with which whole tracebacks are shown, on the command line and in notebooks."""


def hide_secrets(text: str, *, secrets: tuple[str, ...] = ()) -> str:
    """Return *text* with every password hidden: those in URLs, in key=value form, in SQL (PASSWORD '…'), and the given *secrets*."""
    text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
    text = _KEY_PASSWORD.sub(rf"\1{HIDDEN}", text)
    text = _SQL_PASSWORD.sub(rf"\1'{HIDDEN}'", text)
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


class PgAuditError(Exception):
    """Base of all errors of this package.

    `message` says what is wrong, `remedy` what to do next; `str()` is both, on one line.
    The facts are attributes: `resource` (path, target label or program), and where it applies
    `offset` (byte in the file), `line` (1-based), `table`.
    """

    exit_code: ClassVar[int] = 3

    def __init__(
        self,
        message: str,
        *,
        resource: str = "",
        remedy: str = "",
        offset: int | None = None,
        line: int | None = None,
        table: str | None = None,
    ) -> None:
        self.message = hide_secrets(message)
        self.resource = hide_secrets(resource)
        self.remedy = hide_secrets(remedy)
        self.offset = offset
        self.line = line
        self.table = table
        super().__init__(self.message)

    def __str__(self) -> str:
        """One line: the resource when the message does not name it, the message, the remedy."""
        # as a word: a folder called "dir" is not named by "is a directory"
        named = not self.resource or re.search(rf"(?<!\w){re.escape(self.resource)}(?!\w)", self.message)
        message = self.message if named else f"{self.resource}: {self.message}"
        text = f"{message.rstrip('.')}. {self.remedy}" if self.remedy else message
        return " ".join(text.split())

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter show: what is wrong, what to do, where it was asked for. PGAUDIT_DEBUG=1 shows the whole traceback."""
        if os.environ.get(DEBUG):
            return hide_secrets("".join(traceback.format_exception(self))).splitlines()
        named = str(self).removesuffix(f". {self.remedy}")
        steps = traceback.extract_tb(self.__traceback__)
        asked = next(
            (step for step in reversed(steps) if "ipykernel_" in step.filename or step.filename.startswith("<ipython-input")), None
        )
        where = f"line {asked.lineno} of the cell: {' '.join((asked.line or '').split())}. " if asked else ""
        lines = [f"{type(self).__name__}: {named}", *([f"→ {self.remedy}"] if self.remedy else [])]
        return [*lines, hide_secrets(f"{where}(%env {DEBUG}=1 and %tb show the whole traceback)")]

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a process pool: rebuild from the attributes, not from the positional message."""
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(cls: type[PgAuditError], state: dict[str, Any]) -> PgAuditError:
    error = cls(state["message"])
    error.__dict__.update(state)
    return error


class UsageError(PgAuditError):
    """The caller asked for something that cannot be meant."""

    exit_code = 2


class TargetError(UsageError):
    """A target that names no database."""


class ParameterError(UsageError):
    """A report parameter that is unknown, of the wrong type, or a secret."""


class DumpError(PgAuditError):
    """Something about a file, as a dump."""


class DumpNotFound(DumpError):
    """No such file, or not readable by this account."""

    exit_code = 2


class NotADump(DumpError):
    """Readable, but no dump of PostgreSQL."""

    exit_code = 2


class UnsupportedDump(DumpError):
    """A dump, in a form that this version does not read."""


class DamagedDump(DumpError):
    """A dump that is cut short or broken."""


class RowsNotAvailable(DumpError):
    """The source holds no rows of that table (schema-only dump, manifest, INSERT data)."""


class ManifestError(PgAuditError):
    """A manifest or saved snapshot that cannot be read."""

    exit_code = 2


class ServerError(PgAuditError):
    """Something about a live server."""


class CannotConnect(ServerError):
    """Unreachable, refused, wrong password, or no such database."""


class QueryFailed(ServerError):
    """A query that the server refused."""


class OperationError(PgAuditError):
    """Something that was to change a disk or a server."""


class ProgramNotFound(OperationError):
    """No client program of a fitting version."""

    exit_code = 2


class ProgramFailed(OperationError):
    """A client program ran and failed."""


class LoadFailed(ProgramFailed):
    """A dump could not be loaded.

    `party`: whose fault it is (`restores.load_errors.Party`: backup, environment, versions, benign, interrupted, unknown);
    `sqlstate`: "" where the program does not say it; `object_name`: the TOC entry, table or line, "" when not known.
    """

    party: str = ""
    sqlstate: str = ""
    object_name: str = ""


class BackupFailed(OperationError):
    """No backup was written. `checks`: those that say why (records.verdict.Check), when it was refused before it began."""

    checks: tuple[Any, ...] = ()


class StoreFailed(OperationError):
    """A store of backups that cannot be reached, listed, read or written."""


class RestoreFailed(OperationError):
    """Nothing was swapped. `party` is that of the LoadFailed behind it, "" when there is none.

    `checks`: those that say why (records.verdict.Check), when it was refused before it began.
    """

    party: str = ""
    checks: tuple[Any, ...] = ()


class BadBackup(RestoreFailed):
    """Nothing was swapped, because the server refused what the dump itself says: its `party` is the backup."""

    exit_code = 1


class OutcomeUnknown(RestoreFailed):
    """The database is whole, old or new; which of them is not known."""
