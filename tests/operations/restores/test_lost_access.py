"""What a restore without owners and privileges takes away from the live database is said before it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.restored import Replacement, Restore
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Check, Outcome

MakeApp = Callable[..., str]
TABLES = """
CREATE TABLE secrets (id int PRIMARY KEY, word text, hint text); INSERT INTO secrets VALUES (1, 'a', 'b');
CREATE TABLE plain AS SELECT 1 AS a; CREATE SCHEMA area"""
ACCESS = """
GRANT SELECT ON secrets TO access_reader; GRANT UPDATE (hint) ON plain_view TO access_reader;
ALTER TABLE secrets OWNER TO access_owner; GRANT USAGE ON SCHEMA area TO access_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA area GRANT SELECT ON TABLES TO access_reader"""


@pytest.fixture(autouse=True)
def _roles(server: EmbeddedServer) -> Iterator[None]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE access_reader; CREATE ROLE access_owner")
    yield
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^granted'").fetchall():
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
        connection.execute("DROP ROLE access_reader; DROP ROLE access_owner")


@pytest.fixture
def app(make_app: MakeApp) -> str:
    return make_app("granted", f"{TABLES}; CREATE VIEW plain_view AS SELECT word, hint FROM secrets; {ACCESS}")


def access_of(done: Restore) -> list[Check]:
    return [c for c in done.check_list if c.id == "restore.access"]


class Asked:
    """Says yes, and keeps what it was asked."""

    sentence = ""

    def __call__(self, replacement: Replacement) -> bool:
        self.sentence = replacement.sentence
        return True


def test_what_others_own_and_were_granted_is_named_before_a_portable_backup_replaces_it(app: str, store: Path) -> None:
    made = backup(app, store=store)
    asked = Asked()
    done = restore(made, app, confirm=asked)
    assert done.replaced
    (check,) = access_of(done)
    assert check.outcome is Outcome.WARNED
    told = {(e["object"], e["owner"], e["privileges"]) for e in check.evidence}
    assert told == {
        ("TABLE public.secrets", "access_owner", "access_reader=SELECT"),
        ("VIEW public.plain_view", "", "column hint: access_reader=UPDATE"),
        ("SCHEMA area", "", "access_reader=USAGE"),
        ("DEFAULT ACL area.TABLES of postgres", "", "access_reader=SELECT"),
    }
    assert "TABLE public.secrets (access_owner)" in asked.sentence
    assert "--full" in check.remedy
    assert "kept database has them" in check.remedy
    (again,) = access_of(restore(made, app, confirm=lambda _: True, drop_old=True))  # nothing of it has come back
    assert again.outcome is Outcome.PASSED
    assert again.evidence == ()


def test_a_full_backup_loses_none_unless_it_is_told_to_leave_them_out(app: str, store: Path) -> None:
    made = backup(app, store=store, full=True)
    asked = Asked()
    assert access_of(restore(made, app, confirm=asked)) == []
    assert "Lost" not in asked.sentence
    (check,) = access_of(restore(made, app, confirm=asked, no_owner=True, drop_old=True))
    assert check.outcome is Outcome.WARNED
    assert "kept database" not in check.remedy


def test_a_portable_script_and_one_without_a_manifest_say_it_too(app: str, store: Path) -> None:
    made = backup(app, store=store, format="plain")
    made.manifest_path.unlink()
    (check,) = access_of(restore(made.path, app, confirm=Asked()))
    assert check.outcome is Outcome.WARNED
    assert "access_reader=USAGE" in check.found


def test_in_place_it_is_asked_before_the_question_and_what_stays_is_not_named(app: str, store: Path) -> None:
    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO access_reader")
    asked = Asked()
    done = restore(backup(app, store=store), app, confirm=asked, in_place=True, replace_contents=True, store=store)
    assert done.replaced
    (check,) = access_of(done)
    assert check.outcome is Outcome.WARNED
    assert "SCHEMA public " not in check.found
    assert "TABLE public.secrets (access_owner)" in asked.sentence


@pytest.mark.parametrize("major", [14, 18])
def test_a_database_that_is_wholly_the_restoring_roles_loses_nothing(
    server_of: Callable[[int], EmbeddedServer], store: Path, major: int
) -> None:
    server = server_of(major)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE mine TEMPLATE template0")
        try:
            with psycopg.connect(server.url("mine")) as mine:
                mine.execute(TABLES.encode())
            (check,) = access_of(restore(backup(server.url("mine"), store=store), server.url("mine"), confirm=Asked(), drop_old=True))
            assert check.outcome is Outcome.PASSED
            with psycopg.connect(server.url("mine")) as mine:
                mine.execute("GRANT CREATE ON SCHEMA public TO PUBLIC" if major > 14 else "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            (check,) = access_of(restore(backup(server.url("mine"), store=store), server.url("mine"), confirm=Asked(), drop_old=True))
            assert check.outcome is Outcome.WARNED
            assert "SCHEMA public" in check.found
        finally:
            connection.execute("DROP DATABASE mine WITH (FORCE)")
