"""Real databases made by other people: loaded, dumped, and compared with where the dump came from. Nothing may differ."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.difference import ObjectDifference

WITH_ROWS = [
    "plain/chinook-data.sql",
    "plain/netflix-data.sql",
    "plain/pagila-data.sql",
    "plain/periodic-table-data.sql",
    "plain/titanic-data.sql",
    "archives/dvdrental-pg11.tar",
]
SMALL_ARCHIVES = [
    *(f"archives/pg{major}-{how}-copy-basic.dump" for major, how in ((15, "gzip"), (15, "none"), (16, "gzip"), (16, "none"))),
    *(f"archives/pg18-{how}-basic.dump" for how in ("gzip-copy", "lz4-copy", "none-copy", "none-insert", "zstd-copy")),
]
# Of what these are made of: extensions and libraries that a bare server lacks; what needs them is missing in the database
SCHEMAS = {
    "plain/danbooru-2016-pg9.4.sql": "testprs|testparser|danbooru",
    "plain/danbooru-2018-pg9.6.sql": "testprs|testparser|danbooru",
    "plain/danbooru-2026-03-17.sql": "",
    "plain/danbooru-2026-03-23.sql": "",
    "plain/panoptes-2022-pg11.sql": "",
    "plain/registry-2018.sql": "",
    "plain/registry-2026-pg13-restrict.sql": "",
    "plain/sanbase-2019-pg10.sql": "",
    "plain/sanbase-2026-pg15.sql": "vector|academy_article_chunks|faq_entries|faq_entities|posts_embeddings",
    "plain/sanbase-2026-pg17-restrict.sql": "vector|academy_article_chunks|faq_entries|faq_entities|posts_embeddings",
}
NOT_LOADED = "archives/babelfish-pg15-directory"  # needs the language and the types of another server
_ROLE = re.compile(rb"\b(?:OWNER TO|TO|FROM|FOR ROLE) (\w+)(?:;$| )", re.MULTILINE)


@pytest.fixture
def full_server(server_of: Callable[[int], EmbeddedServer]) -> EmbeddedServer:
    """One with contrib's extensions and every compression."""
    return server_of(18)


