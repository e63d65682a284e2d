r"""pg_dumpall: each database in a script is what pg_dump alone would have given, and what the databases share is told beside them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.cli.app import app
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.dumps.scripts.cluster_globals import ClusterGlobals
from pgaudit_kit.dumps.scripts.psql_connect import connected_database
from pgaudit_kit.errors import DamagedDump, RowsNotAvailable, UnsupportedDump, UsageError
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.cluster import Grant, Membership, Role, Setting, Tablespace
from pgaudit_kit.records.table_data import TableName
from tests.conftest import missing
from tests.postgres_versions import Installation, installation

Write = Callable[[bytes], Path]
ODD = """Odd "db' \\x"""
SECRET = "hunter2-is-the-password"
SHARED = f"""
    CREATE ROLE "app owner" LOGIN CREATEDB PASSWORD '{SECRET}' VALID UNTIL '2030-01-01 00:00:00+00' CONNECTION LIMIT 7;
    CREATE ROLE reader NOINHERIT;
    CREATE ROLE "R;ole -- ""x" REPLICATION;
    COMMENT ON ROLE reader IS E'it''s\\n\\\\c evil\\n-- PostgreSQL database dump';
    GRANT reader TO "app owner" WITH ADMIN OPTION;
    ALTER ROLE reader SET search_path = app, public;
    ALTER ROLE reader SET application_name = E'a\\\\b';
"""
APP = """
    CREATE SCHEMA app AUTHORIZATION "app owner";
    CREATE TABLE app.notes (id integer PRIMARY KEY, body text);
    INSERT INTO app.notes VALUES (1, '-- PostgreSQL database dump'), (3, 'Ünï');
    INSERT INTO app.notes VALUES (2, E'-- PostgreSQL database cluster dump complete\\n\\\\connect evil\\n');
    CREATE FUNCTION app.f() RETURNS text LANGUAGE sql AS $$SELECT '
--
-- PostgreSQL database dump
--
\\connect elsewhere
'::text$$;
    COMMENT ON DATABASE app IS 'the app';
    ALTER DATABASE app SET search_path = app;
    GRANT CREATE ON DATABASE app TO reader;
"""


@dataclass(frozen=True)
class Cluster:
    """A server with databases of every kind, and its own programs."""

    programs: Installation
    server: EmbeddedServer
    folder: Path

    def dumpall(self, name: str, *options: str) -> Path:
        path = self.folder / f"{name}.sql"
        if not path.exists():
            self.programs.run("pg_dumpall", *options, "-f", str(path), "-d", self.server.url())
        return path

    def alone(self, database: str, *options: str) -> Dump:
        path = self.folder / f"alone-{len(list(self.folder.iterdir()))}"
        self.programs.run("pg_dump", *options, "-f", str(path), "-d", self.server.url(database))
        return read_dump(path)


DATABASES = ("template1", ODD, "app", "bytes", "postgres", "western")


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def fill(server: EmbeddedServer, major: int) -> None:
    place = server.data_folder / "fast disk"
    place.mkdir()
    owner = server.data_folder.stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    run(server.url(), SHARED, f"CREATE TABLESPACE \"fast ; disk\" OWNER reader LOCATION '{place}'")
    run(server.url(), 'ALTER TABLESPACE "fast ; disk" SET (seq_page_cost = 2)', 'GRANT CREATE ON TABLESPACE "fast ; disk" TO "app owner"')
    if major >= 15:
        run(server.url(), 'GRANT SET ON PARAMETER my.setting TO "app owner"')
    run(server.url(), 'CREATE DATABASE app OWNER "app owner" TEMPLATE template0', 'CREATE DATABASE "Odd ""db\' \\x"')
    run(
        server.url(),
        "CREATE DATABASE western ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0" + (" LOCALE_PROVIDER libc" if major >= 15 else ""),
    )
    run(
        server.url(),
        "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0" + (" LOCALE_PROVIDER libc" if major >= 15 else ""),
    )
    run(server.url("app"), APP)
    run(server.url(ODD), "CREATE TABLE odd (a text); INSERT INTO odd VALUES ('odd')")
    run(server.url(), "CREATE TABLE kept (a integer); INSERT INTO kept VALUES (1), (2)")
    run(server.url("template1"), "CREATE TABLE from_template (a integer)")
    with psycopg.connect(server.url("western"), autocommit=True, client_encoding="utf8") as connection:
        connection.execute("CREATE TABLE \"wéstern\" (a text); INSERT INTO \"wéstern\" VALUES ('Ünï'), ('÷')")
    with psycopg.connect(server.url("bytes"), autocommit=True) as connection:
        connection.execute(b"CREATE TABLE raw (a text); INSERT INTO raw VALUES (E'\\xe4'), (E'\\xc3\\xa4')")


