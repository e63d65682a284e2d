"""The sample application loaded once, and a broken copy of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from pgaudit_kit.demo.incident import Incident, play_incident
from pgaudit_kit.demo.sample_app import create_sample_app
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer


@dataclass(frozen=True)
class Broken:
    """The same database before and after an incident, and what the incident says of itself."""

    before: str
    after: str
    incident: Incident


@contextmanager
def database(server: EmbeddedServer, name: str, *, template: str = "template0") -> Iterator[str]:
    """Give the URL of a new database, dropped at the end."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
        yield server.url(name)
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(scope="session")
def sample(server: EmbeddedServer) -> Iterator[str]:
    """URL of the sample application in full size; tests only look at it."""
    with database(server, "demo_sample") as url:
        create_sample_app(url)
        yield url


@pytest.fixture(scope="session")
def broken(server: EmbeddedServer, sample: str) -> Iterator[Broken]:
    """The sample application in full size, and a copy on which the incident was played."""
    with database(server, "demo_broken", template="demo_sample") as url:
        yield Broken(sample, url, play_incident(url))


@pytest.fixture
def make_sample(make_database: Callable[..., str]) -> Callable[[int], str]:
    """Give a function that loads the sample application in its smallest size with a seed, and returns the URL."""

    def make(seed: int) -> str:
        url = make_database()
        create_sample_app(url, seed=seed, scale=0)
        return url

    return make
