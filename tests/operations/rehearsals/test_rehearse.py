"""A rehearsal in a throwaway server: what is right passes, what is not is named, and nothing stays behind."""

from __future__ import annotations

import gzip
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.rehearsals.needs import needs_of
from pgaudit_kit.operations.rehearsals.rehearsal import Rehearsal
from pgaudit_kit.operations.rehearsals.rehearse import rehearse
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.store.list_backups import list_store
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.manifest import bare_name, load_manifest, manifest_beside
from pgaudit_kit.records.verdict import Check, Outcome
from tests.dumps.archives import packed_directory
from tests.operations.conftest import APP

MakeApp = Callable[..., str]
OURS = """
CREATE ROLE rehearsal_owner; CREATE ROLE "Odd ""Reader"" 1"; CREATE ROLE rehearsal_boss;
CREATE SCHEMA owned AUTHORIZATION rehearsal_owner;
CREATE TABLE owned.t (id int PRIMARY KEY, secret text); ALTER TABLE owned.t OWNER TO rehearsal_owner;
GRANT SELECT (id) ON owned.t TO "Odd ""Reader"" 1"; GRANT INSERT ON owned.t TO rehearsal_boss WITH GRANT OPTION;
ALTER TABLE owned.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON owned.t FOR SELECT TO "Odd ""Reader"" 1", rehearsal_boss USING (id > 0);
ALTER DEFAULT PRIVILEGES FOR ROLE rehearsal_boss IN SCHEMA owned GRANT SELECT ON TABLES TO "Odd ""Reader"" 1";
INSERT INTO owned.t VALUES (1, 'a');
"""


def dumped(server: EmbeddedServer, url: str, path: Path, *arguments: str) -> Path:
    subprocess.run([server.bin_folder / "pg_dump", *arguments, "-f", str(path), "-d", url], check=True)
    return path


def rehearsed_beside(dump: Path) -> Path:
    return dump.with_name(bare_name(dump.name) + Proof.REHEARSED.suffix)


def check(found: Rehearsal, name: str) -> Check:
    return next(c for c in found.check_list if c.id == name)


def on(server: EmbeddedServer) -> str:
    """The server as a target: a rehearsal there takes no initdb."""
    return server.url()


@pytest.mark.parametrize("how", [("-Fc",), ("-Fd",), ("-Ft",), ("-Fp",), ("-Fp", "--create"), ("-Fp", "--inserts")], ids=" ".join)
def test_a_dump_of_every_format_restores_to_the_very_same_rows(
    how: tuple[str, ...], make_app: MakeApp, server: EmbeddedServer, tmp_path: Path
) -> None:
    path = dumped(server, make_app("rehearsed"), tmp_path / "app", *how)
    found = rehearse(path, on(server), allow_same_server=True)
    assert found.verdict is Outcome.PASSED, found.checks.to_string()
    assert check(found, "rows.fingerprint").compared == 2
    assert check(found, "objects.match").compared > 10
    assert check(found, "rehearsal.load").compared > 10
    assert found.restored_bytes > 100_000
    assert found.load_seconds > 0


