"""What of a server's privileges, subscriptions and databases not every source can say, and is then not called different."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.objects import DATABASE, ObjectKey
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.postgres_versions import KNOWN, installation
from tests.server.live import LiveDatabase

SETUP = """
CREATE TABLE t (id integer PRIMARY KEY, note text);
CREATE PUBLICATION pub FOR TABLE t;
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere password=hidden-1' PUBLICATION x
    WITH (connect = false, enabled = false, slot_name = NONE);
CREATE FOREIGN DATA WRAPPER fdw;
CREATE SERVER srv FOREIGN DATA WRAPPER fdw;
CREATE USER MAPPING FOR PUBLIC SERVER srv OPTIONS (password 'hidden-2');
CREATE USER MAPPING FOR postgres SERVER srv;
GRANT SELECT ON t TO PUBLIC;
GRANT SELECT (id) ON t TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;
SELECT lo_create(5), lo_create(6);
GRANT SELECT ON LARGE OBJECT 5 TO PUBLIC;
"""


def dump(database: LiveDatabase, path: Path, *options: str) -> Path:
    program = database.server.bin_folder / "pg_dump"
    subprocess.run([str(program), "-d", database.url, "-f", str(path), *options], check=True, capture_output=True)
    return path


@pytest.fixture
def filled(database: LiveDatabase) -> Iterator[LiveDatabase]:
    database.run(SETUP)
    yield database
    database.run("DROP SUBSCRIPTION sub")


@pytest.mark.parametrize("form", ["plain", "custom"])
@pytest.mark.parametrize(
    ("options", "not_compared"),
    [
        (("--no-privileges",), ["privileges"]),
        (("--schema-only",), ["large objects"]),
        (("--no-privileges", "--schema-only", "--no-owner"), ["large objects", "privileges"]),
        ((), []),
    ],
)
def test_what_a_dump_was_told_to_leave_out_is_not_lost_but_named(
    filled: LiveDatabase, tmp_path: Path, form: str, options: tuple[str, ...], not_compared: list[str]
) -> None:
    if form == "plain" and "--no-owner" in options:  # an archive has them all the same
        not_compared = sorted([*not_compared, "owners"])
    opened = read_dump(dump(filled, tmp_path / "dump", f"--format={form}", *options))
    with filled.snapshot() as live:
        for found in (diff(opened, live, schema_only=True), diff(live, opened, schema_only=True)):
            assert [str(d.key) for d in found.object_differences if d.status != "equivalent"] == []
            assert sorted(s.what for s in found.skipped if s.what != "rows" and "secret" not in s.what) == not_compared
            assert found.verdict == ("not_checked" if "privileges" in not_compared else "same")  # large objects are data
    assert "hidden-" not in repr(opened.inventory)


def test_a_role_without_rights_sees_all_but_the_secrets(filled: LiveDatabase, make_role: Callable[[str], str], tmp_path: Path) -> None:
    role = make_role("may_see")
    opened = read_dump(dump(filled, tmp_path / "dump"))
    with snapshot(filled.url_as(role)) as live, diff(opened, live, schema_only=True) as found:
        assert found.object_differences == ()
        mapping = live.inventory.by_key[ObjectKey("USER MAPPING", None, "public", "srv")]
        assert "option_names" not in mapping.attributes  # not known: this role may not see them
        assert ObjectKey("SUBSCRIPTION", None, "sub") in live.inventory.by_key
    with filled.snapshot() as whole:
        options = {o.key.name: o.attributes["option_names"] for o in whole.inventory.of_kind("USER MAPPING")}
        assert options == {"public": "password", "postgres": ""}


def test_subscriptions_that_may_not_be_read_are_there_all_the_same(
    filled: LiveDatabase, make_role: Callable[[str], str], tmp_path: Path
) -> None:
    role = make_role("may_not_read")
    opened = read_dump(dump(filled, tmp_path / "dump"))
    filled.run("REVOKE SELECT (oid, subpublications) ON pg_catalog.pg_subscription FROM PUBLIC")  # as up to 13
    with snapshot(filled.url_as(role)) as live, diff(opened, live, schema_only=True) as found:
        (reason,) = (s.reason for s in found.skipped if s.what == "SUBSCRIPTION sub")
        assert "GRANT SELECT (oid, subpublications) ON pg_catalog.pg_subscription TO may_not_read" in reason
        assert found.unmodelled == tuple(u for u in found.unmodelled if u.kind == "BLOB")
        assert {str(d.key) for d in found.object_differences} == {
            "ACL pg_catalog.COLUMN pg_subscription.oid",
            "ACL pg_catalog.COLUMN pg_subscription.subpublications",
        }


def test_the_database_is_judged_by_what_both_sides_say_and_a_restore_would_bring(
    database_18: LiveDatabase, tmp_path: Path, make_database: Callable[..., str]
) -> None:
    database_18.run("CREATE TABLE t (id integer)")
    quoted = psycopg.sql.Identifier(database_18.name).as_string()
    database_18.on_postgres(f"ALTER DATABASE {quoted} SET work_mem = '5MB'; COMMENT ON DATABASE {quoted} IS 'mine'")
    archive = dump(database_18, tmp_path / "dump", "--format=custom")
    other = make_database("another_one")
    subprocess.run([str(database_18.server.bin_folder / "pg_restore"), "-d", other, str(archive)], check=True)
    with diff(str(archive), other) as found:
        assert (found.object_differences, found.verdict) == ((), "same")
    database_18.on_postgres("ALTER DATABASE another_one OWNER TO pg_monitor; COMMENT ON DATABASE another_one IS 'mine'")
    with diff(str(archive), other) as found:
        (owner,) = found.object_differences
        assert (owner.key.kind, owner.status, [c.attribute for c in owner.changes], found.verdict) == (
            DATABASE,
            "equivalent",
            ["owner"],
            "same",
        )
    database_18.on_postgres("ALTER DATABASE another_one SET work_mem = '6MB'")
    with diff(str(archive), other) as found:
        (setting,) = found.object_differences
        assert [(c.attribute, c.left, c.right) for c in setting.changes] == [("setting work_mem", "'5MB'", "'6MB'")]
        assert found.verdict == "different"


def test_dependencies_come_from_the_table_of_contents(filled: LiveDatabase, tmp_path: Path) -> None:
    expected = ["PUBLICATION pub", "TABLE public.t"]
    objects = read_dump(dump(filled, tmp_path / "dump", "--format=custom")).objects
    assert list(objects[objects["kind"] == "PUBLICATION TABLE"]["dependencies"]) == [expected]
    plain = read_dump(dump(filled, tmp_path / "dump")).objects
    assert plain["dependencies"].isna().all()
    with filled.snapshot() as live:
        assert live.objects["dependencies"].isna().all()
        assert list(plain.columns) == list(live.objects.columns)
        columns = live.columns
        assert list(columns["name"]) == ["id", "note"]
        assert list(columns["nullable"]) == [False, True]
        assert columns["acl"][0] == "PUBLIC=SELECT"


@pytest.mark.parametrize("major", KNOWN)
def test_every_release_says_the_same_of_its_own_and_in_the_words_of_the_newest(
    server_of: Callable[[int], EmbeddedServer], major: int, tmp_path: Path
) -> None:
    database = LiveDatabase(server_of(major), f"access_{major}")
    database.on_postgres(f"CREATE DATABASE {database.name} TEMPLATE template0")
    try:
        database.run(SETUP)
        with database.snapshot() as live:
            for made in (installation(major, missing), installation(max(KNOWN), missing)):
                for form in ("plain", "custom"):
                    opened = read_dump(made.dump(database.url, tmp_path / f"{made.major}-{form}", dump_format=form))
                    with diff(opened, live) as found:
                        assert [str(d.key) for d in found.object_differences if d.status != "equivalent"] == []
                        assert found.verdict == "same"
                        assert {o.key.kind for o in opened.inventory.objects} >= {
                            "ACL",
                            "BLOB",
                            "DEFAULT ACL",
                            "SUBSCRIPTION",
                            "USER MAPPING",
                        }
    finally:
        database.run("DROP SUBSCRIPTION IF EXISTS sub")
        database.on_postgres(f"DROP DATABASE {database.name} WITH (FORCE)")


def test_a_schema_public_that_was_dropped_and_made_again_is_the_same(database: LiveDatabase, tmp_path: Path) -> None:
    database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.t (id int)")
    for grant in ("SELECT 1", "GRANT USAGE ON SCHEMA public TO PUBLIC", "GRANT ALL ON SCHEMA public TO PUBLIC"):
        database.run(grant)
        path = tmp_path / "d.sql"
        path.write_text(database.pg_dump(), encoding="utf-8")
        with diff(path, database.url) as found:
            assert [d for d in found.object_differences if d.status != "equivalent"] == [], grant
