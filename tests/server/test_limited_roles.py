"""What a role may not read is neither missing nor the same: it is named as not compared, with what would help. And that does help."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.postgres_versions import installation
from tests.server.live import LiveDatabase

MAJORS = (13, 15, 18)
ROLE = "limited"
OPEN = "GRANT USAGE ON SCHEMA app, public TO limited"  # connecting may everyone
_HELP = re.compile(rf"""(?:GRANT (?:"[^"]*"|[^;"])+? TO {ROLE}\b|ALTER ROLE {ROLE} BYPASSRLS)""")
SEQUENCES = {
    *("app.free", "hidden.free", "app.users_id_seq", "app.users_order_seq", "hidden.users_id_seq"),
    "Odd; Schema.user_id_seq",
}
SECRET = "values that may be secret, of "  # whoever reads
ROWS = {'rows of "Odd; Schema".user', "rows of app.rls", "rows of app.users", "rows of hidden.users", "rows of pg_catalog.pg_largeobject"}
MAPPINGS = {"limited", "postgres", "public"}


@pytest.fixture
def filled(major: int, server_of: Callable[[int], EmbeddedServer]) -> Iterator[LiveDatabase]:
    """A database with everything, of which the role may read nothing yet."""
    database = LiveDatabase(server_of(major), "limited_roles")
    database.on_postgres(f"CREATE ROLE {ROLE} LOGIN; CREATE ROLE limited_owner")
    database.on_postgres("CREATE DATABASE limited_roles TEMPLATE template0")
    database.run_file("limited_roles.sql")
    yield database
    database.run(f"DROP SUBSCRIPTION sub; DROP OWNED BY {ROLE}, limited_owner CASCADE")
    database.on_postgres("DROP DATABASE limited_roles WITH (FORCE)")
    database.on_postgres(f"DROP OWNED BY {ROLE}, limited_owner; DROP ROLE {ROLE}, limited_owner")


def dumped(database: LiveDatabase, path: Path) -> Dump:
    return read_dump(installation(database.major, missing).dump(database.url, path))


def differing(found: Difference) -> dict[str, object]:
    """What differs by more than the release."""
    return {str(d.key): [c.attribute for c in d.changes] or d.status for d in found.object_differences if d.status != "equivalent"}


@pytest.mark.parametrize(("major", "granted"), [*((major, "") for major in MAJORS), (15, OPEN)])
def test_what_a_role_may_not_read_is_named_with_the_grant_that_helps(filled: LiveDatabase, tmp_path: Path, granted: str) -> None:
    if granted:
        filled.run(granted)
    dump = dumped(filled, tmp_path / "dump")
    with snapshot(filled.url_as(ROLE)) as live, diff(dump, live) as found, diff(live, dump) as back:
        saved = Manifest.from_json(take_manifest(live).to_json(), label="saved")
        for one in (found, back, diff(dump, saved)):
            assert differing(one) == {}
            assert one.verdict == "not_checked"
            assert {s.what for s in one.skipped if s.what.startswith("rows")} == ROWS
            unread = {s.what for s in one.skipped if not s.what.startswith(SECRET)} - ROWS
            assert unread == {
                *(f"last_value, is_called of SEQUENCE {name}" for name in SEQUENCES),
                *(f"option_names of USER MAPPING {name} on srv" for name in MAPPINGS),
                *(("SUBSCRIPTION sub",) if filled.major < 14 else ()),
            }
        assert "hidden-" not in repr(found.skipped)
        help_wanted = [text for s in found.skipped for text in _HELP.findall(s.reason)]
    assert f"GRANT SELECT ON SEQUENCE app.users_id_seq TO {ROLE}" in help_wanted
    assert f'GRANT SELECT ON "Odd; Schema"."user" TO {ROLE}' in help_wanted
    filled.run(*dict.fromkeys(help_wanted))
    dump = dumped(filled, tmp_path / "granted")
    with snapshot(filled.url_as(ROLE)) as live, diff(dump, live) as found:
        assert differing(found) == {}
        # row-level security shows itself only once the role may SELECT
        assert {s.what for s in found.skipped if not s.what.startswith(SECRET)} == {
            "rows of app.rls",
            *(f"option_names of USER MAPPING {n} on srv" for n in ("postgres", "public")),
        }
        (rls,) = (s.reason for s in found.skipped if s.what == "rows of app.rls")
        assert '"only mine"' in rls
        filled.run(*_HELP.findall(rls))
        assert all("only" in s.reason for s in found.skipped if s.what.startswith("option_names"))
    with snapshot(filled.url_as(ROLE)) as live, diff(dump, live) as found:
        assert {s.what for s in found.skipped if not s.what.startswith(SECRET)} == {
            f"option_names of USER MAPPING {name} on srv" for name in ("postgres", "public")
        }
        assert diff(dump, live, ignore=["option_names"]).verdict == "same"


@pytest.mark.parametrize("major", [18])
def test_a_real_difference_is_still_named_beside_what_could_not_be_read(filled: LiveDatabase, tmp_path: Path) -> None:
    dump = dumped(filled, tmp_path / "dump")
    filled.run("DROP FUNCTION hidden.one; COMMENT ON SEQUENCE app.free IS 'c'; SELECT nextval('app.free')")
    with snapshot(filled.url_as(ROLE)) as live, diff(dump, live) as found:
        assert differing(found) == {"FUNCTION hidden.one(m hidden.mood)": "only_left", "SEQUENCE app.free": ["comment"]}
        assert found.verdict == "different"
        assert found.skipped != ()
    with snapshot(filled.url_as(ROLE)) as live, diff(dump, live, schema_only=True, include=["app.users"]) as found:
        assert (found.verdict, differing(found)) == ("same", {})  # nothing is asked that it may not read


@pytest.mark.parametrize("major", MAJORS)
def test_catalogs_that_a_host_has_closed_are_named_and_their_objects_are_not_missing(filled: LiveDatabase, tmp_path: Path) -> None:
    closed = (
        "pg_authid",
        "pg_user_mapping",
        "pg_largeobject",
        "pg_statistic_ext",
        "pg_event_trigger",
        "pg_seclabel",
        "pg_largeobject_metadata",
    )
    columns = "oid, subdbid, subname, subowner, subenabled, subslotname, subpublications"
    filled.run(*(f"REVOKE ALL ON pg_catalog.{name} FROM PUBLIC" for name in (*closed, "pg_subscription")))
    filled.run(f"REVOKE ALL ({columns}) ON pg_catalog.pg_subscription FROM PUBLIC; GRANT pg_monitor TO {ROLE}")
    dump = dumped(filled, tmp_path / "dump")
    with snapshot(filled.url_as(ROLE)) as live, diff(dump, live, schema_only=True) as found:
        assert differing(found) == {}
        assert found.verdict == "not_checked"
        reasons = {s.what: s.reason for s in found.skipped}
        assert f"GRANT SELECT ON pg_catalog.pg_event_trigger TO {ROLE}" in reasons["every EVENT TRIGGER"]
        assert f"GRANT SELECT ON pg_catalog.pg_statistic_ext TO {ROLE}" in reasons["every STATISTICS"]
        assert f"GRANT SELECT ON pg_catalog.pg_subscription TO {ROLE}" in reasons["every SUBSCRIPTION"]
        assert "pg_seclabel" in reasons["acl, security_label of every object"]
        assert "every BLOB" in reasons
        keys = {str(o.key) for o in dump.inventory.objects}
        assert found.compared < len(keys)
    with psycopg.connect(filled.url_as(ROLE)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT FROM pg_catalog.pg_event_trigger")
