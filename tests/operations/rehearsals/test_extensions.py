"""Extensions that the server lacks: the rehearsal stops, or leaves them out with all that depends on them, and names it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.operations.rehearsals.rehearsal import Rehearsal
from pgaudit_kit.operations.rehearsals.rehearse import rehearse
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Check, Outcome

# What the wheel has and the other server lacks (vector), and the reverse (pgcrypto)
VECTORS = """
CREATE SCHEMA ext;
CREATE EXTENSION vector WITH SCHEMA ext;
CREATE TABLE items (id int PRIMARY KEY, embedding ext.vector(3));
CREATE INDEX items_embedding ON items USING hnsw (embedding ext.vector_l2_ops);
CREATE VIEW near AS SELECT id FROM items ORDER BY embedding OPERATOR(ext.<->) '[1,2,3]' LIMIT 5;
CREATE FUNCTION far(v ext.vector) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE notes (id int PRIMARY KEY, item int REFERENCES items, text text NOT NULL);
CREATE INDEX notes_text ON notes (text);
INSERT INTO items VALUES (1, '[1,2,3]'), (2, '[4,5,6]');
INSERT INTO notes VALUES (1, 1, 'one'), (2, 2, 'two');
"""
TOKENS = """
CREATE EXTENSION pgcrypto;
CREATE TABLE tokens (id int PRIMARY KEY, token text DEFAULT encode(gen_random_bytes(8), 'hex'), note text);
INSERT INTO tokens (id, note) SELECT n, 'note ' || n FROM generate_series(1, 50) n;
"""


def check(found: Rehearsal, name: str) -> Check:
    return next(c for c in found.check_list if c.id == name)


@pytest.fixture
def full(server_of: Callable[[int], EmbeddedServer]) -> Iterator[EmbeddedServer]:
    """A server of 18 with contrib's extensions and no others."""
    server = server_of(18)
    yield server
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS tokens WITH (FORCE)")


@pytest.fixture
def vectors(server: EmbeddedServer, make_database: Callable[..., str]) -> str:
    url = make_database("vectors")
    with psycopg.connect(url) as connection:
        connection.execute(VECTORS.encode())
    return url


def dumped(server: EmbeddedServer, url: str, path: Path, *arguments: str) -> Path:
    subprocess.run([server.bin_folder / "pg_dump", *arguments, "-f", str(path), "-d", url], check=True)
    return path


@pytest.mark.parametrize("how", ["-Fc", "-Fd", "-Fp"])
def test_without_an_extension_nothing_is_restored_and_what_to_do_is_said(
    how: str, server: EmbeddedServer, full: EmbeddedServer, vectors: str, tmp_path: Path
) -> None:
    found = rehearse(dumped(server, vectors, tmp_path / "v", how), full.url(), allow_same_server=True)
    extensions = check(found, "rehearsal.extensions")
    assert (found.verdict, extensions.outcome) == (Outcome.NOT_CHECKED, Outcome.NOT_CHECKED)
    assert extensions.found == "the server lacks vector; nothing was restored"
    assert "pgvector" in extensions.remedy
    assert "--skip-missing-extensions" in extensions.remedy
    assert "rows.count" not in {c.id for c in found.check_list}


@pytest.mark.parametrize("how", ["-Fc", "-Fd", "-Ft", "-Fp"])
def test_what_depends_on_it_is_left_out_and_named_and_the_rest_is_proven(
    how: str, server: EmbeddedServer, full: EmbeddedServer, vectors: str, tmp_path: Path
) -> None:
    path = dumped(server, vectors, tmp_path / "v", how)
    found = rehearse(path, full.url(), allow_same_server=True, skip_missing_extensions=True)
    assert found.verdict is Outcome.NOT_CHECKED, "what was not looked at is never green"
    assert set(found.left_out) == {
        "EXTENSION vector",
        "TABLE public.items",
        "VIEW public.near",
        "FUNCTION public.far(v ext.vector)",
        "INDEX public.items_embedding on items",
        "CONSTRAINT public.items_pkey on items",
        "FK CONSTRAINT public.notes_item_fkey on notes",
        "rows of public.items",
    }
    others = [c for c in found.check_list if not c.id.startswith("rehearsal.")]
    assert {c.outcome for c in others} == {Outcome.PASSED}, found.checks.to_string()
    assert check(found, "rows.fingerprint").compared == 1
    assert check(found, "indexes.valid").compared > 0


@pytest.mark.parametrize("how", ["-Fc", "-Fp"])
def test_a_default_that_is_left_out_is_a_part_of_its_table_whose_rows_are_compared(how: str, full: EmbeddedServer, tmp_path: Path) -> None:
    with psycopg.connect(full.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE tokens TEMPLATE template0")
    with psycopg.connect(full.url("tokens")) as connection:
        connection.execute(TOKENS.encode())
    path = dumped(full, full.url("tokens"), tmp_path / "t", how)
    found = rehearse(path, "embedded", skip_missing_extensions=True)
    assert found.verdict is Outcome.NOT_CHECKED
    if how == "-Fc":  # there a default that depends on something is an entry of its own … or stands in CREATE TABLE
        assert "EXTENSION pgcrypto" in found.left_out
    others = [c for c in found.check_list if c.outcome is Outcome.FAILED]
    assert others == [], found.checks.to_string()


def test_what_the_dump_lacks_itself_is_not_blamed_on_the_extension(
    server: EmbeddedServer, full: EmbeddedServer, vectors: str, tmp_path: Path
) -> None:
    path = dumped(server, vectors, tmp_path / "v.sql", "-Fp")
    text = path.read_text()
    path.write_text(
        text.replace(
            "CREATE INDEX notes_text ON public.notes USING btree (text)", "CREATE INDEX notes_text ON public.notes USING btree (txt)"
        )
    )
    found = rehearse(path, full.url(), allow_same_server=True, skip_missing_extensions=True)
    assert found.verdict is Outcome.FAILED
    assert 'column "txt" does not exist' in check(found, "rehearsal.load").found
    assert "notes_text" in check(found, "objects.match").found
