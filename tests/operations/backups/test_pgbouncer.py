"""A real PgBouncer in transaction mode between us and the server: it is told, whatever its URL looks like."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.programs.server_binaries import unprivileged_account
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.operations.conftest import APP

PORT = 5432  # as any server's: nothing but its answers tells what it is
CONFIGURATION = """
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_port = {port}
unix_socket_dir = {folder}
pool_mode = {mode}
auth_type = any
ignore_startup_parameters = extra_float_digits,options
logfile = {folder}/log
pidfile = {folder}/pid
{user}
"""


@pytest.fixture(params=["transaction", "session"])
def bouncer(request: pytest.FixtureRequest, server: EmbeddedServer) -> Iterator[Callable[[str], str]]:
    """Give a function that makes a database's URL one through PgBouncer."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        missing("pgbouncer")
    assert program
    behind = psycopg.conninfo.conninfo_to_dict(server.url())["host"]
    account = unprivileged_account()
    with TemporaryDirectory(dir="/tmp") as name:  # the path of a socket has to be short
        folder = Path(name)
        folder.chmod(0o777)
        user = f"user = {account.name}" if account else ""
        (folder / "ini").write_text(CONFIGURATION.format(server=behind, port=PORT, folder=folder, mode=request.param, user=user))
        with subprocess.Popen([program, "-q", str(folder / "ini")], stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 120
            while not (folder / f".s.PGSQL.{PORT}").exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield lambda database: f"postgresql://postgres@/{database}?host={folder}&port={PORT}"
            process.terminate()


def test_pgbouncer_is_told_and_the_backup_is_proven_all_the_same(
    bouncer: Callable[[str], str], make_app: Callable[..., str], store: Path
) -> None:
    direct = make_app("bounced", APP)
    through = bouncer("bounced")
    with snapshot(direct) as live, snapshot(through) as pooled:
        assert (live.is_pooled, pooled.is_pooled) == (False, True)
    made = backup(through, store=store)
    (told,) = [c for c in made.check_list if c.id == "backup.direct"]
    assert (told.outcome, made.verdict) == (Outcome.WARNED, Outcome.WARNED)
    assert "a pooler answers" in told.found
    assert "DIRECT_URL" in told.remedy
    assert made.to_dict()["rows"] == 2500
