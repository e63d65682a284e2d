"""Rescues where event triggers of the live database watch what is DDL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.rescue import Rescue
from pgaudit_kit.operations.extracts.rescue import apply_rescue
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.cli.conftest import Run
from tests.cli.conftest import pgaudit as pgaudit  # noqa: PLC0414  the fixture
from tests.difference.dumping import pg_dump
from tests.difference.test_rescue import rows, run

_KEYED = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' FROM generate_series(1, 9) i"
_FIRED = "CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER same BEFORE INSERT ON t"
_WATCHED = f"{_KEYED}; {_FIRED} FOR EACH ROW EXECUTE FUNCTION same()"


@pytest.fixture(params=[15, 18])
def watched(request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer], tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A database that has lost rows, whose table has a trigger, on a server with and without the setting event_triggers; and its dump."""
    running = server_of(request.param)
    with psycopg.connect(running.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE watched TEMPLATE template0")
        run(running.url("watched"), _WATCHED)
        pg_dump(running, running.url("watched"), tmp_path / "before.dump", "-Fc")
        run(running.url("watched"), "DELETE FROM t WHERE id < 4")
        yield tmp_path / "before.dump", running.url("watched")
        connection.execute("DROP DATABASE watched WITH (FORCE)")


def test_an_event_trigger_that_logs_sees_what_the_script_makes_and_stops_nothing(watched: tuple[Path, str]) -> None:
    run(
        watched[1],
        """CREATE TABLE log (what text);
        CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.log SELECT tg_tag || ' ' || object_identity FROM pg_event_trigger_ddl_commands(); END $$;
        CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted()""",
    )
    with diff(*watched, data_only=True) as found:
        assert apply_rescue(watched[1], Rescue(found, ["t"]).script()) == 3
    seen = rows(watched[1], "SELECT DISTINCT what FROM log ORDER BY 1")
    assert seen == [("ALTER TABLE public.t",), *((f"CREATE TABLE AS pg_temp.pgaudit_{held}_1",) for held in ("changed", "lost"))]


@pytest.mark.parametrize("code", ["P0001", "42501"])
@pytest.mark.parametrize("of", ["ddl_command_start", "ddl_command_end WHEN TAG IN ('ALTER TABLE')"])
def test_an_event_trigger_that_refuses_is_named_with_the_way_past_it(watched: tuple[Path, str], of: str, code: str, pgaudit: Run) -> None:
    refusing = f"CREATE FUNCTION guard.refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE SQLSTATE ''{code}''; END'"
    run(watched[1], f'CREATE SCHEMA guard; {refusing}; CREATE EVENT TRIGGER "no DDL" ON {of} EXECUTE FUNCTION guard.refuse()')
    done = pgaudit("rescue", str(watched[0]), "env:APP", "t", "--apply", "--yes", APP=watched[1])
    assert done.returncode == 3
    assert 'nothing was changed: the event trigger "no DDL" stopped it' in done.stderr
    assert rows(watched[1], "SELECT count(*) FROM t") == [(6,)]
    setting = "PGOPTIONS='-c event_triggers=off'" in done.stderr
    assert setting == (rows(watched[1], "SELECT count(*) FROM pg_settings WHERE name = 'event_triggers'") == [(1,)])
    (statement,) = re.findall(r"ALTER EVENT TRIGGER [^)]* DISABLE", done.stderr)
    told = {"PGOPTIONS": "-c event_triggers=off"} if setting else {}
    if not told:
        run(watched[1], statement)
    done = pgaudit("rescue", str(watched[0]), "env:APP", "t", "--apply", "--yes", APP=watched[1], **told)
    assert (done.returncode, rows(watched[1], "SELECT count(*) FROM t")) == (0, [(9,)]), done.stderr
