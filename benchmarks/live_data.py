"""The live databases whose objects the benchmarks read, made once per run on a throwaway server of each version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

# Statements of one database, run in turn; a DO block of many objects is its own transaction, whose locks must fit the lock table.
# {first} and {last}: the block is run for 1 to 50, 51 to 100 and so on, up to the count beside it.
_TABLES = """
DO $$ BEGIN FOR n IN {first}..{last} LOOP
    EXECUTE format('CREATE TABLE app.t%s (id serial PRIMARY KEY, a text NOT NULL DEFAULT ''x'', b jsonb, c timestamptz DEFAULT now(),'
                   ' d numeric(10,2) CHECK (d > 0), e uuid UNIQUE, f integer REFERENCES app.t%s)', n, greatest(n - 1, 1));
    EXECUTE format('CREATE INDEX ON app.t%s (a, c)', n);
    EXECUTE format('COMMENT ON TABLE app.t%s IS ''table number %s''', n, n);
    EXECUTE format('COMMENT ON COLUMN app.t%s.a IS ''what it says''', n);
END LOOP; END $$
"""
_ROUTINES = """
DO $$ BEGIN FOR n IN {first}..{last} LOOP
    EXECUTE format('CREATE FUNCTION app.f%s(x integer, y text DEFAULT ''-'') RETURNS text LANGUAGE plpgsql STABLE SET search_path = app AS'
                   ' $f$ BEGIN %s RETURN y || x; END $f$', n, repeat(E'\n    -- a line of the body, as functions have\n', 20));
    EXECUTE format('CREATE VIEW app.v%s AS SELECT t.id, t.a, count(*) AS n, app.f%s(t.id) AS said FROM app.t1 t JOIN app.t2 u USING (id)'
                   ' WHERE t.a <> '''' GROUP BY t.id, t.a', n, n);
    EXECUTE format('GRANT SELECT ON app.v%s TO PUBLIC', n);
END LOOP; END $$
"""
_PARTITIONS = """
DO $$ BEGIN FOR n IN {first}..{last} LOOP
    IF n % 100 = 1 THEN
        EXECUTE format('CREATE TABLE app.p%s (id bigint, at integer NOT NULL, a text DEFAULT ''x'', b jsonb, PRIMARY KEY (id, at))'
                       ' PARTITION BY RANGE (at)', n / 100);
        EXECUTE format('CREATE INDEX ON app.p%s (a)', n / 100);
    END IF;
    EXECUTE format('CREATE TABLE app.p%s_%s PARTITION OF app.p%s FOR VALUES FROM (%s) TO (%s)', (n - 1) / 100, n, (n - 1) / 100, n, n + 1);
END LOOP; END $$
"""


@dataclass(frozen=True, slots=True)
class LiveDatabase:
    """What a database is made of: blocks with the number of things that each makes."""

    name: str
    blocks: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        """How many things its blocks make."""
        return sum(count for _, count in self.blocks)

    def statements(self) -> Iterator[str]:
        """The statements that fill it."""
        yield "CREATE SCHEMA app"
        for block, count in self.blocks:
            for first in range(1, count + 1, 50):
                yield block.replace("{first}", str(first)).replace("{last}", str(min(first + 49, count)))


def databases(*, scale: int) -> Mapping[str, LiveDatabase]:
    """The databases by what a benchmark calls them; *scale* 1,000 gives 1,000 tables, 2,000 routines and views, 3,000 partitions."""
    return {
        f"{scale:,} tables": LiveDatabase("tables", ((_TABLES, scale),)),
        "12 tables": LiveDatabase("small", ((_TABLES, 12),)),
        f"{scale:,} functions, {scale:,} views": LiveDatabase("routines", ((_TABLES, 2), (_ROUTINES, scale))),
        f"{3 * scale:,} partitions": LiveDatabase("partitions", ((_PARTITIONS, 3 * scale),)),
    }


def fill(server: EmbeddedServer, database: LiveDatabase) -> str:
    """Make *database* on *server* and return its URL."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database.name} TEMPLATE template0".encode())
    with psycopg.connect(server.url(database.name), autocommit=True) as connection:
        for statement in database.statements():
            connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")
    return server.url(database.name)
