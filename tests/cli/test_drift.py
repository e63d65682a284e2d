"""`pgaudit snapshot` and `pgaudit diff` as a nightly job uses them: what changed since, and what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Run

SETUP = """
CREATE TABLE users (id serial PRIMARY KEY, name text DEFAULT 'x');
CREATE TABLE logs (id integer);
COMMENT ON TABLE logs IS 'l';
INSERT INTO users (name) VALUES ('a'), ('b');
"""


@pytest.fixture
def saved(make_database: Callable[..., str], pgaudit: Run, tmp_path: Path) -> str:
    """The URL of a database whose snapshot is in app.json."""
    url = make_database()
    change(url, SETUP)
    assert pgaudit("snapshot", "env:APP", "-o", "app.json", APP=url).returncode == 0
    return url


def change(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def told(pgaudit: Run, url: str, *options: str) -> tuple[int, dict[str, object]]:
    done = pgaudit("diff", "app.json", "env:APP", "--json", *options, APP=url)
    return done.returncode, json.loads(done.stdout)


def test_a_saved_snapshot_is_the_same_until_something_changes_and_then_exactly_that_is_named(saved: str, pgaudit: Run) -> None:
    code, found = told(pgaudit, saved)
    assert (code, found["verdict"], found["objects"], found["tables"], found["skipped"]) == (0, "same", [], [], [])
    change(
        saved, "INSERT INTO users (name) VALUES ('c'); ALTER TABLE logs OWNER TO pg_monitor; ALTER TABLE users ALTER name SET DEFAULT 'y'"
    )
    code, found = told(pgaudit, saved)
    assert (code, found["verdict"]) == (1, "different")
    changes = {o["name"]: {c["attribute"]: (c["left"], c["right"]) for c in o["changes"]} for o in found["objects"]}  # type: ignore[attr-defined]
    assert changes == {
        "users_id_seq": {"last_value": ("2", "3")},
        "logs": {"owner": ("postgres", "pg_monitor")},
        "users": {"column name default": ("'x'::text", "'y'::text")},
    }
    assert [(t["name"], t["status"], t["rows_left"], t["rows_right"]) for t in found["tables"]] == [("users", "different", 2, 3)]  # type: ignore[attr-defined]
    # only what is asked for
    code, found = told(pgaudit, saved, "--schema-only", "--ignore", "owner,column-order")
    assert ([o["name"] for o in found["objects"]], code) == (["users"], 1)  # type: ignore[attr-defined]
    code, found = told(pgaudit, saved, "--schema-only", "--exclude", "users", "--ignore", "owner,acl,comment,tablespace,column-order")
    assert (found["objects"], code) == ([], 0)
    code, found = told(pgaudit, saved, "--data-only", "--include", "logs")
    assert (found["verdict"], found["compared"], code) == ("same", 1, 0)
    code, found = told(pgaudit, saved, "--include", "logs", "--include", "lgos", "--ignore", "owner")
    assert (found["verdict"], code) == ("not_checked", 3)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--schema-only", "--data-only"), "Choose one"),
        (("--ignore", "ownr"), "owner"),
        (("--include", "a("), "schema.name"),
        (("--exclude", 'a."b'), "schema.name"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_with_what_to_write(
    options: tuple[str, ...], says: str, pgaudit: Run, tmp_path: Path
) -> None:
    (tmp_path / "app.sql").write_text("--\n-- PostgreSQL database dump\n--\n\n--\n-- PostgreSQL database dump complete\n--\n")
    done = pgaudit("diff", "app.sql", "app.sql", *options)
    assert done.returncode == 2
    assert says in done.stderr