@pytest.fixture(scope="module", params=[14, 15, 18])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A filled server of each version."""
    programs = installation(request.param, missing)
    with EmbeddedServer(bin_folder=programs.bin_folder) as server:
        fill(server, programs.major)
        yield Cluster(programs, server, tmp_path_factory.mktemp(f"cluster{programs.major}"))


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(content: bytes) -> Path:
        path = tmp_path / "cluster.sql"
        path.write_bytes(content)
        return path

    return write


def opened(path: Path) -> ClusterDump:
    dump = read_dump(path)
    assert isinstance(dump, ClusterDump)
    return dump


def held(dump: Dump) -> tuple[object, ...]:
    """Objects, tables and rows."""
    tables = {name: (data.columns, data.rows, b"".join(dump.row_blocks(name))) for name, data in dump.table_data.items()}
    return dump.inventory.objects, tables


OPTIONS: dict[str, tuple[str, ...]] = {
    "default": (),
    "verbose": ("-v",),
    "clean": ("--clean",),
    "clean-if-exists": ("--clean", "--if-exists"),
    "inserts": ("--inserts",),
    "rows-per-insert": ("--rows-per-insert=2", "--on-conflict-do-nothing"),
    "quote-all": ("--quote-all-identifiers",),
    "no-passwords": ("--no-role-passwords",),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_each_database_is_what_pg_dump_alone_gives(cluster: Cluster, name: str) -> None:
    dump = opened(cluster.dumpall(name, *OPTIONS[name]))
    assert (dump.damage, dump.provenance.complete, dump.provenance.format) == ((), True, "cluster")
    assert tuple(dump.databases) == DATABASES
    for database, inside in dump.databases.items():
        made = database not in ("template1", "postgres") or "--clean" in OPTIONS[name]
        assert held(inside) == held(cluster.alone(database, *["--create"] * made)), database
        assert (inside.damage, inside.provenance.complete, inside.provenance.database) == ((), True, database)
        assert inside.label == f"{name}.sql#{database}"
    assert dump.provenance.server_version == dump.databases["app"].provenance.server_version
    assert dump.databases["western"].provenance.encoding == "LATIN1"
    assert dump.databases["bytes"].provenance.encoding == "SQL_ASCII"
    assert b"".join(dump.databases["bytes"].row_blocks(TableName("public", "raw"))) == b"\xe4\n\xc3\xa4\n"
    assert dump.databases["western"].read_table("public.wéstern")["a"].tolist() == ["Ünï", "÷"]


@pytest.mark.parametrize("name", [*OPTIONS, "globals-only"])
def test_what_the_databases_share_is_told(cluster: Cluster, name: str) -> None:
    dump = opened(cluster.dumpall(name, *OPTIONS.get(name, ("-g",))))
    shared = dump.shared
    roles = {role.name: role for role in shared.roles}
    assert list(roles) == ['R;ole -- "x', "app owner", "postgres", "reader"]
    assert roles["app owner"] == Role(
        "app owner",
        superuser=False,
        inherit=True,
        create_role=False,
        create_db=True,
        login=True,
        replication=False,
        bypass_rls=False,
        connection_limit=7,
        has_password=name != "no-passwords",
        valid_until="2030-01-01 00:00:00+00",
    )
    assert (roles["reader"].inherit, roles["reader"].login, roles["reader"].has_password) == (False, False, False)
    assert roles["reader"].comment == "it's\n\\c evil\n-- PostgreSQL database dump"
    major = cluster.programs.major
    (membership,) = shared.memberships
    assert membership == Membership(
        "reader", "app owner", admin=True, inherit=True if major >= 16 else None, set=True if major >= 16 else None, grantor="postgres"
    )
    assert shared.tablespaces == (Tablespace("fast ; disk", "reader", str(cluster.server.data_folder / "fast disk"), "seq_page_cost=2"),)
    assert set(shared.settings) == {
        Setting("reader", None, "search_path", "'app', 'public'"),
        Setting("reader", None, "application_name", "a\\b"),
    }
    kinds = {(grant.kind, grant.name) for grant in shared.grants}
    assert kinds == {("TABLESPACE", "fast ; disk")} | ({("PARAMETER", "my.setting")} if major >= 15 else set())
    assert shared.unmodelled == ()


def test_no_password_nor_its_hash_is_kept_or_shown(cluster: Cluster) -> None:
    path = cluster.dumpall("default")
    script = path.read_text(encoding="utf-8", errors="surrogateescape")
    verifier = script[script.index("PASSWORD '") + 10 :].split("'", 1)[0]
    assert verifier.startswith(("SCRAM-SHA-256$", "md5"))
    dump = opened(path)
    told = [repr(dump.shared), dump.roles.to_string(), dump._repr_html_(), json.dumps(str(verify(path).to_dict()))]
    commands = (["inspect", str(path)], ["inspect", str(path), "--json"], ["verify", str(path), "--json"])
    told += [CliRunner().invoke(app, arguments).output for arguments in commands]
    broken = path.with_name("broken.sql")
    broken.write_text(script.replace("ALTER ROLE", "A1TER ROLE"), encoding="utf-8", errors="surrogateescape")
    told += [CliRunner().invoke(app, ["inspect", str(broken), "--json"]).output, repr(opened(broken).shared), str(opened(broken).damage)]
    cut = path.with_name("cut.sql")
    cut.write_text(script[: script.index(verifier) + len(verifier) - 3], encoding="utf-8", errors="surrogateescape")
    told += [CliRunner().invoke(app, ["inspect", str(cut), "--json"]).output, repr(opened(cut).shared), str(opened(cut).damage)]
    for text in told:
        assert verifier[:20] not in text
        assert SECRET not in text


def test_a_script_without_any_database_says_so(cluster: Cluster) -> None:
    for name, option in (("globals-only", "-g"), ("roles-only", "-r"), ("tablespaces-only", "-t")):
        dump = opened(cluster.dumpall(name, option))
        assert (dict(dump.databases), dump.damage) == ({}, ())
        assert bool(dump.shared.roles) is (name != "tablespaces-only")
        assert bool(dump.shared.tablespaces) is (name != "roles-only")
        with pytest.raises(UsageError, match="roles and tablespaces only"):
            dump.objects  # noqa: B018


def test_objects_and_rows_are_asked_of_one_database(cluster: Cluster) -> None:
    path = cluster.dumpall("default")
    for asked in ("objects", "tables", "toc", "table_data", "inventory"):
        with pytest.raises(UsageError) as caught:
            getattr(read_dump(path), asked)
        assert all(f"{path}#{name}" in caught.value.remedy for name in DATABASES)
    with pytest.raises(UsageError, match=r"#app"):
        diff(path, f"{path}#app")


def test_one_database_is_named_behind_a_sign_unless_a_file_has_that_name(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "c.sql"
    shutil.copy(cluster.dumpall("default"), path)
    one = read_dump(f"{path}#app")
    assert held(one) == held(cluster.alone("app", "-C"))
    assert read_dump(f"{path}#{ODD}").tables["rows"].tolist() == [1]
    with diff(f"{path}#app", cluster.server.url("app")) as difference:
        assert str(difference.verdict) == "same"
    with pytest.raises(UsageError) as caught:
        read_dump(f"{path}#nothing")
    assert "app" in caught.value.remedy
    twin = tmp_path / "c.sql#app"
    shutil.copy(cluster.dumpall("globals-only", "-g"), twin)
    assert isinstance(read_dump(twin), ClusterDump)
    with pytest.raises(UsageError, match="one database"):
        read_dump(f"{archive_of(cluster, tmp_path)}#app")


def test_one_database_is_restored_without_touching_the_others(cluster: Cluster) -> None:
    if cluster.programs.major < 18:
        pytest.skip("the wheel's psql is of 18")
    path = cluster.dumpall("default")
    for database in ("app", "postgres"):
        done = restore(f"{path}#{database}", cluster.server.url(f"again {database}"), confirm=lambda _: True)
        assert str(done.verdict) == "passed", done.check_list
        with diff(f"{path}#{database}", cluster.server.url(f"again {database}")) as difference:
            assert str(difference.verdict) == "same"
        run(cluster.server.url(), f'DROP DATABASE "again {database}"')
    with pytest.raises(UsageError, match="#app"):
        restore(path, cluster.server.url("again"), confirm=lambda _: True)


def test_a_database_behind_the_address_of_a_script_is_not_asked_of_the_web_server(cluster: Cluster) -> None:
    path = cluster.dumpall("default")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(path.parent))

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        try:
            found = read_dump(f"http://127.0.0.1:{web.server_address[1]}/{path.name}#app")
            assert held(found) == held(read_dump(f"{path}#app"))
        finally:
            web.shutdown()


def archive_of(cluster: Cluster, folder: Path) -> Path:
    path = folder / "app.dump"
    cluster.programs.run("pg_dump", "-Fc", "-f", str(path), "-d", cluster.server.url("app"))
    return path


def test_the_command_line_shows_the_whole_and_each_database(cluster: Cluster) -> None:
    path = cluster.dumpall("default")
    shown = CliRunner().invoke(app, ["inspect", str(path), "--json"])
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.output)
    assert {"dump", "roles", "tablespaces", "databases", "unmodelled"} <= told.keys()
    assert told["dump"]["format"] == "cluster"
    assert [one["name"] for one in told["databases"]] == list(DATABASES)
    assert {"dump", "toc", "objects", "tables", "unmodelled", "damage"} <= told["databases"][0].keys()
    people = CliRunner().invoke(app, ["inspect", str(path)])
    assert people.exit_code == 0
    assert all(word in people.output for word in ("Roles", "Tablespaces", "fast ; disk", "app owner", "default.sql#app"))
    assert "western" not in CliRunner().invoke(app, ["inspect", f"{path}#app"]).output


def test_verify_asks_every_database_and_names_it(cluster: Cluster, written: Write) -> None:
    path = cluster.dumpall("default")
    result = verify(path)
    assert str(result.verdict) == "passed"
    ids = [check.id for check in result.check_list]
    assert ids[0] == "dump.complete"
    assert {f"dump.complete#{name}" for name in DATABASES} <= set(ids)
    assert "dump.rows_readable#app" in ids
    with pytest.raises(UsageError, match="required tables are of one database"):
        verify(path, require=["app.notes"])
    assert str(verify(f"{path}#app", require=["app.notes"]).verdict) == "passed"
    broken = verify(written(path.read_bytes().replace(b"1\t-- Post", b"1 -- Post")))
    outcomes = {check.id: str(check.outcome) for check in broken.check_list}
    assert (outcomes["dump.complete"], outcomes["dump.complete#app"], outcomes["dump.complete#postgres"]) == ("failed", "failed", "passed")


def test_databases_with_nothing_in_them_are_named_and_keep_no_cluster_from_passing(cluster: Cluster, written: Write) -> None:
    whole = cluster.dumpall("default").read_bytes()
    end = whole.rindex(b"--\n-- PostgreSQL database cluster")
    head, footer = whole[:end], whole[end:]
    run(cluster.server.url(), "CREATE DATABASE untouched TEMPLATE template0")
    dump = cluster.programs.run("pg_dump", "-d", cluster.server.url("untouched"))
    run(cluster.server.url(), "DROP DATABASE untouched")
    empty = b'--\n-- Database "untouched" dump\n--\n\n\\connect untouched\n\n' + dump
    result = verify(written(head + empty + footer))
    assert str(result.verdict) == "passed", result.sentence
    assert "Nothing is in untouched." in result.skipped
    assert not [check.id for check in result.check_list if check.id.endswith("#untouched")]
    alone = whole[: whole.index(b"-- Databases\n")] + b"-- Databases\n--\n\n" + empty + footer
    assert str(verify(written(alone)).verdict) == "not_checked"


def test_a_script_cut_anywhere_keeps_what_came_before_and_names_what_is_lost(cluster: Cluster, written: Write) -> None:
    whole = cluster.dumpall("default").read_bytes()
    original = opened(cluster.dumpall("default"))
    truth = {name: held(dump) for name, dump in original.databases.items()}
    last_line = whole.rindex(b"-- PostgreSQL database cluster dump complete") + len(b"-- PostgreSQL database cluster dump complete")
    for cut in range(40, last_line, 97):
        dump = opened(written(whole[:cut]))
        assert dump.provenance.complete is False
        assert dump.damage, cut
        names = [name for name in dump.databases if name != str(len(dump.databases))]
        assert names == list(DATABASES[: len(names)])
        assert len(dump.databases) - len(names) <= 1
        for name in list(dump.databases)[:-1]:
            assert (held(dump.databases[name]), dump.databases[name].damage) == (truth[name], ())
        for last in list(dump.databases.values())[-1:]:
            for table, data in last.table_data.items():
                if data.not_readable:
                    with pytest.raises((DamagedDump, RowsNotAvailable)):
                        list(last.row_blocks(table))


def test_a_turned_bit_anywhere_is_no_traceback_and_the_other_databases_stay(cluster: Cluster, written: Write) -> None:
    whole = cluster.dumpall("default").read_bytes()
    for at in range(40, len(whole), 211):
        path = written(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        dump = read_dump(path)
        assert isinstance(dump, ClusterDump)
        assert dump.shared is not None
        assert dump.damage is not None
        for one in dump.databases.values():
            assert one.inventory is not None


def test_line_ends_of_windows_and_compression_change_nothing(cluster: Cluster, written: Write) -> None:
    path = cluster.dumpall("default")
    truth = {name: held(dump) for name, dump in opened(path).databases.items()}
    crlf = opened(written(path.read_bytes().replace(b"\n", b"\r\n")))
    assert {name: held(dump) for name, dump in crlf.databases.items()} == truth
    assert (crlf.damage, crlf.shared) == ((), opened(path).shared)
    packed = opened(written(gzip.compress(path.read_bytes())))
    assert ({name: held(dump) for name, dump in packed.databases.items()}, packed.damage) == (truth, ())


def test_messages_in_a_cluster_script_are_named_and_hide_nothing(cluster: Cluster, written: Write) -> None:
    script = cluster.dumpall("default").read_bytes()
    truth = {name: held(dump) for name, dump in opened(cluster.dumpall("default")).databases.items()}
    message = b"pg_dump: warning: there are circular constraints, and that isn't all\n"
    inside, outside = script.index(b"CREATE TABLE app.notes"), script.index(b"CREATE ROLE")
    dump = opened(written(message + script[:outside] + message + script[outside:inside] + message + script[inside:]))
    assert {name: held(one) for name, one in dump.databases.items()} == truth
    lines = [1, script.count(b"\n", 0, outside) + 2, script.count(b"\n", 0, inside) + 3]
    assert [(d.line, "database 'app'" in d.what) for d in dump.damage] == [(lines[0], False), (lines[1], False), (lines[2], True)]
    assert len(dump.shared.roles) == 4


def test_dumps_that_were_joined_by_hand_are_told_apart_by_name_or_number(cluster: Cluster, written: Write) -> None:
    plain = cluster.folder / "one"
    cluster.programs.run("pg_dump", "-f", str(plain), "-d", cluster.server.url("app"))
    created = cluster.folder / "two"
    cluster.programs.run("pg_dump", "-C", "-f", str(created), "-d", cluster.server.url("western"))
    assert not isinstance(read_dump(created), ClusterDump)
    assert read_dump(created).damage == ()
    path = written(plain.read_bytes() + created.read_bytes())
    with pytest.raises(UnsupportedDump) as caught:
        read_dump(path).tables  # noqa: B018
    assert f"{path}#1" in caught.value.remedy
    assert f"{path}#western" in caught.value.remedy
    assert held(read_dump(f"{path}#1")) == held(cluster.alone("app"))
    assert held(read_dump(f"{path}#western")) == held(cluster.alone("western"))
    globals_first = opened(written(cluster.dumpall("globals-only", "-g").read_bytes() + plain.read_bytes() + created.read_bytes()))
    assert (list(globals_first.databases), globals_first.damage) == (["1", "western"], ())
    assert [role.name for role in globals_first.shared.roles] == ['R;ole -- "x', "app owner", "postgres", "reader"]


@pytest.mark.parametrize(
    ("command", "database"),
    [
        ("\\connect app\n", "app"),
        ("\\connect App\r\n", "app"),
        ('\\connect "App"\n', "App"),
        ('\\connect "a""b c"\n', 'a"b c'),
        ('\\connect "odd db\'x"\n', "odd db'x"),
        ("\\connect -reuse-previous=on \"dbname='odd db\\'x'\"\n", "odd db'x"),
        ('\\connect -reuse-previous=on "dbname=\'a""b \\\\ c\'"\n', 'a"b \\ c'),
        ("\\c app\n", "app"),
        ("\\restrict abc\n", None),
        ("\\encoding SQL_ASCII\n", None),
        ("\\copy t from x\n", None),
        ("\\connect\n", None),
        ("\\connect -\n", None),
    ],
)
def test_a_connect_line_names_its_database(command: str, database: str | None) -> None:
    assert connected_database(command) == database


# in the very form of pg_dumpall 9.4 (pg_dumpall.c of that release)
CLUSTER_9_4 = Path(__file__).with_name("cluster_9_4.sql")


def old_script() -> str:
    return CLUSTER_9_4.read_text(encoding="utf-8")


def test_a_script_of_9_4_which_makes_the_databases_itself(written: Write) -> None:
    dump = opened(written(old_script().encode()))
    assert (dump.damage, list(dump.databases)) == ((), ["app", "template1"])
    assert dump.databases["app"].tables["rows"].tolist() == [1]
    shared = dump.shared
    assert shared.tablespaces == (Tablespace("fast", "bob", "/srv/it\\s"),)
    assert shared.memberships == (Membership("bob", "postgres", grantor="postgres"),)
    assert set(shared.settings) == {
        Setting("bob", None, "work_mem", "64MB"),
        Setting(None, "app", "datestyle", "ISO, DMY"),
        Setting("bob", "app", "search_path", "app, public"),
    }
    assert (shared.roles[0].valid_until, shared.roles[0].has_password, shared.roles[0].bypass_rls) == ("infinity", True, None)
    assert Grant("DATABASE", "template1", "GRANT CONNECT ON DATABASE template1 TO PUBLIC") in shared.grants
    assert (shared.databases, shared.unmodelled) == (("app",), ())


def test_a_database_that_is_created_and_then_not_dumped_is_missed(written: Write) -> None:
    script = old_script()
    start, end = script.index("\\connect app"), script.index("\\connect template1")
    dump = opened(written((script[:start] + script[end:]).encode()))
    assert ["'app' is created, but its dump is not in the script" in d.what for d in dump.damage] == [True]


def test_a_dump_that_has_lost_its_first_or_last_line_keeps_its_name_and_its_neighbours(written: Write) -> None:
    script = old_script()
    header = script.index("-- PostgreSQL database dump\n")
    no_header = opened(written((script[: header + 3] + "x" + script[header + 4 :]).encode()))
    assert (list(no_header.databases), no_header.databases["app"].tables["rows"].tolist()) == (["app", "template1"], [1])
    assert [("app" in d.what, "is missing" in d.what) for d in no_header.damage] == [(True, True)]
    footer = script.index("-- PostgreSQL database dump complete")
    no_footer = opened(written((script[: footer + 3] + "x" + script[footer + 4 :]).encode()))
    assert (list(no_footer.databases), no_footer.databases["app"].tables["rows"].tolist()) == (["app", "template1"], [1])
    assert all("'app'" in d.what for d in no_footer.damage)


def test_one_database_dumped_twice_into_a_file_is_there_twice(written: Write) -> None:
    script = old_script()
    start, end = script.index("\\connect app"), script.index("\\connect template1")
    dump = opened(written((script[:end] + script[start:end] + script[end:]).encode()))
    assert list(dump.databases) == ["app", "app (2)", "template1"]


def test_what_is_not_understood_is_kept_by_name_without_its_secrets() -> None:
    reader = ClusterGlobals()
    reader.feed("ALTER ROLE x WITH SUPERB PASSWORD 'md5deadbeef'; SECURITY LABEL FOR s ON ROLE x IS 'top'; FROBNICATE 'md5deadbeef';")
    found = reader.build()
    assert [u.kind for u in found.unmodelled] == ["ALTER ROLE", "SECURITY LABEL", "FROBNICATE"]
    assert "md5deadbeef" not in repr(found)


def test_a_real_cluster_made_on_windows_reads(corpus: Path) -> None:
    dump = opened(corpus / "cluster/nx-sample-clean-crlf.sql")
    assert (dump.damage, list(dump.databases), dump.provenance.server_version) == (
        (),
        ["template1", "postgres", "sample"],
        "12.3 (Debian 12.3-1.pgdg100+1)",
    )
    assert [(role.name, role.has_password) for role in dump.shared.roles] == [("user", True)]
    assert [len(one.toc_entries) for one in dump.databases.values()] == [4, 2, 7]
    assert dump.databases["sample"].tables["rows"].tolist() == [2]
