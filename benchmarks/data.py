"""The databases that the benchmarks read, and dumps of them: generated once by a real server, the same rows every time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

import psycopg

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

# What a row holds follows from its number alone, so that every machine gets the same rows. Texts are put together from
# 4,096 phrases; some hold what COPY and INSERT have to escape.
PHRASES = r"""
CREATE FUNCTION pick(i bigint, seed bigint, n integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((hashint8extended(i, seed) % n + n) % n)::integer;
CREATE TABLE phrases AS
    WITH words AS (
        SELECT string_to_array(E'the of and to in is that it was for on are as with his they at be this from have or by one had '
            'not but what all were when we there can an your which their said if do will each about how up out them then she many '
            'some so these would other into has more her two like him see time could no make than first been its who now people '
            'my made over did down only way find use may water long little very after it''s doesn''t "quoted" C:\\temp naïve '
            '日本語 Straße\ttab line\nend 100% a;b (c) -- {x} café', ' ') AS w
    )
    SELECT p AS id, string_agg(w[1 + pick(p * 100 + k, 7, cardinality(w))], ' ' ORDER BY k) AS text
    FROM words, generate_series(0, 4095) p, generate_series(1, 10) k GROUP BY p;
ALTER TABLE phrases ADD PRIMARY KEY (id);
ANALYZE phrases;
"""
# table → its columns, and the rows in numbers of {n}; together 3,000,000 rows give a plain dump of 1.04 GB
TABLES: Mapping[str, tuple[str, str]] = {
    "users": (
        """id bigint PRIMARY KEY, public_id uuid NOT NULL, email text NOT NULL, name text, active boolean NOT NULL,
            balance numeric(12,2), born date, created_at timestamp with time zone NOT NULL, profile jsonb""",
        """SELECT i, md5('u' || i)::uuid, 'user' || i || '@example.org', CASE WHEN i % 11 <> 0 THEN p.text END, i % 3 <> 0,
            (pick(i, 1, 10000000) - 2000000) / 100.0, date '1940-01-01' + pick(i, 2, 25000),
            timestamptz '2019-01-01 00:00:00+00' + pick(i, 3, 2000000000) * interval '0.1 second',
            CASE WHEN i % 5 <> 0 THEN jsonb_build_object('lang', 'de', 'visits', pick(i, 4, 1000), 'about', p.text) END
        FROM generate_series(1, {n} / 6) i JOIN phrases p ON p.id = pick(i, 5, 4096)""",
    ),
    "messages": (
        """id bigint PRIMARY KEY, user_id integer NOT NULL, thread uuid, subject text, body text NOT NULL,
            sent_at timestamp without time zone, read boolean, score numeric""",
        """SELECT i, 1 + pick(i, 1, 1 + {n} / 6), md5('m' || i / 20)::uuid, 'Re: ' || left(p.text, 40),
            p.text || ' ' || q.text || E'\n' || r.text || ' ' || p.text, timestamp '2020-01-01' + i * interval '7.31 second',
            CASE WHEN i % 7 <> 0 THEN i % 2 = 0 END, pick(i, 2, 1000000) / 1000.0
        FROM generate_series(1, {n} / 2) i JOIN phrases p ON p.id = pick(i, 5, 4096) JOIN phrases q ON q.id = pick(i, 6, 4096)
            JOIN phrases r ON r.id = pick(i, 8, 4096)""",
    ),
    "events": (
        """id bigint PRIMARY KEY, user_id integer, kind character varying(20), at timestamp with time zone, amount numeric(14,4),
            ok boolean, trace uuid, payload json""",
        """SELECT i, NULLIF(pick(i, 1, 1 + {n} / 6), 0), (ARRAY['login', 'logout', 'purchase', 'refund', 'page view'])[1 + pick(i, 2, 5)],
            timestamptz '2021-01-01 00:00:00+00' + i * interval '3.7 second', pick(i, 3, 1000000000) / 10000.0, i % 13 <> 0,
            md5('e' || i)::uuid, json_build_object('path', '/' || replace(left(p.text, 30), ' ', '/'), 'ms', pick(i, 4, 100000),
            'tags', ARRAY['a' || pick(i, 8, 50), 'b'], 'note', p.text)
        FROM generate_series(1, {n} * 3 / 10) i JOIN phrases p ON p.id = pick(i, 5, 4096)""",
    ),
    "documents": (
        "id integer PRIMARY KEY, title text, content text, size bigint, digest bytea, saved_at timestamp with time zone",
        r"""SELECT i, left(p.text, 50), string_agg(q.text, E'\n' ORDER BY k), pick(i, 2, 10000000)::bigint * 1000, sha256(i::text::bytea),
            timestamptz '2018-01-01 00:00:00+00' + i * interval '1 hour'
        FROM generate_series(1, {n} / 30) i JOIN phrases p ON p.id = pick(i, 5, 4096) CROSS JOIN generate_series(1, 40) k
            JOIN phrases q ON q.id = pick(i * 40 + k, 6, 4096) GROUP BY i, p.text ORDER BY i""",
    ),
}
# 8 columns of 8 types, for typed frames; no line ends in values, which pandas does not read with pyarrow
PEOPLE = (
    """id bigint, name text, born date, active boolean, score numeric(10,2), ratio double precision, seen timestamp with time zone,
        parent integer""",
    r"""SELECT i, CASE WHEN i % 11 <> 0 THEN replace(p.text, E'\n', ' ') END, date '1940-01-01' + pick(i, 2, 25000), i % 3 <> 0,
        pick(i, 1, 10000000) / 100.0, pick(i, 3, 100000000) / 977.0, timestamptz '2020-01-01 00:00:00+00' + i * interval '1.5 second',
        NULLIF(pick(i, 4, 1000), 0)
    FROM generate_series(1, {n} / 3) i JOIN phrases p ON p.id = pick(i, 5, 4096) ORDER BY i""",
)
SMALL_TABLES = """
DO $$ BEGIN FOR n IN {first}..{last} LOOP
    EXECUTE format('CREATE TABLE small.t%s (id serial PRIMARY KEY, a text NOT NULL DEFAULT ''x'', b jsonb, c timestamptz DEFAULT now(),'
                   ' d numeric(10,2) CHECK (d > 0), e uuid UNIQUE, f integer REFERENCES small.t%s)', n, greatest(n - 1, 1));
    EXECUTE format('CREATE INDEX ON small.t%s (a, c)', n);
    EXECUTE format('COMMENT ON TABLE small.t%s IS ''table number %s''', n, n);
    EXECUTE format('INSERT INTO small.t%s (a, b, c, d) SELECT ''row '' || i, jsonb_build_object(''i'', i), ''2024-01-01Z'', i'
                   ' FROM generate_series(1, 10) i', n);
END LOOP; END $$
"""
VERSION = 4  # of this generator: files of another one are not used


class Data:
    """The files of one size in a cache folder, each made when it is first asked for. Use as a context manager: it may start a server."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder = folder / f"{rows}-rows-version-{VERSION}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows = rows
        self._bin = EmbeddedServer().bin_folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "_server" in self.__dict__:
            self._server.stop()

    @property
    def total_rows(self) -> int:
        """Rows of the four tables."""
        return self.rows // 6 + self.rows // 2 + self.rows * 3 // 10 + self.rows // 30

    def program(self, name: str) -> str:
        """The path of a client program of the server's version."""
        return str(self._bin / name)

    # ---- the files

    @property
    def plain(self) -> Path:
        """All rows, a plain script."""
        return self._dumped("plain.sql")

    @property
    def gzipped(self) -> Path:
        """All rows, a plain script that pg_dump compressed."""
        return self._dumped("plain.sql.gz", "--compress=gzip:6")

    @property
    def custom(self) -> Path:
        """All rows, a custom archive with gzip."""
        return self._dumped("custom.dump", "--format=custom", "--compress=gzip:6")

    @property
    def inserts(self) -> Path:
        """All rows, one INSERT each."""
        return self._dumped("inserts.sql", "--inserts")

    @property
    def many_rows_per_insert(self) -> Path:
        """All rows, 1,000 in an INSERT."""
        return self._dumped("rows-per-insert.sql", "--rows-per-insert=1000")

    @property
    def many_entries(self) -> Path:
        """2,000 entries and a third of the rows, a custom archive."""
        return self._dumped("many-entries.dump", "--format=custom", "--compress=gzip:6", database="people")

    @property
    def schema(self) -> Path:
        """1,000 tables with what belongs to them, a plain script."""
        return self._dumped("schema.sql", "--schema-only", database="tables")

    @property
    def small(self) -> Path:
        """The same tables with their rows, ten each, a plain script."""
        return self._dumped("small.sql", database="tables")

    @property
    def people(self) -> Path:
        """One table of 8 mixed columns, a third of the rows, a plain script."""
        return self._dumped("people.sql", "--table=people", database="people")

    @property
    def people_csv(self) -> Path:
        """The same rows as CSV with a header."""
        return self._made("people.csv", self._write_people_csv)

    def _dumped(self, name: str, *arguments: str, database: str = "rows") -> Path:
        def dump(path: Path) -> None:
            subprocess.run([self.program("pg_dump"), *arguments, "-f", str(path), "-d", self.url(database)], check=True)

        return self._made(name, dump)

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        path = self.folder / name
        if not path.exists():
            unfinished = path.with_name(f"{name}.unfinished")
            make(unfinished)
            unfinished.replace(path)
        return path

    def _write_people_csv(self, path: Path) -> None:
        statement = "COPY people TO STDOUT (FORMAT csv, HEADER)"
        with psycopg.connect(self.url("people")) as connection, connection.cursor().copy(statement) as copy, path.open("wb") as file:
            file.writelines(copy)

    # ---- the databases

    @cached_property
    def _server(self) -> EmbeddedServer:
        return EmbeddedServer().start()

    @cached_property
    def _databases(self) -> set[str]:
        """Those that are filled."""
        return set()

    def copy(self, database: str, name: str) -> str:
        """The URL of a copy of *database*, made when it is first asked for."""
        if name not in self._databases:
            self.url(database)
            with psycopg.connect(self._server.url(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {database}".encode())
            self._databases.add(name)
        return self._server.url(name)

    def url(self, database: str) -> str:
        """The URL of *database* (`rows`, `people`, `tables`), filled when it is first asked for."""
        if database not in self._databases:
            with psycopg.connect(self._server.url(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {database} TEMPLATE template0".encode())
            with psycopg.connect(self._server.url(database), autocommit=True) as connection:
                connection.execute("SET max_parallel_workers_per_gather = 0; SET TimeZone = 'UTC'")
                self._fill(database, connection)
            self._databases.add(database)
        return self._server.url(database)

    def _fill(self, database: str, connection: psycopg.Connection) -> None:
        if database == "tables":
            _make_small_tables(connection, 1000)
            return
        tables = TABLES if database == "rows" else {"people": PEOPLE}
        connection.execute(PHRASES.encode())
        for name, (columns, rows) in tables.items():
            connection.execute(f"CREATE TABLE {name} ({columns}); INSERT INTO {name} {rows.replace('{n}', str(self.rows))}".encode())
        connection.execute("DROP TABLE phrases; DROP FUNCTION pick")
        if database == "people":
            _make_small_tables(connection, 190)


def _make_small_tables(connection: psycopg.Connection, count: int) -> None:
    connection.execute("CREATE SCHEMA small")
    for first in range(1, count + 1, 50):  # every table of one transaction holds locks until its end
        connection.execute(SMALL_TABLES.format(first=first, last=min(first + 49, count)).encode())