def test_it_chooses_a_server_says_which_and_leaves_nothing_behind(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    path = dumped(server, make_app("chosen"), tmp_path / "app.dump", "-Fc")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to the account that the server runs as
        data = Path(folder)
        data.chmod(0o755)
        found = rehearse(path, folder=data)
        left = list(data.iterdir())
    assert found.verdict is Outcome.PASSED, found.checks.to_string()
    assert found.server == f"PostgreSQL {server.version} (embedded)"
    assert "the dump is of PostgreSQL 18" in found.why
    assert left == []
    assert found.evidence is None, "no backup of ours, so nothing is written beside it"


def test_a_wrapped_archive_is_unpacked_first(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    url = make_app("wrapped")
    zipped = tmp_path / "app.dump.gz"
    zipped.write_bytes(gzip.compress(dumped(server, url, tmp_path / "app.dump", "-Fc").read_bytes(), 1))
    folder = dumped(server, url, tmp_path / "folder", "-Fd")
    packed = tmp_path / "app.tar"
    packed.write_bytes(packed_directory({file.name: file.read_bytes() for file in folder.iterdir()}))
    script = tmp_path / "app.sql.gz"
    script.write_bytes(gzip.compress(dumped(server, url, tmp_path / "app.sql", "-Fp").read_bytes(), 1))
    for path in (zipped, packed, script):
        found = rehearse(path, on(server), allow_same_server=True)
        assert found.verdict is Outcome.PASSED, found.checks.to_string()


def test_a_backup_is_held_against_its_manifest_and_the_evidence_is_kept(make_app: MakeApp, tmp_path: Path) -> None:
    made = backup(make_app("kept"), store=tmp_path)
    found = rehearse(made, "embedded")
    assert found.verdict is Outcome.PASSED, found.checks.to_string()
    assert check(found, "dump.digest").outcome is Outcome.PASSED
    file = rehearsed_beside(made.path)
    assert found.evidence == str(file)
    evidence = Evidence.from_json(file.read_text(), label=file.name)
    assert (evidence.proof, evidence.verdict, evidence.server) == (Proof.REHEARSED, "passed", found.server)
    assert made.manifest.dump_file is not None
    assert evidence.dump_sha256 == made.manifest.dump_file.sha256
    assert evidence.seconds > 0
    assert evidence.megabytes_per_second
    assert {c["id"] for c in evidence.checks} == {c.id for c in found.check_list}
    assert file.stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_of_a_backup_behind_a_url_manifest_and_evidence_are_there_too(make_app: MakeApp, server: EmbeddedServer) -> None:
    url = "memory://rehearsed/there"
    made = backup(make_app("distant"), store=url)
    found = rehearse(made, on(server), allow_same_server=True)
    assert found.verdict is Outcome.PASSED, found.checks.to_string()
    assert check(found, "dump.digest").outcome is Outcome.PASSED, "held against its manifest, not against itself"
    (listed,) = list_store(url).to_dict()["backups"]
    assert listed["rehearsed"]["verdict"] == "passed"
    assert (found.evidence or "").endswith(f"{bare_name(listed['backup'])}.rehearsed.json")
    with pytest.raises(UsageError, match="there is no folder"):
        rehearse(made, folder="/no/such")


def test_a_backup_that_lost_a_row_fails_and_the_table_is_named(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    url = make_app("lost_one")
    made = backup(url, store=tmp_path / "store")
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM messages WHERE id = 7")
    later = dumped(server, url, tmp_path / "later.dump", "-Fc")
    manifest = load_manifest(manifest_beside(made.path))
    found = rehearse(later, on(server), manifest=replace(manifest, dump_file=None), allow_same_server=True)
    assert found.verdict is Outcome.FAILED
    assert check(found, "rehearsal.load").outcome is Outcome.PASSED
    assert "public.messages: 2,000 → 1,999" in check(found, "rows.count").found.replace("2000", "2,000").replace("1999", "1,999")
    assert check(found, "objects.match").outcome is Outcome.PASSED


def test_a_changed_file_fails_before_anything_is_restored_and_the_evidence_says_so(make_app: MakeApp, tmp_path: Path) -> None:
    made = backup(make_app("changed"), store=tmp_path, format="plain")
    made.path.write_bytes(made.path.read_bytes().replace(b"user 17\\t", b"user 71\\t"))
    found = rehearse(made.path)
    assert (found.verdict, found.server) == (Outcome.FAILED, "")
    assert check(found, "dump.digest").outcome is Outcome.FAILED
    file = rehearsed_beside(made.path)
    assert Evidence.from_json(file.read_text(), label=file.name).verdict == "failed"
    (listed,) = list_store(tmp_path).to_dict()["backups"]
    assert (listed["rehearsed"]["verdict"], listed["verdict"]) == ("failed", "failed"), "whoever lists the store is told"


def test_a_script_cut_short_is_not_even_restored(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    path = dumped(server, make_app("cut"), tmp_path / "app.sql", "-Fp")
    path.write_bytes(path.read_bytes()[:-2000])
    found = rehearse(path, on(server), allow_same_server=True)
    assert (found.verdict, found.server) == (Outcome.FAILED, "")
    assert check(found, "dump.complete").outcome is Outcome.FAILED


def test_a_statement_that_fails_is_named_with_its_line_and_the_rest_is_restored(
    make_app: MakeApp, server: EmbeddedServer, tmp_path: Path
) -> None:
    path = dumped(server, make_app("broken"), tmp_path / "app.sql", "-Fp")
    text = path.read_text()
    path.write_text(text.replace("USING gin (body)", "USING gin (no_such_column)"))
    found = rehearse(path, on(server), allow_same_server=True)
    load = check(found, "rehearsal.load")
    assert (found.verdict, load.outcome) == (Outcome.FAILED, Outcome.FAILED)
    line = next(n for n, line in enumerate(text.splitlines(), 1) if "USING gin (body)" in line)
    assert load.found == (
        f'line {line}: CREATE INDEX messages_body ON public.messages USING gin (no_such_column);: column "no_such_column" does not exist'
    )
    assert "messages_body" in check(found, "objects.match").found
    assert check(found, "rows.fingerprint").outcome is Outcome.PASSED


def test_rows_that_break_a_foreign_key_fail(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    url = make_app("orphaned")
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica; DELETE FROM users WHERE id = 3")
    for how in ("-Fc", "-Fp"):
        found = rehearse(dumped(server, url, tmp_path / how, how), on(server), allow_same_server=True)
        load = check(found, "rehearsal.load")
        assert load.outcome is Outcome.FAILED
        assert 'violates foreign key constraint "messages_user_id_fkey"' in load.found
        assert "messages_user_id_fkey" in check(found, "objects.match").found


def test_nothing_in_a_script_is_run_but_its_sql(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    path = dumped(server, make_app("trapped"), tmp_path / "app.sql", "-Fp")
    text = path.read_text()
    # psql would obey both: the second as what it takes the rows for when their COPY has failed
    text = text.replace("CREATE TABLE", f"\\! touch {trap}\nCREATE TABLE", 1)
    text = text.replace("COPY public.users (id", "COPY public.no_such_table (id").replace("1\tuser 1", f"\\! touch {trap}\n1\tuser 1")
    path.write_text(text)
    found = rehearse(path, on(server), allow_same_server=True)
    assert found.verdict is Outcome.FAILED
    assert not trap.exists()


def test_roles_come_first_so_that_owners_privileges_and_policies_are_compared(
    server: EmbeddedServer, make_app: MakeApp, tmp_path: Path, our_roles: None
) -> None:
    url = make_app("owned", OURS)
    for how in ("-Fc", "-Fp"):
        path = dumped(server, url, tmp_path / how, how)
        found = rehearse(path, "embedded")
        assert found.verdict is Outcome.PASSED, found.checks.to_string()
        assert check(found, "rehearsal.load").found == "all carried out"


@pytest.fixture
def our_roles(server: EmbeddedServer) -> Iterator[None]:
    yield
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS owned WITH (FORCE)")
        for role in ("rehearsal_owner", '"Odd ""Reader"" 1"', "rehearsal_boss"):
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())


def test_a_server_without_the_roles_leaves_owners_out_and_says_so(
    server: EmbeddedServer, server_of: Callable[[int], EmbeddedServer], make_app: MakeApp, tmp_path: Path, our_roles: None
) -> None:
    url = make_app("owned", OURS)
    for how in ("-Fc", "-Fp"):
        found = rehearse(dumped(server, url, tmp_path / how, how), server_of(18).url(), allow_same_server=True)
        assert found.verdict is Outcome.NOT_CHECKED, found.checks.to_string()
        assert 'missing, or not ours to use: Odd "Reader" 1, rehearsal_boss, rehearsal_owner' in check(found, "rehearsal.roles").found
        assert check(found, "rows.fingerprint").outcome is Outcome.PASSED
        assert check(found, "objects.match").outcome is not Outcome.FAILED, found.checks.to_string()


def test_tablespaces_are_made_where_there_is_a_server_of_our_own(server: EmbeddedServer, make_app: MakeApp, tmp_path: Path) -> None:
    folder = server.make_folder("rehearsal space")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE \"Fast one\" LOCATION '{folder}'".encode())
    try:
        url = make_app("spaced", 'CREATE TABLE t (a int) TABLESPACE "Fast one"; INSERT INTO t VALUES (1);')
        for how in ("-Fc", "-Fp"):
            found = rehearse(dumped(server, url, tmp_path / how, how), "embedded")
            assert found.verdict is Outcome.PASSED, found.checks.to_string()
            assert check(found, "rehearsal.load").found == "all carried out"
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE spaced WITH (FORCE)")
            connection.execute('DROP TABLESPACE "Fast one"')


def test_a_locale_that_the_server_does_not_know_is_told_and_the_rest_compared(
    make_app: MakeApp, server: EmbeddedServer, tmp_path: Path
) -> None:
    path = dumped(server, make_app("elsewhere"), tmp_path / "app.sql", "-Fp", "--create")
    text = path.read_text()
    begin, end = text.index("CREATE DATABASE"), text.index(";", text.index("CREATE DATABASE"))
    statement = "CREATE DATABASE elsewhere WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'tlh_QO.UTF-8'"
    path.write_text(text[:begin] + statement + text[end:])
    found = rehearse(path, on(server), allow_same_server=True)
    assert found.verdict is Outcome.WARNED, found.checks.to_string()
    assert "tlh_QO" in check(found, "rehearsal.locale").expected
    assert check(found, "rehearsal.locale").outcome is Outcome.WARNED
    assert check(found, "rows.fingerprint").outcome is Outcome.PASSED


def test_a_dump_of_the_schema_alone_must_come_back_empty(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    path = dumped(server, make_app("bare"), tmp_path / "app.dump", "-Fc", "--schema-only")
    found = rehearse(path, on(server), allow_same_server=True)
    assert found.verdict is Outcome.WARNED, found.checks.to_string()
    assert check(found, "rehearsal.rows").found == "none of public.messages, public.users: they must come back empty"
    assert check(found, "rows.count").compared == 2


def test_an_empty_database_is_not_green_over_nothing(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    found = rehearse(dumped(server, make_app("void", ""), tmp_path / "void.dump", "-Fc"), on(server), allow_same_server=True)
    assert found.verdict is Outcome.NOT_CHECKED


def test_too_little_space_is_told_before_anything_is_restored(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    small = Path("/dev/shm")
    path = dumped(server, make_app("large"), tmp_path / "app.dump", "-Fc")
    manifest = backup(server.url("large"), store=tmp_path / "store").manifest
    huge = {name: replace(data, size_bytes=1 << 50) for name, data in manifest.table_data.items()}
    found = rehearse(path, manifest=replace(manifest, dump_file=None, table_data=huge), folder=small if small.is_dir() else None)
    assert (found.verdict, found.server) == (Outcome.NOT_CHECKED, "")
    assert "--folder" in check(found, "rehearsal.space").remedy


def test_a_script_of_several_databases_must_say_which(server: EmbeddedServer, make_app: MakeApp, tmp_path: Path) -> None:
    make_app("one_of_them", APP.replace("users", "people"))
    path = tmp_path / "cluster.sql"
    subprocess.run([server.bin_folder / "pg_dumpall", "-f", str(path), "-d", server.url()], check=True)
    with pytest.raises(UsageError, match=r"cluster\.sql#one_of_them"):
        rehearse(path, on(server), allow_same_server=True)
    found = rehearse(f"{path}#one_of_them", on(server), allow_same_server=True)
    assert found.verdict is Outcome.PASSED, found.checks.to_string()
    assert check(found, "rows.fingerprint").compared == 2


def test_the_record_says_what_was_done(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    found = rehearse(dumped(server, make_app("told"), tmp_path / "told.dump", "-Fc"), on(server), allow_same_server=True)
    plain = found.to_dict()
    assert set(plain) >= {"verdict", "checks", "server", "why", "seconds", "megabytes_per_second", "left_out", "evidence", "programs"}
    assert plain["checks"][0]["id"] == "dump.complete"
    assert list(found.checks["id"]) == [c.id for c in found.check_list]
    page = found._repr_html_()
    assert "told.dump was restored into PostgreSQL" in page
    assert "rows.fingerprint" in page


@pytest.mark.parametrize("how", ["-Fc", "-Fd", "-Fp"])
def test_large_objects_come_back(how: str, make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    url = make_app("lobbed", APP + "SELECT lo_from_bytea(4711, 'large'::bytea || decode('00ff5c', 'hex')), lo_from_bytea(4712, '');")
    found = rehearse(dumped(server, url, tmp_path / "app", how), on(server), allow_same_server=True)
    assert found.verdict is Outcome.PASSED, found.checks.to_string()
    assert check(found, "rows.fingerprint").compared == 3


@pytest.mark.parametrize("how", ["-Fc", "-Fp"])
def test_another_encoding_is_taken_over(how: str, server: EmbeddedServer, make_app: MakeApp, tmp_path: Path) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'")
    try:
        with psycopg.connect(server.url("latin")) as connection:
            connection.execute("CREATE TABLE größe (straße text); INSERT INTO größe VALUES ('Käse'), ('Ça')")
        found = rehearse(dumped(server, server.url("latin"), tmp_path / "app", how), on(server), allow_same_server=True)
        assert found.verdict is Outcome.PASSED, found.checks.to_string()
        assert check(found, "rows.fingerprint").compared == 1
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_script_cannot_run_a_program_where_the_server_runs(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    trap = Path("/tmp") / f"rehearsal-trap-{tmp_path.name}"
    path = dumped(server, make_app("copied"), tmp_path / "app.sql", "-Fp")
    path.write_text(path.read_text().replace("CREATE INDEX", f"COPY public.users TO PROGRAM 'touch {trap}';\nCREATE INDEX", 1))
    found = rehearse(path, on(server), allow_same_server=True)
    assert not trap.exists()
    assert found.verdict is Outcome.FAILED
    assert "only COPY … FROM stdin is carried out" in check(found, "rehearsal.load").found


@pytest.mark.parametrize("how", ["-Fc", "-Fp"])
def test_a_server_without_the_tablespace_puts_all_into_the_default_one_and_says_so(
    how: str, server: EmbeddedServer, server_of: Callable[[int], EmbeddedServer], make_app: MakeApp, tmp_path: Path
) -> None:
    folder = server.make_folder(f"one space{how}")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE only_here LOCATION '{folder}'".encode())
    try:
        url = make_app("in_space", "CREATE TABLE t (a int) TABLESPACE only_here; INSERT INTO t VALUES (1);")
        found = rehearse(dumped(server, url, tmp_path / "app", how), server_of(18).url(), allow_same_server=True)
        assert found.verdict is Outcome.NOT_CHECKED
        assert check(found, "rehearsal.tablespaces").found == "missing, or not ours to use: only_here; tablespaces were left out"
        assert {c.id for c in found.check_list if c.outcome is not Outcome.PASSED} == {"rehearsal.tablespaces"}
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS in_space WITH (FORCE)")
            connection.execute("DROP TABLESPACE only_here")


def test_a_role_without_superuser_is_told_what_it_may_not_restore(
    server: EmbeddedServer, server_of: Callable[[int], EmbeddedServer], make_app: MakeApp, tmp_path: Path
) -> None:
    url = make_app("limited", APP + "CREATE FUNCTION twice(int, int) RETURNS int LANGUAGE internal AS 'int4mul';")
    path = dumped(server, url, tmp_path / "app.dump", "-Fc")
    other = server_of(18)
    with psycopg.connect(other.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE rehearsing LOGIN CREATEDB")
    try:
        found = rehearse(path, other.url().replace("postgres@", "rehearsing@"), allow_same_server=True)
        assert found.verdict is Outcome.NOT_CHECKED, found.checks.to_string()
        assert "permission denied for language internal" in check(found, "rehearsal.load").found
        assert found.left_out == ("FUNCTION public.twice(integer, integer)",)
        assert not [c for c in found.check_list if c.outcome is Outcome.FAILED]
    finally:
        with psycopg.connect(other.url(), autocommit=True) as connection:
            connection.execute("DROP ROLE rehearsing")


def test_a_dump_that_is_newer_than_every_server_here_is_no_failure(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    path = dumped(server, make_app("of_tomorrow"), tmp_path / "app.sql", "-Fp")
    path.write_text(path.read_text().replace("-- Dumped from database version 18", "-- Dumped from database version 99"))
    found = rehearse(path)
    assert (found.verdict, found.server) == (Outcome.NOT_CHECKED, "")
    lacks = check(found, "rehearsal.server")
    assert lacks.expected == "PostgreSQL 99 or newer"
    assert "Install PostgreSQL 99" in lacks.remedy
    assert "(embedded)" in lacks.found


def test_an_archive_that_is_broken_in_its_head_fails(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    path = dumped(server, make_app("beheaded"), tmp_path / "app.dump", "-Fc")
    path.write_bytes(path.read_bytes()[:300])
    found = rehearse(path, on(server), allow_same_server=True)
    assert found.verdict is Outcome.FAILED
    assert [c.id for c in found.check_list] == ["dump.complete"]


@pytest.mark.parametrize("left", [300, 3], ids=["cut in its head", "no dump any more"])
def test_a_backup_that_is_too_broken_to_be_opened_has_evidence_of_that(left: int, make_app: MakeApp, tmp_path: Path) -> None:
    made = backup(make_app("unopenable"), store=tmp_path / "store")
    made.path.write_bytes(b"\0" * 10 + bytes(500) if left == 3 else made.path.read_bytes()[:left])
    found = rehearse(made.path, "embedded")
    assert (found.verdict, found.server) == (Outcome.FAILED, "")
    assert found.evidence is not None
    evidence = Evidence.from_json(Path(found.evidence).read_text(), label="evidence")
    assert (evidence.proof, evidence.verdict) == (Proof.REHEARSED, "failed")
    (listed,) = open_store(tmp_path / "store").backups()
    assert listed.is_damaged
    assert rehearse(made.path, "embedded", evidence=False).evidence is None


def test_roles_of_the_globals_beside_it_are_made_too(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    path = dumped(server, make_app("with_globals"), tmp_path / "app.dump", "-Fc")
    subprocess.run([server.bin_folder / "pg_dumpall", "--roles-only", "-f", str(tmp_path / "all.sql"), "-d", server.url()], check=True)
    text = (tmp_path / "all.sql").read_text().replace("CREATE ROLE postgres;", "CREATE ROLE postgres;\nCREATE ROLE only_in_globals;")
    (tmp_path / "app.globals.sql").write_text(text)
    dump = read_dump(path)
    assert "only_in_globals" in needs_of(dump, dump).other_roles
    assert rehearse(path, "embedded").verdict is Outcome.PASSED


OLD_SCRIPT = """--
-- PostgreSQL database dump
--

-- Dumped from database version 9.6.3
-- Dumped by pg_dump version 9.6.3

CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;
CREATE TABLE public.schema_migrations (version bigint NOT NULL, inserted_at timestamp without time zone DEFAULT now());
INSERT INTO public.schema_migrations (version) VALUES (20171008200815);
INSERT INTO public.schema_migrations (version) VALUES (20171008203355);

--
-- PostgreSQL database dump complete
--
"""


def test_what_old_scripts_leave_unsaid_or_say_too_much_is_no_loss(server: EmbeddedServer, tmp_path: Path) -> None:
    (tmp_path / "old.sql").write_text(OLD_SCRIPT)  # plpgsql is in every database; of the ledger only one column is given
    found = rehearse(tmp_path / "old.sql", on(server), allow_same_server=True)
    assert found.verdict is not Outcome.FAILED, found.checks.to_string()
    assert check(found, "migrations.ledger").outcome is Outcome.PASSED
    assert check(found, "rehearsal.extensions").outcome is Outcome.PASSED
    assert "extensions.version" not in {c.id for c in found.check_list}


def test_no_password_of_a_statement_that_failed_is_told(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path) -> None:
    mapping = "CREATE USER MAPPING FOR postgres SERVER absent OPTIONS (\n    \"user\" 'u',\n    password 's3cret-one'\n);\n"
    path = dumped(server, make_app("mapped", "CREATE TABLE t (id int)"), tmp_path / "app.sql", "-Fp")
    path.write_text(path.read_text().replace("CREATE TABLE", f"{mapping}\nCREATE TABLE"))
    found = rehearse(path, on(server), allow_same_server=True)
    assert "CREATE USER MAPPING FOR postgres SERVER absent" in check(found, "rehearsal.load").found
    assert "s3cret-one" not in str(found.to_dict())
