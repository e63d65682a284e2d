"""`pgaudit backup`: an app's databases from its env files, options with pg_dump's words, JSON whose keys are documented."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from pgaudit_kit.records.manifest import load_manifest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KEYS = {
    *(
        "subject",
        "verdict",
        "checks",
        "skipped",
        "backup",
        "manifest",
        "globals",
        "format",
        "portable",
        "partial",
        "database",
        "size_bytes",
    ),
    *("tables", "rows", "program", "seconds"),
}


def fill(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 7)")
        connection.execute("CREATE TABLE log (line text); INSERT INTO log VALUES ('x')")
    return url


def test_production_and_local_are_backed_up_and_each_database_once(make_database: Callable[..., str], pgaudit: Run, tmp_path: Path) -> None:
    production, local = fill(make_database()), fill(make_database())
    for name, url in {".env": production, ".env.local": local, ".env.staging": production}.items():
        (tmp_path / name).write_text(f"DATABASE_URL='{url}&schema=public&connection_limit=1'\n", encoding="utf-8")
    done = pgaudit("backup", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [Path(b["backup"]).name.split("-")[1] for b in told["backups"]] == ["production", "local"]
    assert {frozenset(b) for b in told["backups"]} == {frozenset(KEYS)}
    assert (told["verdict"], told["errors"], len(told["checks"])) == ("passed", [], sum(len(b["checks"]) for b in told["backups"]))


def test_every_option_reaches_the_backup(make_database: Callable[..., str], pgaudit: Run, tmp_path: Path) -> None:
    url = fill(make_database())
    options = [
        "--format",
        "plain",
        "-Z",
        "zstd:3",
        "--full",
        "--globals",
        "--label",
        "nightly",
        "--exclude-table-data",
        "log",
        "-n",
        "public",
    ]
    done = pgaudit("backup", "env:APP", "--store", "kept", "--lock-timeout", "9", *options, "--json", APP=url)
    assert done.returncode == 0, done.stderr
    (made,) = json.loads(done.stdout)["backups"]
    assert (made["format"], made["portable"], made["rows"]) == ("plain, zstd:3", False, 7)
    assert made["partial"] == {"schema": "public", "exclude_table_data": "log"}
    assert Path(made["backup"]).name.endswith(".sql.zst")
    assert "-nightly-" in made["backup"]
    assert (tmp_path / made["globals"]).is_file()
    assert load_manifest(tmp_path / made["manifest"]).partial == made["partial"]
    said = pgaudit("verify", made["backup"])
    assert said.returncode == 0
    assert "It is partial: schema public; exclude table data log." in said.stdout


def test_what_is_refused_beforehand_is_in_the_json_with_its_remedy(make_database: Callable[..., str], pgaudit: Run) -> None:
    url = fill(make_database())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE nobody_much LOGIN")
    try:
        done = pgaudit("backup", "env:APP", "--json", APP=url.replace("postgres@", "nobody_much@"))
        told = json.loads(done.stdout)
        assert (done.returncode, told["verdict"], told["backups"]) == (3, "not_checked", [])
        (failed,) = [c for c in told["checks"] if c["outcome"] == "failed"]
        assert (failed["id"], failed["compared"]) == ("backup.readable", 2)
        assert "GRANT SELECT ON public.t TO nobody_much" in failed["remedy"]
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP ROLE nobody_much")


def test_options_that_do_not_go_together_are_wrong_usage(make_database: Callable[..., str], pgaudit: Run) -> None:
    url = make_database()
    for options in (["-j", "2"], ["-Z", "brotli"], ["-t", "a", "-n", "b"], ["-s", "--exclude-table-data", "x"], ["-n", "a.b"]):
        done = pgaudit("backup", "env:APP", *options, APP=url)
        assert done.returncode == 2, (options, done.stderr)
        assert done.stderr.startswith("pgaudit: ")


def test_an_env_file_that_names_no_database_of_postgresql_keeps_nobody_from_backing_up_the_others(
    make_database: Callable[..., str], pgaudit: Run, tmp_path: Path
) -> None:
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={fill(make_database())}\n")
    (tmp_path / ".env.staging").write_text("DATABASE_URL=mysql://u:hunter2@host/db\n")
    (tmp_path / ".env.test").write_bytes(b"\xff\xfe")
    done = pgaudit("backup", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"], len(told["backups"])) == (2, "not_checked", 1)
    assert ["mysql" in error for error in told["errors"]] == [True, False]
    assert ".env.test" in told["errors"][1]
    assert "hunter2" not in done.stdout + done.stderr


def test_a_store_that_ends_with_the_command_is_refused(pgaudit: Run) -> None:
    done = pgaudit("backup", "env:APP", "--store", "memory://here", APP="postgresql:///x")
    assert done.returncode == 2
    assert "gone when this command ends" in done.stderr


def test_an_env_file_with_its_url_under_another_key_is_named(pgaudit: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POSTGRES_URL=postgresql://u:hunter22@h/d\n", encoding="utf-8")
    done = pgaudit("backup")
    assert (done.returncode, done.stdout) == (2, "")
    assert "under DATABASE_URL. Name one: pgaudit backup dotenv:.env#POSTGRES_URL." in done.stderr
    assert "hunter22" not in done.stderr
