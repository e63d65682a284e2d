"""Values of every type that a server has: the same fingerprint from every format of dump, COPY or INSERT, and from the live table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.oracle.every_type import NEVER_READ, make_every_type
from tests.postgres_versions import FORMATS, Installation, installation

INSERTS = ("--inserts", "--column-inserts", "--rows-per-insert=7")


@dataclass(frozen=True)
class EveryType:
    url: str
    program: Installation
    values: dict[str, int]
    live: dict[TableName, Fingerprint]


@pytest.fixture(scope="module", params=[13, 15, 18])
def every_type(request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer]) -> Iterator[EveryType]:
    """A database with every type of that server, and the fingerprints of its live tables."""
    program = installation(request.param, missing)
    server = server_of(request.param)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE every_type TEMPLATE template0")
    url = server.url("every_type")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        values = make_every_type(connection, request.param)
    with snapshot(url) as taken:
        live = {name: taken.fingerprint(name) for name in taken.table_data}
    yield EveryType(url, program, values, live)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE every_type WITH (FORCE)")


def test_no_type_is_left_out(every_type: EveryType) -> None:
    assert {name for name, values in every_type.values.items() if not values} <= NEVER_READ
    assert len(every_type.values) > 60
    assert {name.name for name, fingerprint in every_type.live.items() if fingerprint.rows < 1} == {'Odd "table'}


@pytest.mark.parametrize("dump_format", FORMATS)
def test_every_format_has_the_fingerprints_of_the_live_tables(every_type: EveryType, tmp_path: Path, dump_format: str) -> None:
    dump = read_dump(every_type.program.dump(every_type.url, tmp_path / "d", "--no-sync", dump_format=dump_format))
    assert dump.fingerprints() == every_type.live


@pytest.mark.parametrize(
    ("dump_format", "option"), [("plain", INSERTS[0]), ("plain", INSERTS[1]), ("custom", INSERTS[2]), ("tar", INSERTS[0])]
)
def test_rows_written_as_inserts_have_them_too(every_type: EveryType, tmp_path: Path, dump_format: str, option: str) -> None:
    dump = read_dump(every_type.program.dump(every_type.url, tmp_path / "d", "--no-sync", option, dump_format=dump_format))
    assert {name: data.not_readable for name, data in dump.table_data.items() if data.not_readable} == {}
    found = dump.fingerprints()
    assert {name for name in every_type.live if found.get(name) != every_type.live[name]} == set()


def test_a_dump_under_other_settings_is_the_same_as_the_database(every_type: EveryType, tmp_path: Path) -> None:
    with psycopg.connect(every_type.url, autocommit=True) as connection:
        for setting in ("TimeZone = 'Asia/Kathmandu'", "bytea_output = escape", "quote_all_identifiers = on", "extra_float_digits = -3"):
            connection.execute(f"ALTER DATABASE every_type SET {setting}".encode())
    try:
        path = every_type.program.dump(every_type.url, tmp_path / "d", "--no-sync")
    finally:
        with psycopg.connect(every_type.url, autocommit=True) as connection:
            connection.execute("ALTER DATABASE every_type RESET ALL")
    with diff(path, every_type.url) as found:
        assert [(t.name.name, t.status, t.reason) for t in found.table_differences] == []
        assert [d for d in found.object_differences if d.status != "equivalent"] == []
        assert found.verdict == "same"
