"""Every format in every compression, whoever compresses, is a dump that is read back whole; and what a dump leaves out is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import BackupFailed, ProgramNotFound
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.backups.part import Part
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.store.verify_all import verify_all
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Outcome
from tests.conftest import missing
from tests.operations.conftest import APP
from tests.postgres_versions import installation

MakeApp = Callable[..., str]
ALGORITHMS = ("none", "gzip:1", "lz4", "zstd:2")
SUFFIXES = {"custom": ".dump", "directory": ".dir", "plain": ".sql", "tar": ".tar"}
STREAMS = {"none": "", "gzip:1": ".gz", "lz4": ".lz4", "zstd:2": ".zst"}
# JSONB of every shape, lists four levels deep, and what COPY has to escape
SHAPES = r"""
CREATE TABLE "Shapes of ""all"" kinds" (id int PRIMARY KEY, "the body" jsonb, deep int[][][][], texts text[]);
INSERT INTO "Shapes of ""all"" kinds" VALUES
    (1, 'null', NULL, NULL), (2, 'true', '{}', '{}'),
    (3, '12345678901234567890.123456789', '{{{{1,2},{3,NULL}}}}', ARRAY[NULL, '', 'NULL']),
    (4, '"\\ \" \t \n é 🌱 \u2028"', NULL, ARRAY[E'a\tb\nc\\d"e', '{x}']), (5, '[]', NULL, NULL), (6, '{}', NULL, NULL),
    (7, '{"": {"a b": [[[[1, {"c": null}], []]]], "ключ": {"": ""}}}', NULL, NULL),
    (8, (SELECT jsonb_agg(n) FROM generate_series(1, 5000) n), NULL, NULL),
    (9, (SELECT jsonb_object_agg('k' || n, repeat('v', n)) FROM generate_series(1, 300) n), NULL, NULL), (10, NULL, NULL, NULL);
"""


@pytest.fixture(scope="module", params=[15, 18])
def origin(request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer]) -> tuple[int, str]:
    """A major version, and the URL of a database of such a server."""
    running = server_of(request.param)
    with psycopg.connect(running.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS formats")
        connection.execute("CREATE DATABASE formats TEMPLATE template0")
    with psycopg.connect(running.url("formats")) as connection:
        connection.execute((APP + SHAPES).encode())
    return request.param, running.url("formats")


@pytest.mark.parametrize("compression", ALGORITHMS)
@pytest.mark.parametrize("dump_format", SUFFIXES)
def test_each_format_in_each_compression_holds_every_row(
    dump_format: str, compression: str, origin: tuple[int, str], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    major, url = origin
    monkeypatch.setenv("PGBIN", str(installation(major, missing).bin_folder))
    if major < 16 and dump_format in ("custom", "directory") and compression[0] in "lz":
        with pytest.raises(ProgramNotFound, match=f"that compresses with {compression.partition(':')[0]}"):
            backup_without_newer(url, store, dump_format, compression, monkeypatch)
        return
    jobs = 2 if dump_format == "directory" else 1
    made = backup(url, store=store, format=dump_format, compression=compression, jobs=jobs)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    stream = STREAMS[compression] if dump_format in ("plain", "tar") else ""
    assert made.path.name.endswith(SUFFIXES[dump_format] + stream)
    assert made.manifest.dump_form == f"{dump_format}, {compression}"
    assert all(p.stat().st_mode & 0o077 == 0 for p in store.rglob("*"))
    again = verify(made.path)
    assert (again.verdict, "dump.digest" in {c.id for c in again.check_list}) == (Outcome.PASSED, True)
    rows = read_dump(made.path).fingerprint(TableName("public", 'Shapes of "all" kinds'))
    assert (rows.rows, rows) == (10, made.manifest.fingerprint(TableName("public", 'Shapes of "all" kinds')))


def backup_without_newer(url: str, store: Path, dump_format: str, compression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Back up on a machine that has no newer pg_dump than the one of PGBIN."""
    monkeypatch.setattr("pgaudit_kit.operations.programs.client_programs._USUAL_FOLDERS", {})
    monkeypatch.setenv("PATH", "")
    backup(url, store=store, format=dump_format, compression=compression)


