"""Prisma: schemas, checksums byte for byte, what is recorded in a manifest, secrets, what cannot be asked."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import pgaudit_kit as pk
from pgaudit_kit.audits.migrations import MigrationsResult
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.demo.sample_app import APPLICATION, create_sample_app
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.migration_tools.prisma_cases import ALL
from tests.migration_tools.prisma_project import PrismaProject

Make = Callable[..., str]


@pytest.fixture
def project(make_database: Make, tmp_path: Path) -> PrismaProject:
    return PrismaProject(make_database(), tmp_path)


def outcomes(result: MigrationsResult) -> dict[str, str]:
    return {c.id: str(c.outcome) for c in result.check_list}


def test_the_ledger_is_found_in_the_schema_that_the_url_names(make_database: Make, tmp_path: Path) -> None:
    project = PrismaProject(make_database(), tmp_path, schema="billing")
    project.deploy(*ALL)
    separator = "&" if "?" in project.url else "?"
    there = pk.migrations(f"{project.url}{separator}schema=billing", tmp_path)
    assert there.verdict == "passed", there.sentence
    assert [says.exit_code for says in there.tool_says] == [0]
    elsewhere = pk.migrations(project.url, tmp_path)
    assert "Prisma looks in schema public" in elsewhere.sentence
    assert [says.exit_code for says in elsewhere.tool_says] == [1], "Prisma sees no ledger there, so all are pending to it"
    assert {str(m.state) for m in elsewhere.migrations} == {"applied"}


def test_one_ledger_per_schema(make_database: Make, tmp_path: Path) -> None:
    project = PrismaProject(make_database(), tmp_path)
    project.deploy(*ALL)
    project.execute("CREATE SCHEMA other; CREATE TABLE other._prisma_migrations (LIKE public._prisma_migrations)")
    project.execute("INSERT INTO other._prisma_migrations SELECT * FROM public._prisma_migrations LIMIT 1")
    result = pk.migrations(project.url)
    assert {m.table for m in result.migrations} == {"public._prisma_migrations", "other._prisma_migrations"}
    assert {c.id for c in result.check_list} == {f"migrations.state#prisma {s}._prisma_migrations" for s in ("public", "other")}


def test_a_folder_is_held_against_the_ledger_that_it_belongs_to(server: EmbeddedServer, make_database: Make, tmp_path: Path) -> None:
    project = PrismaProject(make_database(), tmp_path)
    project.deploy(*ALL)
    project.execute("CREATE SCHEMA a; CREATE TABLE a._prisma_migrations (LIKE public._prisma_migrations)")
    columns = "id, checksum, finished_at, migration_name, started_at, applied_steps_count"
    project.execute(f"INSERT INTO a._prisma_migrations ({columns}) VALUES ('1', 'x', now(), 'of_another_app', now(), 1)")
    dump = tmp_path / "app.sql"
    subprocess.run([str(server.bin_folder / "pg_dump"), "-f", str(dump), project.url], check=True)
    for source in (project.url, dump):
        result = pk.migrations(source, project.migrations)
        assert result.verdict == "passed", result.sentence
        assert "The folder was held against public._prisma_migrations" in result.sentence
        assert {m.table: m.file for m in result.migrations} == {"a._prisma_migrations": "", "public._prisma_migrations": "unchanged"}


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (lambda content: content.replace(b"\n", b"\r\n"), "other line ends"),
        (lambda content: content.rstrip(b"\n"), "edited"),
        (lambda content: b"\xef\xbb\xbf" + content, "edited"),
        (lambda content: content + b"\n", "edited"),
        (lambda content: content.replace(b"\n", b"\r\n", 1), "other line ends"),
    ],
)
def test_checksums_are_prisma_s(damage: Callable[[bytes], bytes], file: str, project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.file("1_init").write_bytes(damage(project.file("1_init").read_bytes()))
    assert next(m.file for m in pk.migrations(project.url, project.migrations).migrations if m.name == "1_init") == file


def test_bytes_that_are_not_utf_8_are_hashed_as_prisma_reads_them(project: PrismaProject) -> None:
    project.deploy("1_init", "2_posts")
    project.file("3_names").write_bytes(b"-- \xff\nSELECT 1;\n")
    project.row("3_names")
    lossy = hashlib.sha256("-- \ufffd\nSELECT 1;\n".encode()).hexdigest()
    project.execute('UPDATE "_prisma_migrations" SET checksum = %s WHERE migration_name = %s', lossy, "3_names")
    assert pk.migrations(project.url, project.migrations).migrations[-1].file == "unchanged"


def test_the_error_of_a_failed_one_is_shown_without_its_secrets(project: PrismaProject) -> None:
    project.deploy("1_init")
    project.fail("2_posts", logs="could not connect\nERROR: bad URL postgresql://ann:hunter2@db/app\n")
    result = pk.migrations(project.url, project.migrations)
    said = str(result.to_dict()) + result._repr_html_() + result.frame.to_string()
    assert "ERROR: bad URL" in said
    assert "hunter2" not in said


def test_a_manifest_says_what_the_database_said(project: PrismaProject, tmp_path: Path) -> None:
    project.deploy("1_init", "2_posts")
    project.fail("3_names")
    with pk.snapshot(project.url) as live:
        manifest = take_manifest(live)
    saved = tmp_path / "app.json"
    saved.write_text(manifest.to_json())
    recorded, live_now = pk.migrations(saved, project.migrations), pk.migrations(project.url, project.migrations)
    assert [m.to_dict() for m in recorded.migrations] == [m.to_dict() for m in live_now.migrations]
    assert outcomes(recorded) == outcomes(live_now)


def test_a_dump_without_rows_cannot_say_and_one_without_objects_says_less(
    project: PrismaProject, server: EmbeddedServer, tmp_path: Path
) -> None:
    project.deploy(*ALL)
    for option, expected in {
        "--schema-only": {"migrations.state": "not_checked"},
        "--data-only": {
            "migrations.state": "passed",
            "migrations.files": "passed",
            "migrations.catalog": "not_checked",
            "migrations.order": "passed",
        },
    }.items():
        dump = tmp_path / f"{option}.sql"
        subprocess.run([str(server.bin_folder / "pg_dump"), option, "-f", str(dump), project.url], check=True)
        result = pk.migrations(dump, project.migrations)
        assert outcomes(result) == expected
        assert result.verdict == "not_checked"


def test_a_database_without_a_ledger_has_had_nothing(make_database: Make, tmp_path: Path) -> None:
    project = PrismaProject(make_database(), tmp_path, ledger=False)
    result = pk.migrations(project.url, tmp_path)
    assert outcomes(result) == {
        "migrations.state": "not_checked",
        "migrations.files": "failed",
        "migrations.catalog": "passed",
        "migrations.order": "passed",
    }
    assert {str(m.state) for m in result.migrations} == {"pending"}
    assert pk.migrations(project.url).verdict == "not_checked", "nothing found is never green"
    for name in ALL:
        project.run(name)
    baseline = pk.migrations(project.url, tmp_path)
    assert [m.remedy for m in baseline.migrations] == [f"`prisma migrate resolve --applied {name}`" for name in ALL]


def test_a_statement_that_cannot_be_read_leaves_a_doubt_and_no_alarm(project: PrismaProject) -> None:
    project.write("4_clean", "DO $$ BEGIN EXECUTE 'DROP TABLE \"Post\"'; END $$;")
    project.deploy(*ALL, "4_clean")
    result = pk.migrations(project.url, project.migrations)
    assert outcomes(result)["migrations.catalog"] == "not_checked"
    assert {m.name for m in result.migrations if "catalog" in m.faults} == {"2_posts", "3_names"}


def test_a_tool_or_a_folder_that_is_not_known_is_refused(project: PrismaProject, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no migration tool 'prismo'"):
        pk.migrations(project.url, tool="prismo")
    with pytest.raises(UsageError, match="no such folder"):
        pk.migrations(project.url, tmp_path / "nowhere")
    assert pk.migrations(project.url, tool="django").verdict == "not_checked"


def test_one_that_was_applied_late_and_one_that_an_empty_database_could_not_get(project: PrismaProject) -> None:
    project.deploy("1_init", "2_posts")
    project.write("15_between", 'CREATE INDEX "Post_author_idx" ON "Post"("author");\n')
    project.deploy("3_names", "15_between")
    result = pk.migrations(project.url, project.migrations)
    late = next(m for m in result.migrations if m.name == "15_between")
    assert (late.out_of_order, str(late.state), late.faults) == (True, "applied", {})
    assert "an empty database gets them the other way round" in late.reason
    order = next(c for c in result.check_list if c.id == "migrations.order")
    assert (order.outcome, order.found) == ("warned", "15_between needs TABLE public.Post, which 2_posts makes behind it")
    assert result.verdict == "warned"


def test_the_sample_application_passes_by_all_three(make_database: Make) -> None:
    """Its migrations were written by hand: triggers, functions, views, partial indexes, checks."""
    url = make_database()
    create_sample_app(url, scale=0.001)
    result = pk.migrations(url, APPLICATION)
    assert result.verdict == "passed", result.sentence
    assert {m.file for m in result.migrations} == {"unchanged"}
    assert sum(int(m.catalog.removeprefix("has all ")) for m in result.migrations) > 50


def test_what_the_catalog_holds_decides_what_to_do_about_a_failed_one(project: PrismaProject) -> None:
    project.deploy("1_init", "2_posts")
    project.fail("3_names")
    assert "mend the script" in pk.migrations(project.url, project.migrations).next_steps[0]
    project.run("3_names")
    assert pk.migrations(project.url, project.migrations).next_steps[0].startswith("All of it is there")


def test_commands_can_be_pasted_whatever_the_name(project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.write("4 it's new", 'CREATE TABLE "New" ("id" INTEGER);')
    project.run("4 it's new")
    (step,) = pk.migrations(project.url, project.migrations).next_steps
    assert shlex.split(step.strip("`")) == ["prisma", "migrate", "resolve", "--applied", "4 it's new"]


def test_the_error_is_told_wherever_it_stands_in_the_logs(project: PrismaProject) -> None:
    project.deploy("1_init")
    project.fail("2_posts", logs='external connector error\nError querying the database: ERROR: syntax error at or near "x"\n   0: sql\n')
    (failed,) = [m for m in pk.migrations(project.url).migrations if m.state == "failed"]
    assert failed.reason == 'it began and did not end: ERROR: syntax error at or near "x"'


def test_a_schema_of_several_files_keeps_its_migrations_beside_them(make_database: Make, tmp_path: Path) -> None:
    project = PrismaProject(make_database(), tmp_path / "made")
    project.deploy(*ALL)
    (tmp_path / "app" / "prisma" / "schema").mkdir(parents=True)
    project.migrations.rename(tmp_path / "app" / "prisma" / "schema" / "migrations")
    assert pk.migrations(project.url, tmp_path / "app").verdict == "passed"


def test_an_empty_migration_and_one_of_comments_alone_are_applied_and_nothing_else(project: PrismaProject) -> None:
    project.write("4_empty", "")
    project.write("5_words", "-- This is an empty migration.\n")
    project.deploy(*ALL, "4_empty", "5_words")
    result = pk.migrations(project.url, project.migrations)
    assert result.verdict == "passed"
    assert [m.catalog for m in result.migrations][-2:] == ["makes nothing to look for"] * 2


@pytest.mark.parametrize(
    ("lock", "reads_it"),
    [
        ('# a word\nprovider = "postgresql"\n', True),
        ('# a word\r\nprovider = "postgresql"\r\n', True),
        ('provider = "postgresql"\nother = ', True),
        ('provider = "postgres"', False),
        ('provider="postgresql"', False),
        (' provider = "postgresql"', False),
        ("provider = 'postgresql'", False),
        ('provider = "postgresql" # x', False),
        ('\ufeffprovider = "postgresql"', False),
        ("# only words", False),
        ("", False),
    ],
)
def test_the_lock_file_is_read_as_prisma_reads_it(lock: str, reads_it: bool, project: PrismaProject) -> None:
    """Measured with its engine 7.10, in a schema of either name of the provider."""
    project.deploy(*ALL)
    (project.migrations / "migration_lock.toml").write_bytes(lock.encode())
    result = pk.migrations(project.url, project.migrations)
    assert outcomes(result)["migrations.files"] == ("passed" if reads_it else "failed")
    assert [(s.exit_code, s.says.startswith("P3019")) for s in result.tool_says] == [(0, False) if reads_it else (1, True)]


def test_folders_are_listed_as_prisma_lists_them(project: PrismaProject) -> None:
    """Measured with its engines 6.19 and 7.10: hidden ones are migrations, links and files are none."""
    project.deploy(*ALL)
    (project.migrations / "README.md").write_text("words")
    (project.migrations / "4_link").symlink_to(project.file("1_init").parent, target_is_directory=True)
    assert pk.migrations(project.url, project.migrations).verdict == "passed"
    (project.migrations / ".drafts").mkdir()
    result = pk.migrations(project.url, project.migrations)
    assert [(m.name, str(m.state)) for m in result.migrations][len(ALL) :] == [(".drafts", "pending")]
    assert [(s.exit_code, s.says) for s in result.tool_says] == [(1, "not yet applied: .drafts")]
    assert "remove the folder" in result.next_steps[0]