@pytest.fixture
def make_full(full_server: EmbeddedServer) -> Iterator[Callable[[], str]]:
    """Give a function that makes the one empty database of a test on that server."""

    def make() -> str:
        with psycopg.connect(full_server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE corpus TEMPLATE template0")
        return full_server.url("corpus")

    yield make
    with psycopg.connect(full_server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS corpus WITH (FORCE)")


@pytest.fixture
def make_roles(full_server: EmbeddedServer) -> Iterator[Callable[[bytes], None]]:
    """Give a function that makes the roles that a script gives things to; they are dropped again, after the databases."""
    made: list[sql.Identifier] = []

    def make(script: bytes) -> None:
        with psycopg.connect(full_server.url(), autocommit=True) as connection:
            there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
            for role in {name.decode() for name in _ROLE.findall(script)} - there - {"PUBLIC", "stdin"}:
                made.append(sql.Identifier(role))
                connection.execute(sql.SQL("CREATE ROLE {}").format(made[-1]))

    yield make
    with psycopg.connect(full_server.url(), autocommit=True) as connection:
        for role in made:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def _load(server: EmbeddedServer, file: Path, url: str, *, stop: bool = True) -> list[str]:
    """Load a dump and return what went wrong, which must be nothing when it is to *stop* there."""
    if file.is_dir() or file.suffix in (".tar", ".dump"):
        command = ["pg_restore", *(["--exit-on-error"] if stop else []), "--no-owner", "-d", url, str(file)]
    else:
        command = ["psql", "-X", "-q", "-v", f"ON_ERROR_STOP={int(stop)}", "-o", "/dev/null", "-f", str(file), url]
    done = subprocess.run([str(server.bin_folder / command[0]), *command[1:]], check=stop, capture_output=True, text=True)
    return [line for line in done.stderr.splitlines() if "ERROR" in line]


def _not_equivalent(found: tuple[ObjectDifference, ...]) -> list[ObjectDifference]:
    return [difference for difference in found if difference.status != "equivalent"]


@pytest.mark.parametrize("name", WITH_ROWS)
def test_a_dump_of_a_real_database_is_the_same_as_that_database(
    server: EmbeddedServer, corpus: Path, make_database: Callable[..., str], tmp_path: Path, name: str
) -> None:
    url = make_database()
    _load(server, corpus / name, url)
    for dump_format in ("plain", "custom", "directory", "tar"):
        file = tmp_path / dump_format
        subprocess.run([str(server.bin_folder / "pg_dump"), f"--format={dump_format}", "-f", str(file), url], check=True)
        with diff(str(file), url) as difference:
            assert difference.object_differences == ()
            assert difference.table_differences == ()
            assert difference.unmodelled == ()
            assert difference.verdict == "same"
            rows = sum(t.rows_left or 0 for t in difference.all_tables)
            assert rows > 100, "a comparison of next to nothing proves next to nothing"
            assert difference.compared > len(difference.all_tables)
    _must_be_the_same(corpus / name, url)


def _must_be_the_same(dump: Path, url: str) -> None:
    """Hold a dump that somebody else made against what it was restored to."""
    with diff(str(dump), url) as difference:
        assert _not_equivalent(difference.object_differences) == []
        assert difference.table_differences == ()
        assert difference.verdict == "same"
        assert sum(t.rows_left or 0 for t in difference.all_tables) > 0


@pytest.mark.parametrize("name", SMALL_ARCHIVES)
def test_a_small_archive_is_the_same_as_what_it_restores_to(
    full_server: EmbeddedServer, corpus: Path, make_full: Callable[[], str], name: str
) -> None:
    url = make_full()
    _load(full_server, corpus / name, url)
    _must_be_the_same(corpus / name, url)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_that_somebody_else_dumped_is_the_same_as_what_it_restores_to(
    full_server: EmbeddedServer,
    corpus: Path,
    make_roles: Callable[[bytes], None],
    make_full: Callable[[], str],
    tmp_path: Path,
    name: str,
) -> None:
    make_roles((corpus / name).read_bytes())
    url = make_full()
    not_loaded = _load(full_server, corpus / name, url, stop=False)
    assert bool(not_loaded) == bool(SCHEMAS[name]), "what a bare server lacks is known"
    file = tmp_path / "custom"
    subprocess.run([str(full_server.bin_folder / "pg_dump"), "--format=custom", "-f", str(file), url], check=True)
    with diff(str(file), url) as difference:
        assert difference.object_differences == ()
        assert difference.table_differences == ()
        assert difference.unmodelled == ()
        assert difference.verdict == "same"
        assert difference.compared > 200
    with diff(str(corpus / name), url, schema_only=True) as difference:
        different = _not_equivalent(difference.object_differences)
        assert [d for d in different if not (SCHEMAS[name] and re.search(SCHEMAS[name], str(d.key)))] == []
        assert {c.attribute for d in different for c in d.changes} <= {"owned_by"}, "what is there is what the dump says"
        assert difference.compared > 180


def test_every_plain_file_and_every_archive_is_loaded_by_one_of_these(corpus: Path) -> None:
    held = {f"{folder}/{file.name}" for folder in ("plain", "archives") for file in (corpus / folder).iterdir()}
    assert held - {*WITH_ROWS, *SMALL_ARCHIVES, *SCHEMAS} == {NOT_LOADED}


def test_what_a_server_of_another_dialect_dumped_is_read_whole_and_its_loss_is_named(
    full_server: EmbeddedServer, corpus: Path, make_full: Callable[[], str]
) -> None:
    """All but the schemas names Babelfish's language or its types, which no other server has: so all of that is missing there."""
    folder = corpus / NOT_LOADED
    url = make_full()
    assert _load(full_server, folder, url, stop=False)
    dump = read_dump(folder)
    of_database = {"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES", "BABELFISHGUCS"}
    listed = {(e.desc, e.schema) for e in dump.toc_entries if e.desc not in of_database | {"ACL", "TABLE DATA"}}
    assert listed <= {(o.key.kind, o.key.schema) for o in dump.inventory.objects}
    with diff(dump, url, schema_only=True) as difference:
        assert difference.unmodelled == ()
        missing = Counter(d.key.kind for d in difference.object_differences if d.status == "only_left")
        assert missing == Counter(o.key.kind for o in dump.inventory.objects if o.key.kind != "SCHEMA")
        changed = [d for d in difference.object_differences if d.status == "changed"]
        assert {(d.key.kind, *(c.attribute for c in d.changes)) for d in changed} == {("SCHEMA", "owner")}
