"""Incremental backups from the command line: encrypted, listed, verified, pruned, and healed, of a real database."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyrage
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SECRET = "the word that nobody may read"
TABLES = f"""
CREATE TABLE quiet AS SELECT i AS id, md5(i::text) AS body FROM generate_series(1, 3000) i;
CREATE TABLE busy AS SELECT i AS id, '{SECRET} ' || md5((i * 7)::text) AS body FROM generate_series(1, 3000) i;
"""


@pytest.fixture
def url(make_database: Callable[..., str]) -> str:
    made = make_database("inc_stores")
    run(made, TABLES)
    return made


def run(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())


def test_backups_are_encrypted_to_a_key_and_opened_by_it(url: str, pgaudit: Run, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"{identity}\n")
    key, with_key = str(identity.to_public()), ("--identity", str(tmp_path / "key.txt"))
    made = pgaudit("backup", url, "--incremental", "--encrypt-to", key, *with_key, "--json")
    assert made.returncode == 0, made.stdout + made.stderr
    assert "backup.chunks" in {check["id"] for check in json.loads(made.stdout)["checks"]}
    run(url, "DELETE FROM busy WHERE id > 10")
    assert pgaudit(*with_key, "backup", url, "--incremental", "--encrypt-to", key).returncode == 0
    files = [path for path in (tmp_path / "backups").rglob("*") if path.suffix in {".inc", ".pack", ".index"}]
    assert len(files) >= 6
    assert all(path.read_bytes().startswith(b"age-encryption.org/v1\n") for path in files)

    dump = json.loads(made.stdout)["backups"][0]["backup"]
    asked = pgaudit("query", dump, "SELECT count(*) AS n FROM busy", "--json", *with_key)
    assert asked.returncode == 0, asked.stderr
    assert "3000" in asked.stdout
    refused = pgaudit("query", dump, "SELECT count(*) AS n FROM busy")
    assert refused.returncode == 3
    assert "--identity" in refused.stderr

    restored = pgaudit("restore", dump, url, "--yes", *with_key)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM busy").fetchone() == (3000,)
    assert pgaudit("verify", dump, *with_key).returncode == 0
    assert pgaudit("verify", "--all", "--deep", *with_key).returncode == 0
    assert pgaudit("verify", "--all").returncode == 3
    told = pgaudit("prune", "--keep-last", "1", "--yes", "--grace", "0h")
    assert "not swept" in told.stdout
    assert told.returncode == 3
    pruned = pgaudit("prune", "--keep-last", "1", "--yes", "--grace", "0h", "--encrypt-to", key, *with_key)
    assert pruned.returncode == 0, pruned.stderr
    assert "freed" in pruned.stdout
    assert pgaudit("verify", "--all", *with_key).returncode == 0
    assert pgaudit("backup", url, "--incremental").returncode == 2
    assert pgaudit("backup", url, "--encrypt-to", key, *with_key).returncode == 2
    assert "an ordinary backup would not be" in pgaudit("backup", url).stderr
    assert pgaudit("list", "--identity").returncode == 2


def test_what_was_damaged_is_named_and_the_next_backup_heals_it(url: str, pgaudit: Run, tmp_path: Path) -> None:
    assert pgaudit("backup", url, "--incremental").returncode == 0
    time.sleep(1)
    run(url, "INSERT INTO busy SELECT 0, 'one more'")
    assert pgaudit("backup", url, "--incremental").returncode == 0
    listed = json.loads(pgaudit("list", "--json").stdout)["backups"]
    assert [b["own_chunks_bytes"] < b["shared_chunks_bytes"] for b in listed] == [True, True]
    assert " of " in pgaudit("list").stdout

    packs = sorted((tmp_path / "backups" / "packs").glob("*.pack"), key=lambda path: path.stat().st_size)
    content = bytearray(packs[-1].read_bytes())
    content[len(content) // 2] ^= 1
    packs[-1].write_bytes(content)
    verified = pgaudit("verify", "--all", "--json")
    assert verified.returncode == 1
    told = json.loads(verified.stdout)["backups"]
    assert next(c["outcome"] for c in told[0]["checks"] if c["id"] == "chunks.whole") == "failed"

    assert pgaudit("backup", url, "--incremental").returncode == 0
    healed = json.loads(pgaudit("verify", "--all", "--json").stdout)["backups"]
    assert [b["verdict"] for b in healed[1:]] == ["passed", "passed"]


def test_a_quiet_prune_says_nothing_of_packs_that_wait(url: str, pgaudit: Run, tmp_path: Path) -> None:
    for label, ids in (("one", "id <= 1500"), ("two", "id > 1500")):
        assert pgaudit("backup", url, "--incremental", "--store", "kept", "--label", label, "-t", "quiet").returncode == 0
        run(url, f"DELETE FROM quiet WHERE {ids}; INSERT INTO quiet SELECT i, md5(i::text || 'x') FROM generate_series(1, 3000) i")
    old = next((tmp_path / "kept").glob("*one*.inc"))
    old.unlink()
    old.with_suffix(".manifest.json").unlink()
    told = pgaudit("prune", "--store", "kept", "--keep-last", "1", "--yes")
    assert "of little or no use" in told.stdout
    quiet = pgaudit("prune", "--store", "kept", "--keep-last", "1", "--yes", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
