from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pgaudit_kit.cli.app import app
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

MakeDatabase = Callable[..., str]
TABLE = "CREATE TABLE t (id int PRIMARY KEY, word text); INSERT INTO t SELECT n, 'word ' || n FROM generate_series(1, 20) n;"


@pytest.fixture
def script(server: EmbeddedServer, make_database: MakeDatabase, tmp_path: Path) -> Path:
    url = make_database()
    subprocess.run([server.bin_folder / "psql", "-X", "-q", "-c", TABLE, "-d", url], check=True)
    path = tmp_path / "app.sql"
    subprocess.run([server.bin_folder / "pg_dump", "-f", str(path), "-d", url], check=True)
    return path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["rehearse", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_it_says_where_and_what_and_ends_with_the_verdict(script: Path, server: EmbeddedServer) -> None:
    code, out = run(str(script), "--server", server.url(), "--allow-same-server", "--amcheck")
    assert code == 0, out
    assert out.startswith(f"Server: PostgreSQL {server.version} at local/postgres; it was named")
    for check in ("rehearsal.load", "objects.match", "rows.fingerprint", "rehearsal.amcheck"):
        assert f"✓  {check}" in out
    assert "✓ passed app.sql was restored into" in out


def test_json_has_stable_keys(script: Path, server: EmbeddedServer) -> None:
    code, out = run(str(script), "--server", server.url(), "--allow-same-server", "--json")
    plain = json.loads(out)
    assert code == 0
    assert list(plain) == [
        *("verdict", "dump", "checks", "server", "why", "programs", "left_out", "settings_left_out", "seconds", "load_seconds"),
        *("proof_seconds", "restored_bytes", "megabytes_per_second", "evidence"),
    ]
    assert set(plain["checks"][0]) == {"id", "question", "outcome", "expected", "found", "compared", "remedy", "evidence"}


def test_a_dump_that_does_not_restore_ends_with_one_and_what_to_do(script: Path, server: EmbeddedServer) -> None:
    script.write_text(script.read_text().replace("20\tword 20\n", "20\tword 20\n20\tword 20 again\n"))
    code, out = run(str(script), "--server", server.url(), "--allow-same-server")
    assert code == 1
    assert "✗ failed" in out
    assert "could not create unique index" in out
    assert "→ A restore in earnest would stop there" in out


def test_an_older_server_ends_with_three(script: Path, server_of: Callable[[int], EmbeddedServer]) -> None:
    code, out = run(str(script), "--server", server_of(15).url(), "--allow-same-server")
    assert code == 3
    assert "rehearsal.server" in out


def test_the_server_that_it_may_come_from_is_wrong_usage(script: Path, server: EmbeddedServer) -> None:
    with pytest.raises(UsageError, match="allow-same-server") as refused:
        run(str(script), "--server", server.url())
    assert refused.value.exit_code == 2
