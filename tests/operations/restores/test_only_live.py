"""Tables that only the live database has are named before a restore takes them away."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.restored import Replacement, Restore
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Check, Outcome

MakeApp = Callable[..., str]


def check_of(done: Restore) -> Check:
    (check,) = [c for c in done.check_list if c.id == "restore.only_live"]
    return check


def test_a_dump_of_a_part_without_a_manifest_does_not_silently_take_the_rest(
    server: EmbeddedServer, make_app: MakeApp, tmp_path: Path
) -> None:
    url = make_app(
        "parted_off",
        'CREATE TABLE wanted (id int); CREATE TABLE "For got" (id int); CREATE SCHEMA s; CREATE TABLE s.p (id int) PARTITION BY LIST (id)',
    )
    part = tmp_path / "part.dump"
    subprocess.run([server.bin_folder / "pg_dump", "-Fc", "-O", "-x", "-t", "wanted", "-f", str(part), "-d", url], check=True)
    said: list[str] = []

    def agree(replacement: Replacement) -> bool:
        said.append(replacement.sentence)
        return True

    done = restore(part, url, confirm=agree)
    check = check_of(done)
    assert check.outcome is Outcome.WARNED
    assert [dict(e)["table"] for e in check.evidence] == ['public."For got"', "s.p"]
    assert '2 tables that the dump does not hold: public."For got", s.p' in said[0]


def test_nothing_is_said_when_the_dump_holds_them_all_or_there_is_none(make_app: MakeApp, store: Path) -> None:
    url = make_app("all_held", "CREATE TABLE wanted (id int); CREATE EXTENSION hstore")
    made = backup(url, store=store)
    assert check_of(restore(made, url, confirm=lambda _: True)).outcome is Outcome.PASSED
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE wanted")
    assert not [c for c in restore(made, url, confirm=lambda _: True).check_list if c.id == "restore.only_live"]
