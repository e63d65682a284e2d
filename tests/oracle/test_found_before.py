"""What PostgreSQL's own regression database showed to be read wrongly, each in its smallest form: a dump is the same as its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.postgres_versions import installation

SHAPES = {
    # 18: the constraint of one parent is NOT VALID, that of the other is valid; pg_dump prints nothing for the child
    "NOT NULL from two parents": """
        CREATE TABLE p (a int); ALTER TABLE p ADD CONSTRAINT nn NOT NULL a NOT VALID; CREATE TABLE q (a int NOT NULL);
        CREATE TABLE c () INHERITS (p, q); CREATE TABLE d () INHERITS (q, p); CREATE TABLE e () INHERITS (p)""",
    "comments on NOT NULL": """
        CREATE TABLE t (a int NOT NULL, b int CONSTRAINT mine NOT NULL);
        COMMENT ON CONSTRAINT t_a_not_null ON t IS 'a'; COMMENT ON CONSTRAINT mine ON t IS 'b';
        CREATE TABLE c (z int) INHERITS (t); COMMENT ON CONSTRAINT mine ON c IS 'inherited';
        CREATE DOMAIN d AS int NOT NULL; COMMENT ON CONSTRAINT d_not_null ON DOMAIN d IS 'd';
        CREATE DOMAIN e AS int CONSTRAINT "my n" NOT NULL; COMMENT ON CONSTRAINT "my n" ON DOMAIN e IS 'e'""",
    "privileges that an owner gave up": """
        CREATE TABLE t (a int); REVOKE SELECT ON t FROM postgres; CREATE TABLE u (a int); REVOKE SELECT, DELETE ON u FROM postgres;
        GRANT ALL ON u TO PUBLIC; CREATE TABLE v (a int); REVOKE ALL ON v FROM postgres""",
    "typed tables, empty or not": """
        CREATE TYPE r AS (a int, b text); CREATE TABLE t OF r; CREATE TABLE u OF r (b NOT NULL); INSERT INTO u VALUES (1, 'x')""",
    "nothing but generated columns": """
        CREATE TABLE t (g int GENERATED ALWAYS AS (1 + 1) STORED); INSERT INTO t DEFAULT VALUES""",
    "a statement in a name": """
        CREATE TABLE "INSERT INTO x VALUES (1);\n" (); INSERT INTO "INSERT INTO x VALUES (1);\n" DEFAULT VALUES""",
    "a schema that ends a header comment": """
        CREATE SCHEMA "; Type: TABLE; Schema: s; Owner: o"; CREATE TABLE "; Type: TABLE; Schema: s; Owner: o".t ()""",
    "a schema that looks like none": 'CREATE SCHEMA "-"; CREATE TABLE "-"."-" (a int); CREATE SEQUENCE "-".s',
    "an empty large object": "SELECT lo_from_bytea(0, '')",
}
PAIRS = [(15, 15), (15, 18), (18, 18)]  # server, pg_dump
CASES = [(shape, server, program) for shape in SHAPES for server, program in PAIRS if server >= 18 or "NOT NULL" not in shape]


@pytest.fixture
def make_url(server_of: Callable[[int], EmbeddedServer]) -> Iterator[Callable[[int, str], str]]:
    """Give a function that creates a database with a script in it on a server of a version."""
    made: list[str] = []

    def make(major: int, script: str) -> str:
        made.append(server_of(major).url())
        with psycopg.connect(made[-1], autocommit=True) as connection:
            connection.execute("CREATE DATABASE shape TEMPLATE template0")
        with psycopg.connect(server_of(major).url("shape"), autocommit=True) as connection:
            connection.execute(script.encode())
        return server_of(major).url("shape")

    yield make
    for url in made:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP DATABASE shape WITH (FORCE)")


@pytest.mark.parametrize(("shape", "major", "pg_dump"), CASES)
def test_a_dump_of_it_is_the_same_as_the_database(
    make_url: Callable[[int, str], str], tmp_path: Path, shape: str, major: int, pg_dump: int
) -> None:
    url = make_url(major, SHAPES[shape])
    program = installation(pg_dump, missing)
    best = program.compressions[-1]
    for dump_format, options in (("plain", ()), ("plain", ("--inserts",)), ("custom", ("--column-inserts",)), ("directory", ())):
        path = program.dump(url, tmp_path / f"{dump_format}{options}", *options, dump_format=dump_format, compression=best)
        with diff(str(path), url) as difference:
            assert [found for found in difference.object_differences if found.status != "equivalent"] == []
            assert [u for u in difference.unmodelled if u.kind != "BLOB"] == []
            assert difference.verdict == "same"
            assert difference.compared > 0
