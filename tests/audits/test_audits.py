"""Verify, prove, diff: real dumps of a real database, then each thing broken once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.proof import prove
from pgaudit_kit.audits.result import WITHOUT_MANIFEST, AuditResult
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import NotADump, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.snapshot import snapshot

SCHEMA = """
CREATE TABLE parents (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x', seen timestamptz DEFAULT '2024-01-01 12:00+00');
CREATE TABLE children (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id integer REFERENCES parents (id), doc jsonb);
CREATE INDEX children_doc ON children USING gin (doc);
CREATE VIEW names AS SELECT name FROM parents;
COMMENT ON TABLE parents IS 'those who came before';
INSERT INTO parents (name, seen)
    SELECT 'p' || i, timestamptz '2024-01-01 00:00+00' + i * interval '11 hours' FROM generate_series(1, 900) i;
INSERT INTO children (parent_id, doc) SELECT 1 + i % 900, jsonb_build_object('i', i) FROM generate_series(1, 3000) i;
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0);
INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES ('1', 'aa', now(), '1_init', 1);
"""


class Case:
    """A database with rows, its dump and its manifest."""

    def __init__(self, server: EmbeddedServer, url: str, folder: Path, form: str) -> None:
        self.url = url
        self.dump = folder / "app.dump"
        self.execute(SCHEMA)
        subprocess.run([str(server.bin_folder / "pg_dump"), f"--format={form}", "-f", str(self.dump), url], check=True)
        with snapshot(url) as live:
            self.manifest: Manifest = replace(take_manifest(live), dump_file=file_digest(self.dump))

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def prove(self) -> AuditResult:
        with snapshot(self.url) as live:
            return prove(self.manifest, live)


@pytest.fixture(params=["custom", "plain"])
def case(request: pytest.FixtureRequest, server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> Case:
    return Case(server, make_database(), tmp_path, request.param)


def outcomes(result: AuditResult) -> dict[str, str]:
    return {c.id: str(c.outcome) for c in result.check_list}


def test_a_whole_dump_passes_every_check_and_each_compared_something(case: Case) -> None:
    result = verify(case.dump, manifest=case.manifest, require=["parents", "public.children"])
    assert result.verdict is Outcome.PASSED, result.sentence
    assert set(outcomes(result)) == {
        "dump.complete", "dump.rows_readable", "tables.required", "dump.digest", "objects.match",
        "rows.count", "rows.fingerprint", "sequences.value", "migrations.ledger",
    }  # fmt: skip
    assert all(c.compared > 0 for c in result.check_list)
    assert list(result.checks["outcome"].unique()) == ["passed"]


def test_every_single_changed_byte_of_the_file_is_found_with_a_manifest(case: Case) -> None:
    whole = case.dump.read_bytes()
    for position in range(0, len(whole), max(1, len(whole) // 40)):
        case.dump.write_bytes(whole[:position] + bytes([whole[position] ^ 0x01]) + whole[position + 1 :])
        assert verify(case.dump, manifest=case.manifest).verdict is Outcome.FAILED, position


def test_what_does_not_even_look_like_the_dump_any_more_fails_by_its_manifest(case: Case) -> None:
    """Cut so short that nothing says what it was, or of a version that nobody wrote: without a manifest these are no verdict on a dump."""
    whole = case.dump.read_bytes()
    for content in (b"", whole[:3], whole[:5] + b"\x05" + whole[6:], b"<html>", bytes(5000)):
        case.dump.write_bytes(content)
        assert verify(case.dump, manifest=case.manifest).verdict is Outcome.FAILED
    case.dump.write_bytes(b"")
    with pytest.raises(NotADump):
        verify(case.dump)
    other = replace(case.manifest, dump_file=file_digest(case.dump))
    with pytest.raises(NotADump):
        verify(case.dump, manifest=other)


def test_a_dump_of_other_rows_fails_where_it_differs_and_nowhere_else(case: Case, server: EmbeddedServer) -> None:
    case.execute("UPDATE parents SET name = 'q7' WHERE id = 7")
    subprocess.run([str(server.bin_folder / "pg_dump"), "-Fc", "-f", str(case.dump), case.url], check=True)
    found = outcomes(verify(case.dump, manifest=replace(case.manifest, dump_file=None)))
    assert found.pop("rows.fingerprint") == "failed"
    assert set(found.values()) == {"passed"}


def test_without_manifest_only_the_file_is_asked(case: Case) -> None:
    result = verify(case.dump)
    assert set(outcomes(result)) == {"dump.complete", "dump.rows_readable", "migrations.state"}
    assert result.verdict is Outcome.PASSED
    assert result.sentence.endswith(WITHOUT_MANIFEST)
    assert result.to_dict()["skipped"] == [WITHOUT_MANIFEST]


def test_the_ledger_of_any_tool_is_asked_and_one_that_is_stuck_is_a_warning(case: Case, server: EmbeddedServer) -> None:
    case.execute("CREATE SCHEMA go; CREATE TABLE go.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    case.execute("INSERT INTO go.schema_migrations VALUES (7, true)")
    subprocess.run([str(server.bin_folder / "pg_dump"), "-Fc", "-f", str(case.dump), case.url], check=True)
    found = outcomes(verify(case.dump))
    assert found["migrations.state#golang-migrate go.schema_migrations"] == "warned"
    assert found["migrations.state#prisma public._prisma_migrations"] == "passed"


def test_of_a_dump_without_a_manifest_every_ledger_is_proven(case: Case, server: EmbeddedServer) -> None:
    case.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('aaa')")
    subprocess.run([str(server.bin_folder / "pg_dump"), "-Fc", "-f", str(case.dump), case.url], check=True)

    def proven() -> dict[str, str]:
        with snapshot(case.url) as live:
            return {c.id: str(c.outcome) for c in prove(read_dump(case.dump), live).check_list if c.id.startswith("migrations")}

    alembic, prisma = "migrations.ledger#alembic public.alembic_version", "migrations.ledger#prisma public._prisma_migrations"
    assert proven() == {alembic: "passed", prisma: "passed"}
    case.execute("UPDATE alembic_version SET version_num = 'bbb'")
    assert proven() == {alembic: "failed", prisma: "passed"}


def test_a_manifest_records_the_ledger_of_any_tool(case: Case) -> None:
    case.execute("DROP TABLE _prisma_migrations; CREATE TABLE app_schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp)")
    case.execute("INSERT INTO app_schema_migrations VALUES (1, now())")
    with snapshot(case.url) as live:
        ledger = take_manifest(live).ledger
    assert ledger is not None
    assert (ledger.tool, str(ledger.table), len(ledger.migrations)) == ("ecto", "public.app_schema_migrations", 1)


def test_a_missing_required_table_fails(case: Case) -> None:
    assert outcomes(verify(case.dump, require=["invoices"]))["tables.required"] == "failed"


def test_the_database_itself_is_proven(case: Case) -> None:
    result = case.prove()
    assert result.verdict is Outcome.PASSED, result.sentence
    assert {"sequences.ahead", "indexes.valid", "foreign_keys.valid", "migrations.ledger"} <= set(outcomes(result))


@pytest.mark.parametrize(
    ("sql", "failing"),
    [
        ("DELETE FROM children WHERE id = 5", {"rows.count", "rows.fingerprint"}),
        ("UPDATE children SET doc = '{\"i\": -1}' WHERE id = 5", {"rows.fingerprint"}),
        ("DROP INDEX children_doc", {"objects.match", "indexes.valid"}),
        ("ALTER TABLE children DROP CONSTRAINT children_parent_id_fkey", {"objects.match", "foreign_keys.valid"}),
        ("ALTER TABLE parents ALTER COLUMN name SET DEFAULT 'y'", {"objects.match"}),
        ("COMMENT ON TABLE parents IS 'other'", {"objects.match"}),
        ("SELECT setval('parents_id_seq', 5)", {"sequences.ahead"}),
        ("UPDATE _prisma_migrations SET checksum = 'bb'", {"rows.fingerprint", "migrations.ledger"}),
        ("DROP VIEW names", {"objects.match"}),
        ("CREATE TABLE extra (a int)", {"objects.match", "rows.count", "rows.fingerprint"}),
    ],
)
def test_each_broken_thing_fails_its_checks_and_no_others(case: Case, sql: str, failing: set[str]) -> None:
    case.execute(sql)
    result = case.prove()
    assert result.verdict is Outcome.FAILED
    assert {check for check, outcome in outcomes(result).items() if outcome == "failed"} == failing
    assert result.next_steps


def test_a_dump_compares_as_the_same_under_another_time_zone_of_the_server(case: Case) -> None:
    name = case.url.split("/")[-1].split("?")[0]
    case.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kolkata'")
    with diff(str(case.dump), case.url) as difference:
        assert difference.verdict == "same", difference.to_dict()


@pytest.mark.parametrize(("dumped", "live"), [("hex", "escape"), ("escape", "hex")])
@pytest.mark.parametrize("values", [r"'\xdeadbeef', '{\x00,NULL,\x61}'", r"NULL, '{\x0102}'", "'plain', NULL"])
def test_a_dump_compares_as_the_same_under_another_bytea_output(
    server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path, dumped: str, live: str, values: str
) -> None:
    url = make_database()
    name = url.split("/")[-1].split("?")[0]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET bytea_output = '{dumped}'".encode())
        connection.execute("CREATE TABLE t (id int, b bytea, bs bytea[])")
        connection.execute(f"INSERT INTO t VALUES (1, NULL, NULL), (2, '', '{{}}'), (3, {values})".encode())
    subprocess.run([str(server.bin_folder / "pg_dump"), "-Fc", "-f", str(tmp_path / "d"), url], check=True)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET bytea_output = '{live}'".encode())
    with diff(tmp_path / "d", url) as difference:
        assert difference.verdict == "same", difference.row_result("t")


def test_a_manifest_and_a_live_database_compare_like_a_dump_without_rows(case: Case) -> None:
    case.execute("DELETE FROM children WHERE id <= 10")
    with diff(case.manifest, case.url) as difference:
        assert difference.verdict == "different"
        (table,) = difference.table_differences
        assert (table.name, table.rows_left, table.rows_right) == (TableName("public", "children"), 3000, 2990)
        assert "not the rows" in difference.row_result("children").why_not


def test_a_schema_only_dump_is_not_checked_for_rows_unless_told(case: Case, server: EmbeddedServer) -> None:
    subprocess.run([str(server.bin_folder / "pg_dump"), "-s", "-Fc", "-f", str(case.dump), case.url], check=True)
    with diff(case.dump, case.url) as difference:
        assert difference.verdict == "not_checked"
        assert any("children" in s.what for s in difference.skipped)
    with diff(case.dump, case.url, schema_only=True) as difference:
        assert difference.verdict == "same"
    said = verify(case.dump)
    assert (said.verdict, said.skipped) == ("warned", ("It holds no rows, only the definitions of 3 tables.", WITHOUT_MANIFEST))
    assert said.sentence == "app.dump: dump.rows_held warned — no rows, only the definitions of 3 tables."
    assert outcomes(said) == {"dump.complete": "passed", "dump.rows_held": "warned"}
    assert sorted(said.findings("dump.rows_held")["table"]) == sorted(
        f"{o.key.schema}.{o.key.name}" for o in case.manifest.inventory.of_kind("TABLE")
    )
    assert verify(case.dump, require=["children"]).verdict == "failed", "as the remedy says"
    against = verify(case.dump, manifest=replace(case.manifest, dump_file=None))
    assert any(step.startswith("Give a dump that holds these rows") for step in against.next_steps)


@pytest.mark.parametrize(
    "options", [("-Fc",), ("-Fd",), ("-Ft",), ("-Fp",), ("-Fp", "--inserts"), ("-Fp", "--rows-per-insert=9")], ids=" ".join
)
@pytest.mark.parametrize("told", [(), ("--schema-only",)], ids=["all", "schema only"])
def test_tables_that_were_empty_are_told_from_rows_that_were_left_out(
    case: Case, server: EmbeddedServer, tmp_path: Path, options: tuple[str, ...], told: tuple[str, ...]
) -> None:
    for name in case.manifest.table_data:
        case.execute(f"TRUNCATE {name} CASCADE")
    pg_dump = [str(server.bin_folder / "pg_dump"), *options, *told, "-f", str(tmp_path / "empty"), case.url]
    subprocess.run(pg_dump, check=True)
    found = outcomes(verify(tmp_path / "empty"))
    assert found["dump.complete"] == "passed"
    assert found.get("dump.rows_held") == ("warned" if told else None)


def test_of_a_script_of_a_cluster_the_databases_without_rows_are_named(case: Case, server: EmbeddedServer, tmp_path: Path) -> None:
    script = tmp_path / "cluster.sql"
    subprocess.run([str(server.bin_folder / "pg_dumpall"), "--schema-only", "-f", str(script), f"--dbname={server.url()}"], check=True)
    found = verify(script)
    assert outcomes(found)[f"dump.rows_held#{case.manifest.provenance.database}"] == "warned"
    script.write_bytes(script.read_bytes()[:-200])
    assert verify(script).verdict == "failed"


def test_of_a_file_that_is_cut_off_before_its_rows_it_is_not_said_that_it_was_to_have_none(case: Case, server: EmbeddedServer) -> None:
    subprocess.run([str(server.bin_folder / "pg_dump"), "-Fp", "-f", str(case.dump), case.url], check=True)
    case.dump.write_bytes(case.dump.read_bytes().partition(b"\n-- Data for Name")[0])
    assert outcomes(verify(case.dump)) == {"dump.complete": "failed"}


def test_a_dump_without_the_rows_of_some_tables_says_which(case: Case, server: EmbeddedServer) -> None:
    pg_dump = [str(server.bin_folder / "pg_dump"), "--exclude-table-data=children"]
    subprocess.run([*pg_dump, "-f", str(case.dump), case.url], check=True)
    assert verify(case.dump).skipped == ("It holds no rows of public.children.", WITHOUT_MANIFEST)


def test_a_data_only_dump_vouches_for_rows_and_never_for_objects(case: Case, server: EmbeddedServer) -> None:
    subprocess.run([str(server.bin_folder / "pg_dump"), "-a", "-Fc", "-f", str(case.dump), case.url], check=True)
    with diff(case.dump, case.url) as difference:
        assert difference.verdict == "not_checked"
        assert [s.what for s in difference.skipped] == ["objects"]
    with diff(case.dump, case.url, data_only=True) as difference:
        assert difference.verdict == "same", difference.to_dict()
        assert [s.what for s in difference.skipped] == ["objects"]


def test_a_difference_closes_what_it_opened_and_nothing_else(case: Case) -> None:
    with snapshot(case.url) as mine:
        with diff(case.dump, mine) as difference:
            assert difference.verdict == "same"
        assert mine.table_data, "a source that was handed in stays open"
    with diff(case.dump, case.url) as difference:
        live = difference.right
    with pytest.raises(UsageError, match="closed"):
        live.fingerprint(TableName("public", "children"), ("id",))


def test_mirrored_and_empty_on_itself(case: Case) -> None:
    with diff(case.dump, case.dump) as difference:
        assert difference.verdict == "same"
    case.execute("DROP VIEW names; DELETE FROM children WHERE id = 3")
    with diff(case.dump, case.url) as there, diff(case.url, case.dump) as back:
        assert [(d.key, d.status) for d in there.object_differences] == [(d.key, "only_left") for d in back.object_differences]
        assert there.row_result("children").counts.missing == back.row_result("children").counts.extra == 1
        assert there.rows("children")["key"].tolist() == ["id=3"]
