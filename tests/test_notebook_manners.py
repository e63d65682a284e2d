"""What a person in a notebook meets: how objects show themselves, tables by name and by Tab, errors in three lines, silence."""

from __future__ import annotations

import inspect
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import pgaudit_kit as pk
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

TABLES = """
CREATE TABLE users (id integer PRIMARY KEY, email text, born date);
INSERT INTO users SELECT n, 'user' || n, date '2000-01-01' + n FROM generate_series(1, 20) n;
CREATE SCHEMA other; CREATE TABLE other.twice (id integer); CREATE TABLE twice (id integer); CREATE TABLE other.alone (id integer);
CREATE TABLE days (d date) PARTITION BY RANGE (d);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); INSERT INTO days VALUES ('2024-05-05');
"""
Made = dict[str, Any]


@pytest.fixture(scope="module")
def made(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One object of each class that a public function gives, by the name of the function."""
    store = tmp_path_factory.mktemp("manners")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE manners TEMPLATE template0")
        connection.execute("CREATE DATABASE manners_replaced TEMPLATE template0")
    url, replaced = server.url("manners"), server.url("manners_replaced")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES)
    backup = pk.backup(url, store=store)
    dump, live = pk.read_dump(backup.path), pk.snapshot(url)
    things: Made = {
        "backup": backup,
        "backups": pk.backups(store),
        "diff": pk.diff(dump, live),
        "explain": pk.explain("rows.count"),
        "export": pk.export(dump, store / "exported.dump"),
        "extract": pk.extract(dump, "users", csv=store / "users.csv"),
        "load_config": pk.load_config("none"),
        "load_manifest": pk.load_manifest(backup.path.with_suffix(".manifest.json")),
        "migrations": pk.migrations(dump),
        "prune": pk.prune(store, pk.Retention(last=1), dry_run=True),
        "query": pk.query("SELECT * FROM users", dump=dump),
        "read_dump": dump,
        "rehearse": pk.rehearse(backup.path, evidence=False),
        "restore_part": pk.restore_part(backup.path, replaced, tables=["users"], into_schema="part"),
        "restore": pk.restore(backup.path, replaced, confirm=lambda _: True, force=True),
        "rollback": pk.rollback(replaced, confirm=lambda _: True, force=True),
        "run_report": pk.run_report("explore", parameters={"dump": str(backup.path)}, output_folder=store / "reports"),
        "snapshot": pk.snapshot(url),
        "verify": pk.verify(dump),
        "verify_all": pk.verify_all(store),
    }
    yield things
    for opened in (live, things["snapshot"]):
        opened.close()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE manners WITH (FORCE)")
        connection.execute("DROP DATABASE manners_replaced WITH (FORCE)")


PUBLIC = sorted(name for name in pk.__all__ if not inspect.isclass(getattr(pk, name)))


@pytest.mark.parametrize("name", PUBLIC)
def test_what_a_public_function_gives_shows_itself_briefly_and_as_html(name: str, made: Made) -> None:
    assert name in made, f"pk.{name} is new: make one in the fixture of this file"
    thing = made[name]
    if isinstance(thing, pd.DataFrame):
        assert type(thing) is pd.DataFrame
        assert all(str(dtype) != "object" or column in {"dependencies", "attributes"} for column, dtype in thing.dtypes.items())
        return
    assert len(repr(thing)) < 300, repr(thing)
    assert "\n" not in repr(thing)
    assert " object at 0x" not in repr(thing)
    page = thing._repr_html_()
    assert "<table" in page or "<dl" in page or "pg-banner" in page
    assert "<script" not in page
    assert "http" not in page.replace("https://prisma", "")


def test_nothing_prints_by_itself(made: Made, capfd: pytest.CaptureFixture[str]) -> None:
    dump = made["read_dump"]
    for thing in made.values():
        repr(thing)
    dump.query("SELECT count(*) FROM users")
    pk.verify(dump)
    pk.diff(dump, dump)
    dump["users"].read()
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("kind", ["read_dump", "snapshot"])
def test_a_table_is_had_by_its_name_and_read_when_asked(kind: str, made: Made) -> None:
    source = made[kind]
    users = source["users"]
    assert repr(users) == f"<Table public.users of {source.label}: 3 columns; .head(), .read(), .iter()>"
    assert users.columns == ("id", "email", "born")
    assert users.types == {"id": "integer", "email": "text", "born": "date"}
    assert list(users.head(2)["id"]) == [1, 2]
    assert str(users.head().dtypes["id"]) == "Int32"
    assert len(users.read(where="id > 15", columns=["id"])) == 5
    assert [len(frame) for frame in users.iter(batch_rows=15)] == [15, 5]
    assert "user1" in users._repr_html_()
    assert len(source["days"].read()) == 1
    assert list(source["public.users"].read()["id"]) == list(users.read()["id"])


def test_the_frame_is_the_one_of_read_table(made: Made) -> None:
    dump = made["read_dump"]
    pd.testing.assert_frame_equal(dump["users"].read(), dump.read_table("users"))


@pytest.mark.parametrize("kind", ["read_dump", "snapshot"])
def test_tab_offers_the_tables_and_in_and_for_know_them(kind: str, made: Made) -> None:
    source = made[kind]
    offered = source._ipython_key_completions_()
    assert {"users", "public.users", "other.twice", "public.twice", "days"} <= set(offered)
    assert "twice" not in offered
    assert all(name in source for name in offered)
    assert "nobody" not in source
    assert "twice" not in source
    assert 7 not in source
    assert set(source) == {name for name in offered if "." in name}


@pytest.mark.parametrize("kind", ["read_dump", "snapshot"])
def test_a_name_that_two_schemas_have_is_refused_with_both(kind: str, made: Made) -> None:
    with pytest.raises(RowsNotAvailable) as caught:
        made[kind]["twice"]
    assert "twice is there more than once" in str(caught.value)
    assert "other.twice" in str(caught.value)
    assert "public.twice" in str(caught.value)
    with pytest.raises(RowsNotAvailable, match=r"public\.users"):
        made[kind]["user"]
    with pytest.raises(UsageError):
        made[kind][3]


def test_tab_in_ipython_itself_completes_the_key(made: Made) -> None:
    shell = InteractiveShell.instance()
    shell.user_ns["dump"] = made["read_dump"]
    try:
        with provisionalcompleter():
            found = [completion.text for completion in shell.Completer.completions('dump["use', 9)]
    finally:
        InteractiveShell.clear_instance()
    assert any("users" in word for word in found), found


def test_a_cluster_gives_its_databases_by_name(server: EmbeddedServer, made: Made, tmp_path: Path) -> None:
    path = tmp_path / "cluster.sql"
    command = [str(server.bin_folder / "pg_dumpall"), "-d", server.url(), "--no-role-passwords", "-f", str(path)]
    subprocess.run(command, check=True)
    cluster = pk.read_dump(path)
    assert "manners" in cluster
    assert "manners" in cluster._ipython_key_completions_()
    assert len(cluster["manners"]["users"].read()) == 20  # type: ignore[index]  # a Dump of databases gives Dumps
    with pytest.raises(UsageError, match="manners"):
        cluster["no such database"]


def _shown(code: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What IPython shows when a cell with *code* raises."""
    shell = InteractiveShell.instance()
    try:
        shell.run_cell(code, store_history=True)  # type: ignore[no-untyped-call]
        return str(capsys.readouterr().out + capsys.readouterr().err)
    finally:
        InteractiveShell.clear_instance()


def test_an_error_is_three_lines_in_a_notebook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("PGAUDIT_DEBUG", raising=False)
    code = "import pgaudit_kit as pk\npk.snapshot('postgresql://me:pw-of-mine@127.0.0.1:1/app')"
    shown = _shown(code, capsys)
    lines = [line for line in shown.splitlines() if line.strip()]
    assert len(lines) == 3, shown
    assert lines[0].startswith("CannotConnect: cannot connect to 127.0.0.1:1/app")
    assert lines[1].startswith("→ ")
    assert "pk.snapshot(" in lines[2]
    assert "%tb" in lines[2]
    assert "pw-of-mine" not in shown
    monkeypatch.setenv("PGAUDIT_DEBUG", "1")
    whole = _shown(code, capsys)
    assert "Traceback" in whole
    assert "pw-of-mine" not in whole