def test_a_pg_dump_of_13_compresses_too(server_of: Callable[[int], EmbeddedServer], store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = installation(13, missing)
    url = server_of(13).url()
    monkeypatch.setenv("PGBIN", str(found.bin_folder))
    for dump_format, compression in [("custom", "gzip:9"), ("directory", "none"), ("plain", "zstd"), ("tar", "lz4:9")]:
        made = backup(url, store=store, format=dump_format, compression=compression)
        assert made.manifest.provenance.pg_dump_version == found.version
        assert made.verdict is not Outcome.FAILED


def test_a_damaged_stream_of_ours_is_found(make_app: MakeApp, store: Path) -> None:
    made = backup(make_app("stream"), store=store, format="tar", compression="zstd")
    content = bytearray(made.path.read_bytes())
    content[len(content) // 2] ^= 1
    made.path.write_bytes(content)
    assert verify(made.path).verdict is Outcome.FAILED


def test_a_portable_backup_says_what_it_leaves_out_and_a_full_one_has_it(make_app: MakeApp, store: Path, server: EmbeddedServer) -> None:
    url = make_app("owned")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute('CREATE ROLE "the reader"; GRANT SELECT ON users TO "the reader"')
    try:
        portable, full = backup(url, store=store), backup(url, store=store, full=True)
        assert {portable.verdict, full.verdict} == {Outcome.PASSED}
        assert [sorted(made.manifest.leaves_out) for made in (portable, full)] == [["acl", "owner"], []]
        assert "owners and privileges were left out" in verify(portable.path).sentence
        assert not verify(full.path).skipped
        acls = [[e for e in read_dump(made.path).toc_entries if e.desc == "ACL"] for made in (portable, full)]
        assert [len(found) for found in acls] == [0, 1]
        needs = portable.manifest.needs
        assert needs is not None
        assert {"the reader", "postgres"} <= {*needs.roles}
        assert portable.manifest.wal_lsn
        assert portable.manifest.target.endswith("/owned")
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute('DROP OWNED BY "the reader"; DROP ROLE "the reader"')


def test_roles_are_beside_it_without_hashes_unless_asked_for(make_app: MakeApp, store: Path) -> None:
    url = make_app("with_globals")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE keeper LOGIN PASSWORD 'planted'")
    try:
        for passwords in (False, True):
            made = backup(url, store=store, globals=True, role_passwords=passwords)
            assert made.verdict is Outcome.PASSED, made.checks.to_string()
            assert made.manifest.globals_file is not None
            path = store / made.manifest.globals_file.name
            text = path.read_text(encoding="utf-8")
            assert "CREATE ROLE keeper" in text
            assert ("SCRAM-SHA-256" in text) is passwords
            assert path.stat().st_mode & 0o777 == 0o600
            assert made.to_dict()["globals"] == str(path)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP ROLE keeper")


def test_roles_beside_it_that_were_changed_are_found_and_missing_ones_are_said(make_app: MakeApp, store: Path) -> None:
    url = make_app("with_globals")
    made = backup(url, store=store, globals=True)
    assert made.manifest.globals_file is not None
    path = store / made.manifest.globals_file.name
    script = path.read_bytes()

    def outcomes() -> set[Outcome]:
        again = [check for deep in (False, True) for one in verify_all(store, deep=deep).backups for check in one.check_list]
        return {check.outcome for check in (*verify(made.path).check_list, *again) if check.id == "globals.digest"}

    assert outcomes() == {Outcome.PASSED}
    path.write_bytes(script.replace(b"CREATE ROLE", b"CREATE  ROLE", 1))
    assert outcomes() == {Outcome.FAILED}
    assert verify(made.path).verdict is verify_all(store).verdict is Outcome.FAILED
    assert restore(made, url, confirm=lambda _: True, drop_old=True).replaced  # which does not use them
    path.unlink()
    assert outcomes() == {Outcome.WARNED}
    path.write_bytes(script)
    assert verify_all(store).verdict is Outcome.PASSED


def test_roles_that_may_not_be_read_leave_a_backup_that_says_so(make_app: MakeApp, store: Path) -> None:
    url = make_app("no_globals")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE ROLE humble LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO humble; "
            "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO humble"
        )
    try:
        made = backup(url.replace("postgres@", "humble@"), store=store, globals=True, role_passwords=True)
        (check,) = [c for c in made.check_list if c.id == "backup.globals"]
        assert (check.outcome, made.verdict) == (Outcome.NOT_CHECKED, Outcome.NOT_CHECKED)
        assert "pg_authid" in check.found
        assert not [p for p in store.iterdir() if p.name.endswith(".globals.sql")]
        assert verify(made.path).verdict is Outcome.PASSED
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY humble; DROP ROLE humble")


PARTS = (
    APP
    + """
CREATE SCHEMA "Other one"; CREATE TABLE "Other one".users (id int PRIMARY KEY); INSERT INTO "Other one".users VALUES (1), (2);
CREATE TABLE "Other one"."Log File" (n serial); INSERT INTO "Other one"."Log File" DEFAULT VALUES;
"""
)


@pytest.mark.parametrize(
    ("part", "rows"),
    [
        (Part(tables=("users",)), {"public.users": 500, '"Other one".users': 2}),
        (Part(tables=("public.*",), exclude_tables=("mess*",)), {"public.users": 500}),
        (Part(schemas=('"Other one"',)), {'"Other one".users': 2, '"Other one"."Log File"': 1}),
        (Part(exclude_schemas=("public",)), {'"Other one".users': 2, '"Other one"."Log File"': 1}),
        (Part(exclude_table_data=("public.messages", '"Log File"')), {"public.users": 500, '"Other one".users': 2}),
        (Part(schema_only=True), {}),
    ],
)
@pytest.mark.parametrize("dump_format", ["custom", "plain"])
def test_a_part_is_never_taken_for_the_whole(part: Part, rows: dict[str, int], dump_format: str, make_app: MakeApp, store: Path) -> None:
    made = backup(make_app("parts", PARTS), store=store, part=part, format=dump_format)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    assert {str(name): data.rows for name, data in made.manifest.table_data.items()} == rows
    assert {str(n): d.rows for n, d in read_dump(made.path).table_data.items()} == rows
    assert made.manifest.partial == part.to_partial() != {}
    assert "backup.part" in {c.id for c in made.check_list}
    again = verify(made.path)
    assert again.verdict is Outcome.PASSED
    assert "It is partial: " in again.sentence


PARTITIONED = """
CREATE TABLE "Events of" (day int) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF "Events of" FOR VALUES FROM (0) TO (10); CREATE TABLE events_2 PARTITION OF "Events of" DEFAULT;
INSERT INTO "Events of" VALUES (1), (20)"""


@pytest.mark.parametrize(
    ("part", "outcome"),
    [
        (Part(tables=('"Events of"',)), Outcome.WARNED),
        (Part(tables=('"Events of"', "events_1")), Outcome.WARNED),
        (Part(tables=('"Events of"', "events_*")), Outcome.PASSED),
        (Part(tables=('"Events of"', "events_1"), exclude_tables=("events_2",)), Outcome.PASSED),
        (Part(exclude_table_data=("events_2",)), Outcome.PASSED),
    ],
)
def test_a_chosen_table_whose_rows_are_in_partitions_that_were_not_is_no_green(
    part: Part, outcome: Outcome, make_app: MakeApp, store: Path
) -> None:
    made = backup(make_app("partitioned", PARTITIONED), store=store, part=part)
    (check,) = [c for c in made.check_list if c.id == "backup.part"]
    assert check.outcome is made.verdict is outcome, made.checks.to_string()
    assert ("partition public.events_2" in check.found) is (outcome is Outcome.WARNED)


def test_a_pattern_that_fits_nothing_leaves_no_backup(make_app: MakeApp, store: Path) -> None:
    with pytest.raises(BackupFailed, match="no matching tables were found"):
        backup(make_app("nothing"), store=store, part=Part(tables=("no_such_table",)))
    assert [*store.iterdir()] == []


def test_a_part_that_lacks_a_chosen_table_gets_no_name(
    make_app: MakeApp, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: EmbeddedServer
) -> None:
    liar = tmp_path / "bin" / "pg_dump"
    liar.parent.mkdir()
    liar.write_text(f'#!/bin/sh\nexec "{server.bin_folder}/pg_dump" "$@" --exclude-table=public.messages\n')
    liar.chmod(0o755)
    monkeypatch.setenv("PGBIN", str(liar.parent))
    with pytest.raises(BackupFailed, match=r"backup\.part failed — without TABLE public\.messages"):
        backup(make_app("part_liar"), store=store, part=Part(schemas=("public",)))
    assert [*store.iterdir()] == []
