"""`pgaudit list`, `prune` and `verify --all`, over backups that `pgaudit backup` made."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def backed_up(make_database: Callable[..., str], pgaudit: Run, tmp_path: Path) -> Path:
    """A store with two backups of one database."""
    url = make_database("kept_in_store")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 10) i")
    for _ in range(2):
        done = pgaudit("backup", url)
        assert done.returncode == 0, done.stderr
    return tmp_path / "backups"


def damage(dump: Path) -> None:
    content = bytearray(dump.read_bytes())
    content[-1] ^= 1
    dump.write_bytes(content)


def test_a_store_is_listed_verified_and_pruned(backed_up: Path, pgaudit: Run) -> None:
    listed = pgaudit("list", "--keep-last", "1")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("kept_in_store-2") == 2
    assert "newest proven, last 1" in listed.stdout

    told = json.loads(pgaudit("list", "--store", str(backed_up), "--json").stdout)
    newest, oldest = told["backups"]
    assert newest["when"] >= oldest["when"]
    assert (newest["rows"], newest["format"], newest["verified"]["verdict"], newest["verdict"]) == (10, "custom", "passed", "passed")
    assert newest["target"].startswith("kept_in_store (")
    assert newest["seconds"] > 0
    assert told["strays"] == []

    verified = pgaudit("verify", "--all", "--deep", "--json")
    assert verified.returncode == 0, verified.stdout
    deep = json.loads(verified.stdout)
    assert [b["verdict"] for b in deep["backups"]] == ["passed", "passed"]
    assert "rows.fingerprint" in [c["id"] for c in deep["backups"][0]["checks"]]

    refused = pgaudit("prune", "--keep-last", "1", stdin=subprocess.DEVNULL)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert "delete" in refused.stdout
    dry = json.loads(pgaudit("prune", "--keep-last", "1", "--dry-run", "--json").stdout)
    assert [bool(f["kept_by"]) for f in dry["plan"]] == [True, False]
    assert dry["deleted"] == []
    assert len(list(backed_up.glob("*.dump"))) == 2
    done = pgaudit("prune", "--keep-last", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert "deleted 1 of 2 backups" in done.stdout
    assert sorted(p.name for p in backed_up.iterdir()) == sorted(
        newest["backup"].replace(".dump", s) for s in (".dump", ".manifest.json", ".verified.json")
    )


def test_a_damaged_backup_gives_exit_code_1_and_stays(backed_up: Path, pgaudit: Run) -> None:
    damaged = max(backed_up.glob("*.dump"))
    damage(damaged)
    done = pgaudit("verify", "--all")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[1].startswith(f"✗  {damaged.name}  dump.digest: ")
    assert lines[0].startswith("✓  ")
    assert "1 passed, 1 failed" in done.stdout
    listed = json.loads(pgaudit("list", "--json").stdout)["backups"][0]
    assert (listed["backup"], listed["verdict"], listed["verified"]["verdict"]) == (damaged.name, "failed", "failed")
    assert pgaudit("prune", "--keep-last", "1", "--yes").returncode == 0
    assert len(list(backed_up.glob("*.dump"))) == 2  # the damaged one for a person to look at, the other as the newest proven


def test_metrics_go_to_a_file_for_a_collector(backed_up: Path, pgaudit: Run, tmp_path: Path) -> None:
    printed = pgaudit("list", "--metrics")
    assert 'pgaudit_backup_verdict{store="backups",target="kept_in_store (' in printed.stdout
    assert pgaudit("list", "--metrics", "-o", "x.prom").stdout == ""
    assert "# TYPE pgaudit_backup_age_seconds gauge" in (tmp_path / "x.prom").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["list"], 2, "there is no store backups"),
        (["list", "--store", ".", "-o", "x"], 2, "--output is for --metrics"),
        (["list", "--store", ".", "--keep-within", "soon"], 2, "'soon' is no span of time"),
        (["list", "--store", ".", "--max-total-size", "5 apples"], 2, "'5 apples' is no size"),
        (["list", "--store", ".", "--timezone", "Nowhere/At_all"], 2, "is no time zone"),
        (["prune", "--store", "."], 2, "no rule says what to keep"),
        (["verify"], 2, "no DUMP given"),
        (["verify", "x.dump", "--all"], 2, "--all verifies a store"),
        (["verify", "x.dump", "--deep"], 2, "--deep is for --all"),
        (["verify", "--all", "--store", "."], 3, "no backup is there"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], code: int, words: str, pgaudit: Run) -> None:
    done = pgaudit(*arguments)
    assert done.returncode == code
    assert words in done.stdout + done.stderr


def test_an_empty_folder_has_no_backup(pgaudit: Run) -> None:
    done = pgaudit("list", "--store", ".")
    assert (done.returncode, done.stdout) == (0, "no backup in .\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
@pytest.mark.parametrize(("answer", "left"), [("no", 2), ("yes", 1)])
def test_a_person_is_asked(answer: str, left: int, backed_up: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()", "prune", "--keep-last", "1"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        stdout, stderr = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, stderr
    assert "Type yes to delete 1 of 2 backups" in stderr
    assert "no rule keeps it" in stdout
    assert len(list(backed_up.glob("*.dump"))) == left
