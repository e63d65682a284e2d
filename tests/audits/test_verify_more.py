"""Verify against a live database, of a live database, with the settings of a project; what breaks on the way loses no check."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.proof import prove
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.config import Config
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.manifest import Manifest, manifest_beside
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.facts import server_facts
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing

SCHEMA = """
CREATE TABLE parents (id serial PRIMARY KEY, name text NOT NULL CHECK (name <> ''));
CREATE TABLE children (id bigint PRIMARY KEY, parent_id integer REFERENCES parents (id));
CREATE INDEX children_parent ON children (parent_id);
CREATE MATERIALIZED VIEW counts AS SELECT count(*) FROM children;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER noted BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE measured (at date) PARTITION BY RANGE (at);
CREATE TABLE measured_2024 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO parents (name) SELECT 'p' || i FROM generate_series(1, 50) i;
INSERT INTO children SELECT i, 1 + i % 50 FROM generate_series(1, 200) i;
ALTER TABLE children ENABLE ROW LEVEL SECURITY;
"""


class Case:
    def __init__(self, server: EmbeddedServer, url: str, folder: Path) -> None:
        self.server, self.url = server, url
        self.dump = folder / "app-20260310T120000Z.dump"
        self.execute(SCHEMA)
        subprocess.run([str(server.bin_folder / "pg_dump"), "-Fc", "-C", "-f", str(self.dump), url], check=True)
        with snapshot(url) as live:
            taken = take_manifest(live)
        self.manifest: Manifest = replace(taken, dump_file=file_digest(self.dump), target="here:1/app", dump_form="custom")
        manifest_beside(self.dump).write_text(self.manifest.to_json(), encoding="utf-8")

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for sql in statements:
                connection.execute(sql.encode())

    def verify(self, *, target: str | None = None, **settings: object) -> AuditResult:
        return verify(self.dump, target, config=replace(Config(), **settings))  # type: ignore[arg-type]


@pytest.fixture
def case(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> Case:
    return Case(server, make_database(), tmp_path)


@pytest.fixture
def collation(case: Case) -> str:
    """A collation of the system whose version the server knows; no C or POSIX has one."""
    with psycopg.connect(case.url) as connection:
        row = connection.execute("SELECT collname FROM pg_collation WHERE collversion IS NOT NULL ORDER BY collname LIMIT 1").fetchone()
    if not row:
        missing("a locale of the system that has a version")
    assert row
    return str(row[0])


def outcomes(result: AuditResult) -> dict[str, str]:
    return {c.id: str(c.outcome) for c in result.check_list}


def test_a_dump_and_the_database_that_it_came_from_pass_every_check(case: Case) -> None:
    result = case.verify(target=case.url)
    assert set(outcomes(result).values()) == {"passed"}, result.checks.to_string()
    assert {"restore.versions", "database.encoding", "database.locale", "privileges.match", "rows.complete"} <= set(outcomes(result))
    assert all(c.compared for c in result.check_list)


def test_what_was_changed_in_the_target_fails_there(case: Case) -> None:
    case.execute("GRANT SELECT ON parents TO PUBLIC")
    result = case.verify(target=case.url)
    failed = {check for check, outcome in outcomes(result).items() if outcome == "failed"}
    assert failed == {"objects.match", "privileges.match"}
    (row,) = result.findings("privileges.match").to_dict("records")
    assert row["attribute"] == "acl"
    assert "parents" in row["object"]
    with pytest.raises(UsageError, match="was not asked"):
        result.findings("rows.zzz")


def test_a_live_database_is_verified_by_itself(case: Case) -> None:
    found = outcomes(verify(case.url, require=["parents", "measured"]))
    asked = {"indexes.valid", "constraints.validated", "foreign_keys.valid", "materialized_views.populated", "triggers.enabled"}
    asked |= {"tables.required", "backup.readable", "foreign_keys.orphans", "sequences.ahead"}
    assert asked <= set(found)
    assert set(found.values()) == {"passed"}
    with pytest.raises(UsageError, match="by itself"):
        verify(case.url, case.url)


@pytest.mark.parametrize(
    ("sql", "check", "outcome"),
    [
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'children_parent'::regclass", "indexes.valid", "warned"),
        ("ALTER TABLE parents ADD CONSTRAINT short CHECK (length(name) < 9) NOT VALID", "constraints.validated", "warned"),
        ("ALTER TABLE children ADD FOREIGN KEY (id) REFERENCES parents (id) NOT VALID", "foreign_keys.valid", "warned"),
        ("REFRESH MATERIALIZED VIEW counts WITH NO DATA", "materialized_views.populated", "warned"),
        ("ALTER TABLE children DISABLE TRIGGER noted", "triggers.enabled", "warned"),
        ("SELECT setval('parents_id_seq', 3)", "sequences.ahead", "failed"),
        ("SET session_replication_role = replica; DELETE FROM parents WHERE id = 7", "foreign_keys.orphans", "failed"),
        ("DROP TABLE measured", "tables.required", "failed"),
    ],
)
def test_each_broken_thing_of_a_live_database_is_told_by_its_check(case: Case, sql: str, check: str, outcome: str) -> None:
    case.execute(sql)
    result = verify(case.url, require=["measured"])
    assert outcomes(result)[check] == outcome
    assert len(result.findings(check))
    others = {c: o for c, o in outcomes(result).items() if c != check and o != "passed"}
    assert set(others) <= {"foreign_keys.orphans"}, others  # a key that is not valid may well have rows that dangle


def test_a_dropped_connection_loses_no_check_and_passes_none_that_needed_it(case: Case) -> None:
    with snapshot(case.url) as live:
        whole = {c.id for c in prove(case.manifest, live).check_list}
    with snapshot(case.url) as live, psycopg.connect(case.url, autocommit=True) as other:
        (pid,) = (row["pid"] for row in live.ask("SELECT pg_backend_pid() AS pid"))
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        result = prove(case.manifest, live)
    assert {c.id for c in result.check_list} >= whole - {"collations.version"}
    assert {str(c.outcome) for c in result.check_list} == {"not_checked"}, result.checks.to_string()
    assert all(c.found for c in result.check_list)


def test_thresholds_are_checks_with_what_is_known(case: Case) -> None:
    now = datetime.now(UTC)
    found = outcomes(case.verify(rpo=timedelta(hours=1), rto=timedelta(minutes=1), smallest_size_bytes=10))
    assert (found["dump.age"], found["dump.size"], found["restore.duration"]) == ("passed", "passed", "not_checked")
    case.manifest = replace(case.manifest, taken_at=(now - timedelta(hours=2)).isoformat(timespec="seconds"))
    manifest_beside(case.dump).write_text(case.manifest.to_json(), encoding="utf-8")
    found = outcomes(case.verify(rpo=timedelta(hours=1), smallest_size_bytes=10**9))
    assert (found["dump.age"], found["dump.size"]) == ("failed", "failed")


@pytest.mark.parametrize(("seconds", "own", "outcome"), [(30.0, True, "passed"), (90.0, True, "failed"), (30.0, False, "not_checked")])
def test_a_rehearsal_of_these_very_bytes_says_how_long_a_restore_takes(case: Case, seconds: float, own: bool, outcome: str) -> None:
    assert case.manifest.dump_file
    sha256 = case.manifest.dump_file.sha256 if own else "0" * 64
    evidence = Evidence(Proof.REHEARSED, "2026-03-10T13:00:00+00:00", "me@there", "passed", sha256, seconds, "PostgreSQL 18", 12.5)
    case.dump.with_name(case.dump.stem + Proof.REHEARSED.suffix).write_text(evidence.to_json(), encoding="utf-8")
    assert outcomes(case.verify(rto=timedelta(minutes=1)))["restore.duration"] == outcome


def test_the_backup_before_says_which_tables_are_gone_and_that_it_was_larger(case: Case) -> None:
    lost = replace(case.manifest.table_data[TableName("public", "parents")], name=TableName("public", "gone"), rows=3)
    assert case.manifest.dump_file
    before = replace(
        case.manifest,
        taken_at="2026-01-01T00:00:00+00:00",
        table_data={**case.manifest.table_data, lost.name: lost},
        dump_file=replace(case.manifest.dump_file, size_bytes=10**9),
    )
    assert "tables.last_backup" not in outcomes(case.verify()), "there is none before it"
    earlier = case.dump.with_name("app-20260101T000000Z.manifest.json")
    earlier.write_text(before.to_json(), encoding="utf-8")
    result = case.verify()
    assert (outcomes(result)["tables.last_backup"], outcomes(result)["dump.size"]) == ("warned", "warned")
    assert result.findings("tables.last_backup").to_dict("records") == [{"table": "public.gone", "rows_before": 3}]
    tiny = replace(before, dump_file=replace(case.manifest.dump_file, size_bytes=900))
    earlier.write_text(tiny.to_json(), encoding="utf-8")
    assert "dump.size" not in outcomes(case.verify()), "so small a size says nothing, and nothing is not passed"
    earlier.write_text(replace(before, target="there:1/app").to_json(), encoding="utf-8")
    assert "tables.last_backup" not in outcomes(case.verify()), "that is another database"


def test_a_prisma_schema_that_cannot_be_read_is_not_checked_and_the_others_are_asked(case: Case, tmp_path: Path) -> None:
    found = outcomes(case.verify(prisma_schema=tmp_path / "schema.prisma"))
    assert found["tables.prisma"] == "not_checked"
    assert found["rows.fingerprint"] == "passed"
    (tmp_path / "schema.prisma").write_text('model Parent { id Int @id\n @@map("parents") }\nmodel Order { id Int @id }', encoding="utf-8")
    result = case.verify(prisma_schema=tmp_path / "schema.prisma")
    assert outcomes(result)["tables.prisma"] == "failed"
    assert result.findings("tables.prisma")["table"].tolist() == ["Order"]


def test_rows_that_policies_hid_from_the_manifest_are_not_checked(case: Case) -> None:
    name = TableName("public", "children")
    hidden = replace(case.manifest.table_data[name], fingerprint=None, rows=None, not_readable="row-level security hides rows of it")
    result = verify(case.dump, manifest=replace(case.manifest, table_data={**case.manifest.table_data, name: hidden}))
    assert outcomes(result)["rows.complete"] == "not_checked"
    assert result.findings("rows.complete")["table"].tolist() == ["public.children"]


def test_the_manifest_knows_its_cluster_and_its_collations_and_earlier_ones_stay_readable(case: Case, collation: str) -> None:
    case.execute(f'CREATE TABLE words (w text COLLATE "{collation}")')
    with snapshot(case.url) as live:
        manifest = take_manifest(live)
        facts = server_facts(live)
    assert manifest.server == facts
    assert facts.system_identifier
    assert facts.system_identifier.isdigit()
    name = f"pg_catalog.{collation}"
    version = facts.collations[name]
    assert facts.actual_collations[name] == version
    assert Manifest.from_json(manifest.to_json(), label="m").server == facts
    plain = json.loads(manifest.to_json())
    del plain["server"]
    assert Manifest.from_json(json.dumps(plain), label="m").server is None
    with snapshot(case.url) as live:
        same = prove(manifest, live)
        older = prove(replace(manifest, server=replace(facts, collations={name: "1.0"})), live)
    assert outcomes(same)["collations.version"] == "passed"
    assert outcomes(older)["collations.version"] == "warned"
    assert older.findings("collations.version").to_dict("records") == [{"collation": name, "left": "1.0", "right": version}]


def test_an_index_in_the_order_of_a_collation_that_changed_is_found(case: Case, collation: str) -> None:
    case.execute(f'CREATE TABLE words (w text COLLATE "{collation}" UNIQUE)')
    assert outcomes(verify(case.url))["collations.current"] == "passed"
    case.execute(f"UPDATE pg_collation SET collversion = '1.0' WHERE collname = '{collation}'")
    try:
        result = verify(case.url)
    finally:
        case.execute(f'ALTER COLLATION "{collation}" REFRESH VERSION')
    assert outcomes(result)["collations.current"] == "failed"
    assert result.findings("collations.current")["recorded"].tolist() == ["1.0"]


def test_who_may_not_ask_for_the_system_identifier_is_not_told_it(case: Case) -> None:
    case.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", "CREATE ROLE looker LOGIN")
    try:
        with snapshot(case.url.replace("://", "://looker@").replace("looker@postgres@", "looker@")) as live:
            assert server_facts(live).system_identifier is None
    finally:
        case.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC", "DROP ROLE looker")
