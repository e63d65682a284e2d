"""Real dumps made by other people, rehearsed: each verdict is the true one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.operations.rehearsals.rehearse import rehearse
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome

PASSED = [
    *(f"plain/{name}-data.sql" for name in ("chinook", "netflix", "pagila", "periodic-table", "titanic")),
    *(f"archives/pg{how}-basic.dump" for how in ("15-gzip-copy", "15-none-copy", "16-gzip-copy", "16-none-copy")),
    *(f"archives/pg18-{how}-basic.dump" for how in ("gzip-copy", "lz4-copy", "none-copy", "none-insert", "zstd-copy")),
]
# Of the schema alone, or of a locale that this machine does not have
WARNED = [
    "archives/dvdrental-pg11.tar",
    "plain/danbooru-2026-03-17.sql",
    "plain/danbooru-2026-03-23.sql",
    "plain/panoptes-2022-pg11.sql",
    "plain/registry-2018.sql",
    "plain/registry-2026-pg13-restrict.sql",
    "plain/sanbase-2019-pg10.sql",
]
# Made with libraries and languages that no server here has, and what they lack
LACKING = {
    "plain/danbooru-2016-pg9.4.sql": "FUNCTION public.testprs_start(internal, integer)",
    "plain/danbooru-2018-pg9.6.sql": "FUNCTION public.testprs_start(internal, integer)",
    "plain/sanbase-2026-pg15.sql": "EXTENSION vector",
    "plain/sanbase-2026-pg17-restrict.sql": "EXTENSION vector",
    "archives/babelfish-pg15-directory": "rows of sys.babelfish_function_ext",
}
NOT_OF_THE_LOAD = ("objects.match", "rows.fingerprint", "rows.count")


@pytest.mark.parametrize("name", [*PASSED, *WARNED])
def test_what_restores_is_proven(server_of: Callable[[int], EmbeddedServer], corpus: Path, name: str) -> None:
    server = server_of(18)
    _make_roles(server, corpus / name)
    found = rehearse(corpus / name, server.url(), allow_same_server=True)
    assert found.verdict is (Outcome.PASSED if name in PASSED else Outcome.WARNED), found.checks.to_string()
    assert next(c for c in found.check_list if c.id == "objects.match").compared > 1


@pytest.mark.parametrize("name", LACKING)
def test_what_the_server_lacks_is_named_and_is_no_fault_of_the_dump(
    server_of: Callable[[int], EmbeddedServer], corpus: Path, name: str
) -> None:
    server = server_of(18)
    _make_roles(server, corpus / name)
    found = rehearse(corpus / name, server.url(), allow_same_server=True, skip_missing_extensions=True)
    assert found.verdict is Outcome.NOT_CHECKED, found.checks.to_string()
    assert LACKING[name] in found.left_out
    assert not [c for c in found.check_list if c.outcome is Outcome.FAILED]


def _make_roles(server: EmbeddedServer, path: Path) -> None:
    """On a server that is there roles are not made; in a throwaway one they would be, but each takes an initdb."""
    from pgaudit_kit.dumps.read_dump import read_dump
    from pgaudit_kit.operations.rehearsals.needs import needs_of

    dump = read_dump(path)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        there = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role in set(needs_of(dump, dump).roles) - there:
            connection.execute(psycopg.sql.SQL("CREATE ROLE {}").format(psycopg.sql.Identifier(role)))
