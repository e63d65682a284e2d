"""Running a client program: it ends with us, its last words become the error, and no secret gets out."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pgaudit_kit.errors import ProgramFailed, hide_secrets
from pgaudit_kit.operations.programs.child_process import Stream, start, tied_argv
from pgaudit_kit.server.connection import CONFLICT, CONFLICT_REMEDY

_LAST_LINES = 12
_KEPT_BYTES = 1 << 20
_PATIENCE_SECONDS = 5
# Those of libpq that our own connections override (fe-connect.c, EnvironmentOptions), and what changes how a program prints
_SHAPES_SESSIONS = frozenset(
    {"PGTZ", "PGDATESTYLE", "PGCLIENTENCODING", "PGGEQO", "PG_COLOR", "PSQLRC", "LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"}
)


class RunningProgram:
    """A client program that was started; a context manager that ends it when the block is left early (Ctrl-C, an error).

    *environment* is added to ours, from which what shapes text or behaviour is taken out (`client_environment`).
    Raises ProgramFailed when it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.DEVNULL,
    ) -> None:
        self.name = Path(argv[0]).name
        whole = client_environment() | dict(environment)
        self._secrets = tuple(value for key, value in whole.items() if "PASSWORD" in key and value)
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as this object; __exit__ closes it
        try:
            self._process = start(
                tied_argv(argv, parting_signal=signal.SIGTERM),
                environment=whole,
                stdin=stdin,
                stdout=stdout,
                stderr=self._words,
            )
        except OSError as error:
            self._words.close()
            raise ProgramFailed(f"{self.name} could not be started: {error}", resource=argv[0], remedy="Reinstall it.") from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """Its standard input, when started with PIPE."""
        if self._process.stdin is None:
            raise ValueError("started without a pipe to its standard input")
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """Its standard output, when started with PIPE."""
        if self._process.stdout is None:
            raise ValueError("started without a pipe from its standard output")
        return self._process.stdout

    @property
    def words(self) -> str:
        """What it said on standard error, of a long text the last megabyte, without secrets."""
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - _KEPT_BYTES))
        return hide_secrets(self._words.read().decode("utf-8", "replace").strip(), secrets=self._secrets)

    @property
    def last_words(self) -> str:
        """The end of what it said on standard error, without secrets."""
        return "\n".join(self.words.splitlines()[-_LAST_LINES:])

    def end(self) -> int:
        """Wait until it ends; return its exit status."""
        return self._process.wait()

    def wait(self) -> None:
        """Wait until it ends. Raises ProgramFailed with its own last words when it failed."""
        self._process.wait()
        self.raise_if_failed()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def failed(self) -> bool:
        """Whether it has ended, and failed."""
        return bool(self._process.poll())

    def raise_if_failed(self) -> None:
        """Raise ProgramFailed with its own last words when it has ended and failed."""
        status = self._process.poll()
        if not status:
            return
        how = f"was ended by signal {-status}" if status < 0 else f"failed with exit status {status}"
        raise ProgramFailed(
            f"{self.name} {how}: {self.last_words or 'it said nothing'}", resource=self.name, remedy=_remedy(self.last_words)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # what it did not read before it ended
                    pipe.close()
        self._words.close()


def run_program(argv: Sequence[str], environment: Mapping[str, str], *, stdin: Stream = subprocess.DEVNULL) -> None:
    """Run a client program to its end. Raises ProgramFailed with its own last words when it fails."""
    with RunningProgram(argv, environment, stdin=stdin) as running:
        running.wait()


def client_environment() -> dict[str, str]:
    """Our environment without what would give a program's session other settings than ours has, and with untranslated messages.

    What helps to connect (PGPASSFILE, PGSSLROOTCERT, PGOPTIONS …) stays: libpq in this process obeys it just the same.
    """
    kept = {key: value for key, value in os.environ.items() if key not in _SHAPES_SESSIONS}
    return kept | {"LC_MESSAGES": "C", "PGAPPNAME": "pgaudit"}


def _remedy(words: str) -> str:
    if "SSL support is not compiled in" in words:
        return "This build has no TLS: install the PostgreSQL client programs of your system, or set PGBIN to their folder."
    if CONFLICT in words:
        return CONFLICT_REMEDY
    if "permission denied" in words:
        return "Give the role the right it lacks, or use the owner of the database."
    return "Its own words above say why."
