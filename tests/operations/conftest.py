"""Databases whose names and kept companions are removed afterwards, and what the tests ask of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

APP = """
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, feels mood, born timestamptz, picture bytea);
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL REFERENCES users, body jsonb, CHECK (user_id > 0));
CREATE INDEX messages_body ON messages USING gin (body);
CREATE VIEW loud AS SELECT name FROM users WHERE feels = 'happy';
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql AS 'SELECT upper($1)';
INSERT INTO users (name, feels, born, picture)
    SELECT 'user ' || n || E'\\t\\\\.', 'sad', '2026-01-31 12:00:00+00'::timestamptz + n * interval '1 h', '\\x00ff'
      FROM generate_series(1, 500) n;
INSERT INTO messages (user_id, body) SELECT 1 + n % 500, jsonb_build_object('n', n) FROM generate_series(1, 2000) n;
"""


@pytest.fixture
def make_app(server: EmbeddedServer) -> Iterator[Callable[..., str]]:
    """Give a function that makes a small app's database and returns its URL; whatever is named after it goes in the end."""
    made: list[str] = []

    def make(name: str, script: str = APP) -> str:
        made.append(name)
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        with psycopg.connect(server.url(name)) as connection:
            connection.execute(script.encode())
        return server.url(name)

    yield make
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
            if any(name == m or name.startswith(f"{m}__") for m in made):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def ask() -> Callable[[str, str], object]:
    """Give a function that runs one query on a URL and returns its first value."""

    def run(url: str, query: str) -> object:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    return run


@pytest.fixture
def databases(server: EmbeddedServer) -> Callable[[str], list[str]]:
    """Give a function that names the databases whose names start with a text, sorted."""

    def names(start: str) -> list[str]:
        with psycopg.connect(server.url()) as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [start])
            return [name for (name,) in rows]

    return names


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "my backups"


@pytest.fixture(scope="session")
def s3() -> Iterator[None]:
    """The S3 API, served by moto on a port of its own, with a bucket `backups`; the environment names it."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "tester")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-of-s3")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3").create_bucket(Bucket="backups")
        yield
    server.stop()


@pytest.fixture
def s3_url(s3: None) -> str:
    """A place in the bucket that no other test uses."""
    return f"s3://backups/{uuid.uuid4().hex}"
