"""Fixtures of the whole suite. A missing server is a failure in CI, and a skip with its reason elsewhere."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from hypothesis import settings

from pgaudit_kit.errors import ProgramNotFound
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.questions.registry import QUESTIONS, bare_id
from pgaudit_kit.records.verdict import Check
from tests.postgres_versions import installation

# A shell that starts us in the background lets us ignore Ctrl-C, and every process that a test interrupts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("any machine", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("any machine")
settings.register_profile("thorough", deadline=None)  # by hand: the tests of random databases make many more

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = str(PROJECT / "pgaudit_kit") + os.sep
SHARED = PROJECT.parent / "shared"
IN_CI = bool(os.environ.get("CI"))
_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED = 4 << 30  # a process of the suite was seen to take 0.6


def _put_servers_into_memory() -> None:
    """Have servers keep their files in memory, if it is large and nobody has named another place.

    The suite makes and drops some thousand databases of 300 files each, and ext4 spends longer on finding inodes for them than the servers
    on all that is asked of them. What the tests write themselves stays on the disk, where pytest keeps it for looking at.
    """
    if "TMPDIR" in os.environ or not _MEMORY.is_dir() or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:  # some tests put programs there
        return
    if shutil.disk_usage(_MEMORY).free >= _MEMORY_NEEDED:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def _keep_bytecode() -> None:
    """Have Python keep compiled modules, as it does by itself: containers often forbid it, for programs that start once.

    Here a thousand processes of ours start, and each would compile the package anew, which takes longer than what most are asked.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


_put_servers_into_memory()
_keep_bytecode()


def missing(what: str) -> NoReturn:
    """Skip for lack of *what*; in CI fail, because a skipped proof is no proof."""
    if IN_CI:
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """One throwaway PostgreSQL for the session."""
    try:
        started = EmbeddedServer()
        started.start()
    except ProgramNotFound as error:
        missing(str(error))
    with started:
        yield started


@pytest.fixture(scope="session")
def server_of() -> Iterator[Callable[[int], EmbeddedServer]]:
    """Give a function that starts a throwaway PostgreSQL of a major version; each is started once and lives as long as the session."""
    started: dict[int, EmbeddedServer] = {}

    def start(major: int) -> EmbeddedServer:
        if major not in started:
            started[major] = EmbeddedServer(bin_folder=installation(major, missing).bin_folder).start()
        return started[major]

    yield start
    for running in started.values():
        running.stop()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real dumps made by other people, which stand beside the project on development machines and in CI."""
    folder = SHARED / "corpus"
    if not folder.is_dir():
        missing("../shared/corpus")
    return folder


@pytest.fixture(scope="session")
def typed_url(server: EmbeddedServer) -> Iterator[str]:
    """A database with values of every type, of dumps/typed.sql; not to be changed."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE typed_values TEMPLATE template0")
    with psycopg.connect(server.url("typed_values"), autocommit=True) as connection:
        connection.execute((PROJECT / "tests" / "dumps" / "typed.sql").read_bytes())
    yield server.url("typed_values")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE typed_values WITH (FORCE)")


@pytest.fixture(scope="session")
def typed_dump(server: EmbeddedServer, typed_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its dump, custom, by a session of another time zone and bytea_output than the server's."""
    path = tmp_path_factory.mktemp("typed") / "typed.dump"
    environment = {**os.environ, "PGTZ": "Asia/Tokyo", "PGOPTIONS": "-c bytea_output=escape"}
    subprocess.run([server.bin_folder / "pg_dump", "-Fc", "-f", str(path), "-d", typed_url], check=True, env=environment)
    return path


class Score:
    """How many changes a test made, and how many of them were named exactly; all of a run are summed up at its end."""

    def __init__(self, told: list[tuple[str, object]]) -> None:
        self._told = told

    def add(self, named: int, made: int) -> None:
        """Count them. They go with the test's report, which also comes from another process."""
        self._told.append((_SCORE, [named, made]))


_SCORE = "mutations"


@pytest.fixture
def score(request: pytest.FixtureRequest) -> Score:
    """Where a test of mutations says how it went."""
    return Score(request.node.user_properties)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the score of the mutations, when any were made."""
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, ()) if r.when == "call"]
    scores = [value for report in reports for name, value in report.user_properties if name == _SCORE]
    if scores:
        named, made = (sum(counts) for counts in zip(*scores, strict=True))
        terminalreporter.write_line(f"mutations: {named} of {made} named exactly")


@pytest.fixture(scope="session", autouse=True)
def _checks_as_listed() -> Iterator[None]:
    """Every check that the package makes in any test has its question in the list, and evidence with the columns that stand there."""
    wrong: set[str] = set()
    made = Check.__post_init__

    def looked_at(check: Check) -> None:
        made(check)
        if sys._getframe(2).f_code.co_filename.startswith(PACKAGE):  # not one that a test makes up: __init__ stands between
            question = QUESTIONS.get(bare_id(check.id))
            keys = {key for entry in check.evidence for key in entry}
            if question is None or question.sentence != check.question or not keys <= set(question.evidence):
                wrong.add(f"{check.id}: {check.question} {sorted(keys)}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Check, "__post_init__", looked_at)
        yield
    assert not wrong


_numbers = itertools.count(1)


@pytest.fixture
def make_database(server: EmbeddedServer) -> Iterator[Callable[..., str]]:
    """Give a function that creates an empty database and returns its URL; all are dropped afterwards."""
    made: list[str] = []

    def make(name: str | None = None) -> str:
        name = name or f"test_{next(_numbers)}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(psycopg.sql.Identifier(name)))
        made.append(name)
        return server.url(name)

    yield make
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for name in made:
            connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
