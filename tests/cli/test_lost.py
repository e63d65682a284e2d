"""`pgaudit diff --rows` says what was lost before it lists rows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from pgaudit_kit.display.shares import percent
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.cli.conftest import Run
from tests.difference.test_rescue import before as before  # noqa: PLC0414  the fixture
from tests.difference.test_rescue import run


def test_what_was_lost_points_at_nothing_and_is_behind_is_printed_and_in_json(pgaudit: Run, before: tuple[Path, str]) -> None:
    dump, url = before
    run(url, "ALTER TABLE users DROP CONSTRAINT users_boss_fkey; SET session_replication_role = replica; DELETE FROM users WHERE id = 1")
    done = pgaudit("diff", str(dump), url, "--rows", "--data-only")
    assert done.returncode == 1
    lost, _, rest = done.stdout.partition("What was lost")[2].partition("Rows that point at nothing")
    title, columns, *lines = [line.split() for line in lost.strip().splitlines()]
    assert title == ["(2", "foreign", "keys", "and", "2", "columns", "fed", "by", "sequences", "looked", "at)"]
    assert columns[:3] == ["table", "lost", "of"]
    (users,) = [line for line in lines if line[0] == "public.users"]
    assert users[:3] == ["public.users", "11", "27.5%"]
    (messages,) = [line for line in lines if line[0] == "public.messages"]
    assert messages[:3] == ["public.messages", "600", "50.0%"]
    assert "at" in messages
    assert "users_boss_fkey" in rest.partition("Sequences behind")[0]
    assert "dropped" in rest
    assert "public.messages_id_seq" in rest.partition("Sequences behind")[2]
    plain = json.loads(pgaudit("diff", str(dump), url, "--rows", "--data-only", "--json").stdout)
    (users_entry,) = [entry for entry in plain["summary"] if entry["name"] == "users"]
    assert (users_entry["missing"], users_entry["missing_share"], users_entry["dangling"]) == (11, 0.275, 29)
    assert {entry["key"]: entry["rows"] for entry in plain["dangling"]} == {"users_boss_fkey": 29, "messages_author_fkey": 20}
    assert plain["looked_at"] == {"foreign_keys": 2, "sequences": 2}


def test_where_no_loss_is_known_no_table_of_mere_names_is_printed(
    pgaudit: Run, before: tuple[Path, str], server: EmbeddedServer, tmp_path: Path
) -> None:
    run(before[1], "SELECT setval('users_id_seq', 1000000), setval('messages_id_seq', 1000000)")
    definitions = tmp_path / "definitions.dump"
    subprocess.run([str(server.bin_folder / "pg_dump"), "-s", "-Fc", "-f", str(definitions), before[1]], check=True)
    done = pgaudit("diff", str(definitions), before[1], "--rows")
    assert done.returncode == 3
    assert "holds no rows of it" in " ".join(done.stdout.split())
    assert "What was lost" not in done.stdout


def test_a_share_that_is_neither_nothing_nor_all_is_not_rounded_to_it() -> None:
    assert [percent(s) for s in (0, 1, 0.25, 0.00001, 0.99999, None)] == ["0%", "100%", "25.0%", "<0.1%", ">99.9%", None]
