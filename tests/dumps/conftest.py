"""Dumps of one awkward database, made by real pg_dump in every way that changes the bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

NASTY = Path(__file__).with_name("nasty.sql")
DATABASE = "nasty database"

# name → arguments of pg_dump, all written with -f
TO_FILE: Mapping[str, tuple[str, ...]] = {
    "plain": (),
    "plain-verbose": ("-v",),
    "plain-no-owner": ("-O", "-x"),
    "plain-clean-create": ("-C", "-c", "--if-exists"),
    "plain-gzip": ("-Z", "5"),
    "plain-inserts": ("--inserts",),
    "plain-column-inserts": ("--column-inserts",),
    "plain-rows-per-insert": ("--rows-per-insert=1000", "--on-conflict-do-nothing"),
    "plain-disable-triggers": ("-a", "--disable-triggers"),
    "plain-session-authorization": ("--use-set-session-authorization",),
    "plain-quote-all": ("--quote-all-identifiers",),
    "plain-latin1": ("-E", "LATIN1", "-t", "public.western"),
    "plain-sjis": ("-E", "SJIS", "-t", "public.japanese"),
    "plain-via-root": ("--load-via-partition-root",),
    "custom-gzip": ("-Fc",),
    "custom-none": ("-Fc", "-Z", "0"),
    "custom-inserts": ("-Fc", "--inserts"),
    "custom-column-inserts-none": ("-Fc", "-Z", "0", "--rows-per-insert=7", "--column-inserts"),
    "custom-sjis": ("-Fc", "-E", "SJIS", "-t", "public.japanese"),
    "custom-via-root": ("-Fc", "--load-via-partition-root"),
}


class NastyDatabase:
    """The database, and the programs that dump it."""

    def __init__(self, server: EmbeddedServer, folder: Path) -> None:
        self.url = server.url(DATABASE)
        self.folder = folder
        self._bin = server.bin_folder
        self._made: dict[str, Path] = {}
        self._rows: dict[tuple[str, str, tuple[str, ...]], bytes] = {}

    def dump(self, name: str) -> Path:
        """The dump of that name in TO_FILE, made once."""
        if name not in self._made:
            self._made[name] = self.folder / f"{name}.dump"  # the extension must not matter
            self.run("pg_dump", *TO_FILE[name], "-f", str(self._made[name]), "-d", self.url)
        return self._made[name]

    def piped(self) -> Path:
        """A custom archive that went through a pipe: its offsets are not set."""
        path = self.folder / "piped.dump"
        if not path.exists():
            path.write_bytes(self.run("pg_dump", "-Fc", "-d", self.url))
        return path

    def redirected(self) -> Path:
        """A custom archive that a shell redirected to a file: PostgreSQL 16 and later leave a second TOC behind the data."""
        path = self.folder / "redirected.dump"
        if not path.exists():
            with path.open("ab") as file:
                subprocess.run([self._bin / "pg_dump", "-Fc", "-d", self.url], stdout=file, check=True)
        return path

    def run(self, program: str, *arguments: str) -> bytes:
        return subprocess.run([self._bin / program, *arguments], check=True, capture_output=True).stdout

    def rows(self, schema: str, table: str, columns: tuple[str, ...]) -> bytes:
        """What the server itself gives for the table's rows, under pg_dump's settings."""
        if (schema, table, columns) in self._rows:
            return self._rows[schema, table, columns]
        listed = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, columns))
        query = psycopg.sql.SQL("COPY {}.{} {} TO STDOUT").format(
            psycopg.sql.Identifier(schema),
            psycopg.sql.Identifier(table),
            psycopg.sql.SQL("({})").format(listed) if columns else psycopg.sql.SQL(""),
        )
        with psycopg.connect(self.url) as connection:
            connection.execute("SET extra_float_digits = 3; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'")
            with connection.cursor().copy(query) as copy:
                rows = self._rows[schema, table, columns] = b"".join(bytes(block) for block in copy)
        return rows


@pytest.fixture(scope="session")
def nasty(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NastyDatabase]:
    """The awkward database; it lives as long as the session."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(psycopg.sql.Identifier(DATABASE)))
    with psycopg.connect(server.url(DATABASE), autocommit=True) as connection:
        connection.execute(NASTY.read_text(encoding="utf-8").encode())
        connection.execute("CREATE TABLE public.japanese (a text, b text)")
        connection.execute("""CREATE TABLE public.western (a text); INSERT INTO public.western VALUES ('Ünï'), (E'÷\\nß')""")
        connection.execute("INSERT INTO public.japanese VALUES ('表', 'ソ'), ('能', E'\\t表\\\\'), (E'\\n', '十')")
    yield NastyDatabase(server, tmp_path_factory.mktemp("dumps"))
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(DATABASE)))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    """Give a function that writes bytes to a file and returns its path."""

    def write(content: bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(content)
        return path

    return write
