"""No question is lost, and none is green over nothing: what stands beside a dump, many databases, one that cannot be read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import psycopg
import pytest

from pgaudit_kit.audits.beside import beside, earlier_backups
from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.checks.sequences import check_sequence_values
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.config import Config
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest, manifest_beside
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import snapshot
from tests.migration_tools.prisma_project import LEDGER

NAME = "app-20260310T120000Z"
CLUSTER = """--
-- PostgreSQL database cluster dump
--

SET default_transaction_read_only = off;

--
-- Databases
--

\\connect app

--
-- PostgreSQL database dump
--

SET statement_timeout = 0;

--
-- Name: t; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t (
    a integer
);

COPY public.t (a) FROM stdin;
1
\\.

--
-- PostgreSQL database dump complete
--

--
-- PostgreSQL database cluster dump complete
--
"""


class Case:
    """A database with one table and one ledger, a dump of it and its manifest."""

    def __init__(self, server: EmbeddedServer, url: str, folder: Path) -> None:
        self.url, self.dump = url, folder / f"{NAME}.dump"
        self.execute("CREATE TABLE t (id serial PRIMARY KEY, other int REFERENCES t)", "INSERT INTO t DEFAULT VALUES", LEDGER)
        self.execute("INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('1', '', 'one', now())")
        subprocess.run([str(server.bin_folder / "pg_dump"), "-Fc", "-f", str(self.dump), url], check=True)
        with snapshot(url) as live:
            taken = take_manifest(live)
        self.manifest = replace(taken, dump_file=file_digest(self.dump), target="here:1/app", dump_form="custom")
        manifest_beside(self.dump).write_text(self.manifest.to_json(), encoding="utf-8")

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for sql in statements:
                connection.execute(sql.encode())

    def evidence(self, verdict: str) -> str:
        assert self.manifest.dump_file
        sha256 = self.manifest.dump_file.sha256
        return Evidence(Proof.REHEARSED, "2026-03-10T13:00:00+00:00", "me@there", verdict, sha256, 5.0, "PostgreSQL 18", 12.5).to_json()

    def before(self, taken_at: str = "2026-01-01T00:00:00+00:00") -> Manifest:
        """A backup before it, which was larger and had one table more."""
        assert self.manifest.dump_file
        name = TableName("public", "gone")
        gone = replace(self.manifest.table_data[TableName("public", "t")], name=name, rows=3)
        larger = replace(self.manifest.dump_file, size_bytes=10**9)
        return replace(self.manifest, taken_at=taken_at, table_data={**self.manifest.table_data, name: gone}, dump_file=larger)


@pytest.fixture
def case(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> Case:
    return Case(server, make_database(), tmp_path)


def outcomes(result: AuditResult) -> dict[str, str]:
    found = {c.id: str(c.outcome) for c in result.check_list}
    assert len(found) == len(result.check_list), "each has an id of its own"
    return found


def test_what_is_asked_of_the_target_again_has_the_id_and_the_evidence(case: Case) -> None:
    case.execute("INSERT INTO t DEFAULT VALUES")
    result = verify(case.dump, case.url)
    found = outcomes(result)
    assert (found["rows.count"], found["rows.count#manifest"]) == ("failed", "passed")
    assert result.findings("rows.count")["table"].tolist() == ["public.t"]
    assert "rows.count#manifest" not in outcomes(verify(case.dump)), "there is only one to be asked"


@pytest.mark.parametrize("form", ["-Fc", "-Ft", "-Fp", "-FpC", "-FcC"])
def test_a_dump_of_nothing_is_never_green(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path, form: str) -> None:
    options = [form[:3], *["-C"] * form.endswith("C")]
    subprocess.run([str(server.bin_folder / "pg_dump"), *options, "-f", str(tmp_path / "x"), make_database()], check=True)
    result = verify(tmp_path / "x")
    assert outcomes(result) == {"dump.complete": "not_checked"}
    assert "nothing is in it" in result.sentence


def test_thresholds_hold_for_scripts_of_many_databases(tmp_path: Path) -> None:
    path = tmp_path / "all.sql"
    path.write_text(CLUSTER)
    assert outcomes(verify(path))["dump.complete#app"] == "passed"
    found = outcomes(verify(path, config=Config(rpo=timedelta(hours=1), rto=timedelta(hours=1), smallest_size_bytes=10**6)))
    assert (found["dump.age"], found["dump.size"], found["restore.duration"]) == ("not_checked", "failed", "not_checked")
    with pytest.raises(UsageError, match="a Prisma schema is of one database"):
        verify(path, config=Config(prisma_schema=tmp_path))
    with pytest.raises(UsageError, match="a list of required tables is of one database"):
        verify(path, config=Config(required_tables=("t",)))


@pytest.mark.parametrize(("verdict", "outcome"), [("passed", "passed"), ("not_checked", "passed"), ("failed", "not_checked")])
def test_a_rehearsal_that_failed_does_not_say_how_long_one_takes(case: Case, verdict: str, outcome: str) -> None:
    case.dump.with_name(NAME + Proof.REHEARSED.suffix).write_text(case.evidence(verdict), encoding="utf-8")
    assert outcomes(verify(case.dump, config=Config(rto=timedelta(minutes=1))))["restore.duration"] == outcome


def test_what_stands_beside_a_dump_behind_a_url_is_looked_at(case: Case) -> None:
    store = fsspec.filesystem("memory")
    store.pipe(f"/neighbours/{NAME}.dump", case.dump.read_bytes())
    store.pipe(f"/neighbours/{NAME}.manifest.json", case.manifest.to_json().encode())
    url, settings = f"memory://neighbours/{NAME}.dump", Config(rto=timedelta(minutes=1))
    alone = outcomes(verify(url, config=settings))
    assert {"dump.size", "tables.last_backup"}.isdisjoint(alone)
    assert alone["restore.duration"] == "not_checked"
    store.pipe("/neighbours/app-20260101T000000Z.manifest.json", case.before().to_json().encode())
    store.pipe(f"/neighbours/{NAME}.rehearsed.json", case.evidence("passed").encode())
    result = verify(url, config=settings)
    found = outcomes(result)
    assert (found["dump.size"], found["tables.last_backup"], found["restore.duration"]) == ("warned", "warned", "passed")
    assert result.findings("tables.last_backup")["table"].tolist() == ["public.gone"]


def test_of_a_store_with_years_of_backups_only_the_newest_before_it_are_read(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fsspec.filesystem("memory")
    for day in range(1, 29):
        taken = case.before(f"2026-02-{day:02}T00:00:00+00:00")
        store.pipe(f"/years/app-202602{day:02}T000000Z.manifest.json", taken.to_json().encode())
        store.pipe(f"/years/other-202602{day:02}T000000Z.manifest.json", b"{")
    store.pipe("/years/app-20260401T000000Z.manifest.json", b"{")
    read: list[str] = []
    cat_file = type(store).cat_file

    def counted(self: object, path: str, *given: object, **named: object) -> bytes:
        read.append(path.rpartition("/")[2])
        content: bytes = cat_file(self, path, *given, **named)
        return content

    monkeypatch.setattr(type(store), "cat_file", counted)
    found, why_none = earlier_backups(beside(f"memory://years/{NAME}.dump"), case.manifest)
    assert [m.taken_at[:10] for m in found] == [f"2026-02-{day}" for day in range(28, 23, -1)]
    assert not why_none
    assert len(read) == 20
    assert all(name.startswith("app-202602") for name in read)


def test_a_folder_that_cannot_be_listed_is_told_and_is_no_fault_of_the_backup(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fsspec.filesystem("memory")
    store.pipe(f"/closed/{NAME}.dump", case.dump.read_bytes())
    store.pipe(f"/closed/{NAME}.manifest.json", case.manifest.to_json().encode())

    def closed(*given: object, **named: object) -> None:
        raise PermissionError(f"{given} {named}")

    monkeypatch.setattr(type(store), "ls", closed)
    result = verify(f"memory://closed/{NAME}.dump")
    assert result.verdict == "passed"
    assert "cannot be listed" in result.sentence


def test_a_manifest_beside_it_with_a_time_of_no_zone_is_no_backup_before_it(case: Case) -> None:
    case.dump.with_name("app-20260101T000000Z.manifest.json").write_text(case.before("2026-01-01T00:00:00").to_json())
    case.dump.with_name("app-20260102T000000Z.manifest.json").write_text(case.before("yesterday").to_json())
    assert "tables.last_backup" not in outcomes(verify(case.dump))


def test_a_live_database_that_cannot_be_read_loses_no_question(case: Case) -> None:
    whole = set(outcomes(verify(case.url, require=["t"])))
    with snapshot(case.url) as live, psycopg.connect(case.url, autocommit=True) as other:
        (pid,) = (row["pid"] for row in live.ask("SELECT pg_backend_pid() AS pid"))
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        result = verify(live, require=["t"])
    assert set(outcomes(result)) >= whole
    assert set(outcomes(result).values()) == {"not_checked"}, result.checks.to_string()


def test_what_there_is_none_of_is_said_and_neither_passes_nor_shouts(make_database: Callable[..., str]) -> None:
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int)")
    result = verify(url)
    assert result.verdict == "passed"
    assert {"foreign_keys.valid", "indexes.valid", "triggers.enabled", "materialized_views.populated"}.isdisjoint(outcomes(result))
    assert "no foreign key" in result.sentence
    assert "no materialized view" in result.sentence


def test_a_ledger_that_this_role_may_not_read_is_not_checked(case: Case) -> None:
    case.execute("CREATE ROLE peeper LOGIN", "GRANT SELECT ON t, t_id_seq TO peeper")
    try:
        result = verify(case.url.replace("postgres@", "peeper@"))
    finally:
        case.execute("DROP OWNED BY peeper", "DROP ROLE peeper")
    assert outcomes(result)["migrations.state"] == "not_checked"


def _sequences(last_value: str | None) -> Inventory:
    return Inventory((DatabaseObject(ObjectKey("SEQUENCE", "public", "s"), {"last_value": last_value, "is_called": "true"}),))


@pytest.mark.parametrize(("found", "outcome", "compared"), [("5", "passed", 1), ("6", "warned", 1), (None, "not_checked", 0)])
def test_a_sequence_that_cannot_be_read_has_not_moved(found: str | None, outcome: str, compared: int) -> None:
    check = check_sequence_values(_sequences("5"), _sequences(found))
    assert (check.outcome, check.compared) == (outcome, compared)
    assert check_sequence_values(_sequences(None), _sequences(found)).outcome == "not_checked"
