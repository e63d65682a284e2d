from __future__ import annotations

import contextlib
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.errors import OperationError, RestoreFailed, UsageError
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.programs.client_programs import find_program
from pgaudit_kit.operations.restores.dump_needs import roles_in
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.restored import Replacement
from pgaudit_kit.operations.restores.rollback import rollback
from pgaudit_kit.operations.restores.script_preamble import split_preamble
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.records.verdict import Outcome
from tests.conftest import missing

MakeApp = Callable[..., str]
Ask = Callable[[str, str], object]
Databases = Callable[[str], list[str]]
APP = """
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL REFERENCES users);
INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 500) n;
INSERT INTO messages (user_id) SELECT 1 + n % 500 FROM generate_series(1, 2000) n;
"""


def yes(_: Replacement) -> bool:
    return True


def without_manifest(made: Backup, folder: Path, *, change: Callable[[bytes], bytes] = lambda content: content) -> Path:
    """A copy of the dump alone, changed."""
    folder.mkdir(exist_ok=True)
    copy = folder / made.path.name
    copy.write_bytes(change(made.path.read_bytes()))
    return copy


@pytest.mark.parametrize(
    ("dump_format", "compression"), [("custom", None), ("custom", "none"), ("plain", None), ("plain", "gzip:3")], ids=str
)
def test_a_restore_is_proven_takes_the_name_and_keeps_the_old_database(
    dump_format: str, compression: str | None, make_app: MakeApp, store: Path, ask: Ask, databases: Databases
) -> None:
    url = make_app("shop")
    made = backup(url, store=store, format=dump_format, compression=compression)
    ask(url, "WITH gone AS (DELETE FROM messages RETURNING 1) SELECT count(*) FROM gone")
    seen: list[Replacement] = []

    def confirm(replacement: Replacement) -> bool:
        seen.append(replacement)
        assert ask(url, "SELECT count(*) FROM messages") == 0  # the live one is untouched until now
        return True

    done = restore(made.path, url, confirm=confirm)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert done.replaced
    assert ask(url, "SELECT count(*) FROM messages") == 2000
    assert done.kept is not None
    assert databases("shop") == ["shop", done.kept]
    assert ask(url.replace("/shop?", f"/{done.kept}?"), "SELECT count(*) FROM messages") == 0
    assert seen[0].live == "shop"
    assert seen[0].kept == done.kept
    assert (seen[0].size_bytes or 0) > 1_000_000
    asked = {c.id for c in done.check_list}
    assert {"objects.match", "rows.count", "rows.fingerprint", "sequences.value", "indexes.valid", "foreign_keys.valid"} <= asked
    assert {"restore.versions", "restore.sessions", "restore.rights", "restore.carried"} <= asked
    assert ask(url, "SELECT count(*) FROM pg_stats WHERE tablename = 'users'") != 0  # analyzed
    assert json.loads(json.dumps(done.to_dict()))["kept"] == done.kept

    back = rollback(url, confirm=yes)
    assert back.brought_back == done.kept
    assert ask(url, "SELECT count(*) FROM messages") == 0
    assert databases("shop") == ["shop", back.kept]
    assert str(back.kept).startswith("shop__rolledback_")
    with pytest.raises(RestoreFailed, match="to go back to, so nothing was changed"):
        rollback(url, confirm=yes)


def test_tampered_bytes_are_refused_before_anything_is_touched(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("tampered")
    made = backup(url, store=store, compression="none")
    content = made.path.read_bytes()
    place = content.index(b"user 250")
    made.path.write_bytes(content[:place] + b"user 251" + content[place + 8 :])
    done = restore(made.path, url, confirm=lambda _: pytest.fail("asked to replace a database by a damaged backup"))
    assert done.verdict is Outcome.FAILED
    assert not done.replaced
    assert "nothing was touched" in done.state
    assert databases("tampered") == ["tampered"]


def test_an_archive_inside_gzip_and_a_script_with_a_byte_order_mark_are_restored(make_app: MakeApp, store: Path, tmp_path: Path) -> None:
    url = make_app("wrapped")
    wrapped = without_manifest(backup(url, store=store), tmp_path / "a", change=gzip.compress)
    assert restore(wrapped, url, confirm=yes, drop_old=True).verdict is Outcome.PASSED
    marked = without_manifest(backup(url, store=store, format="plain"), tmp_path / "b", change=lambda content: b"\xef\xbb\xbf" + content)
    assert restore(marked, url, confirm=yes).verdict is Outcome.PASSED


def test_a_dump_that_needs_no_extension_is_not_asked_for_any(make_app: MakeApp, store: Path) -> None:
    url = make_app("bare")
    assert "restore.extensions" not in {c.id for c in restore(backup(url, store=store), url, confirm=yes).check_list}


def test_a_database_that_others_use_is_replaced_only_by_force(make_app: MakeApp, store: Path, databases: Databases, ask: Ask) -> None:
    url = make_app("used")
    made = backup(url, store=store)
    with contextlib.closing(psycopg.connect(url, application_name="the shop")) as client:
        client.execute("SELECT 1")
        with pytest.raises(RestoreFailed, match="postgres/the shop from local") as refused:
            restore(made, url, confirm=yes)
        assert "--force" in refused.value.remedy
        assert databases("used") == ["used"]
        done = restore(made, url, confirm=yes, force=True)
        assert done.verdict is Outcome.WARNED  # it says whom it ended
        assert done.replaced
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    with contextlib.closing(psycopg.connect(url)) as client:
        client.execute("SELECT 1")
        with pytest.raises(RestoreFailed, match="nothing was touched"):
            rollback(url, confirm=yes)
        assert rollback(url, confirm=yes, force=True).brought_back == done.kept


def test_a_database_that_does_not_exist_is_made(
    make_app: MakeApp, store: Path, databases: Databases, ask: Ask, server: EmbeddedServer
) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE origin TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING 'LATIN1'")
    try:
        made = backup(server.url("origin"), store=store)
        make_app("arrival__x")  # only so that all arrivals are cleaned up
        done = restore(made, server.url("arrival__x__2"), confirm=lambda _: pytest.fail("nothing is replaced"))
        assert done.replaced
        assert done.kept is None
        query = "SELECT concat(datlocprovider, datcollate, pg_encoding_to_char(encoding)) FROM pg_database WHERE datname = 'arrival__x__2'"
        assert ask(server.url(), query) == "cCLATIN1"
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE origin")


@pytest.mark.parametrize("name", ["two words", "quo\"te's", "grün 🌱", "a=b;c\\"])
@pytest.mark.parametrize("dump_format", ["custom", "plain"])
def test_a_strange_database_name_is_restored_and_rolled_back(name: str, dump_format: str, make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app(name)
    made = backup(url, store=store, format=dump_format)
    ask(url, "WITH gone AS (DELETE FROM messages RETURNING 1) SELECT count(*) FROM gone")
    assert restore(made, url, confirm=yes).verdict is Outcome.PASSED
    assert ask(url, "SELECT count(*) FROM messages") == 2000
    rollback(url, confirm=yes)
    assert ask(url, "SELECT count(*) FROM messages") == 0


def test_without_confirmation_nothing_is_replaced(make_app: MakeApp, store: Path, databases: Databases, ask: Ask) -> None:
    url = make_app("unconfirmed")
    made = backup(url, store=store)
    before = ask(url, "SELECT oid FROM pg_database WHERE datname = 'unconfirmed'")
    with pytest.raises(RestoreFailed, match="not confirmed, so nothing was replaced; 'unconfirmed' is as it was"):
        restore(made, url, confirm=lambda _: False)
    assert databases("unconfirmed") == ["unconfirmed"]
    assert ask(url, "SELECT oid FROM pg_database WHERE datname = 'unconfirmed'") == before
    assert restore(made, url, confirm=yes).replaced
    with pytest.raises(RestoreFailed, match="not confirmed"):
        rollback(url, confirm=lambda _: False)


def test_a_script_that_connects_elsewhere_is_refused(
    make_app: MakeApp, store: Path, tmp_path: Path, databases: Databases, ask: Ask
) -> None:
    url = make_app("escaping")
    made = backup(url, store=store, format="plain")
    for command in (b"\\connect escaping", b"\\! touch /tmp/x", b"\\unrestrict abc \\! touch /tmp/x", b"\\i other.sql"):

        def insert(content: bytes, command: bytes = command) -> bytes:
            return content.replace(b"\nSET statement_timeout", b"\n" + command + b"\nSET statement_timeout", 1)

        evil = without_manifest(made, tmp_path / "evil", change=insert)
        with pytest.raises(RestoreFailed, match="nothing was touched") as caught:
            restore(evil, url, confirm=yes)
        assert command.decode() in str(caught.value)
    assert databases("escaping") == ["escaping"]
    assert ask(url, "SELECT count(*) FROM messages") == 2000


def test_a_script_that_fails_at_its_end_leaves_everything_as_it_was(
    make_app: MakeApp, store: Path, tmp_path: Path, databases: Databases, ask: Ask
) -> None:
    url = make_app("failing")
    made = backup(url, store=store, format="plain")
    footer = b"--\n-- PostgreSQL database dump complete"
    broken = without_manifest(
        made, tmp_path / "x", change=lambda c: c.replace(footer, b"ALTER TABLE public.users ADD CHECK (id < 9);\n\n" + footer)
    )
    with pytest.raises(RestoreFailed, match=r"is violated by some row.*'failing' is as it was"):
        restore(broken, url, confirm=yes)
    assert databases("failing") == ["failing"]
    assert ask(url, "SELECT count(*) FROM messages") == 2000


def test_a_restored_database_that_is_not_what_was_backed_up_is_dropped(
    make_app: MakeApp, store: Path, tmp_path: Path, databases: Databases, ask: Ask
) -> None:
    url = make_app("different")
    made = backup(url, store=store, format="plain")
    footer = b"--\n-- PostgreSQL database dump complete"
    # a statement that no reader takes for rows, so only the proof on the server can find out
    changed = without_manifest(
        made, tmp_path / "x", change=lambda c: c.replace(footer, b"DELETE FROM public.messages WHERE id = 7;\n\n" + footer)
    )
    done = restore(changed, url, confirm=lambda _: pytest.fail("asked to take an unproven database"))
    assert done.verdict is Outcome.FAILED
    assert not done.replaced
    assert "'different' is as it was" in done.state
    assert databases("different") == ["different"]
    assert ask(url, "SELECT count(*) FROM messages") == 2000


def test_what_cannot_be_proven_is_not_called_wrong_and_not_taken(make_app: MakeApp, tmp_path: Path, databases: Databases) -> None:
    url = make_app("unproven")
    script = tmp_path / "schema.sql"
    pg_dump = find_program("pg_dump", at_least=18)
    done = subprocess.run([str(pg_dump.path), "--schema-only", f"--dbname={url}"], capture_output=True, check=True)
    script.write_bytes(done.stdout)
    told = restore(script, url, confirm=lambda _: pytest.fail("asked to take an unproven database"))
    assert told.verdict is Outcome.NOT_CHECKED  # a dump without rows says nothing of them
    assert not told.replaced
    assert "could not be proven" in told.state
    assert databases("unproven") == ["unproven"]


def test_roles_that_do_not_exist_are_named_before_anything_is_touched(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("owned")
    with psycopg.connect(url, autocommit=True) as connection:
        for role in ("owner_1", "reader_1"):
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connection.execute("ALTER TABLE messages OWNER TO owner_1")
        connection.execute("GRANT SELECT ON users TO reader_1")
        made, script = backup(url, store=store, full=True), backup(url, store=store, format="plain", full=True)
        portable = backup(url, store=store)
        with connection.transaction():
            connection.execute("LOCK TABLE messages, users")  # an ANALYZE of its own, begun in the middle, would end in a deadlock
            connection.execute("DROP OWNED BY owner_1, reader_1")
        connection.execute("DROP ROLE owner_1, reader_1")
    with pytest.raises(RestoreFailed, match="missing: owner_1, reader_1") as refused:
        restore(made, url, confirm=yes)
    assert "--no-owner" in refused.value.remedy
    assert databases("owned") == ["owned"]
    with pytest.raises(UsageError, match="part of a plain script"):
        restore(script, url, confirm=yes, no_owner=True)
    for done in (restore(made, url, confirm=yes, no_owner=True), restore(portable, url, confirm=yes)):
        assert done.verdict is Outcome.PASSED, done.checks.to_string()


def test_a_role_that_may_not_create_databases_is_refused(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("powerless")
    made = backup(url, store=store)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE powerless_1 LOGIN")
        try:
            with pytest.raises(RestoreFailed, match="powerless_1 lacks CREATEDB and membership of the owner postgres"):
                restore(made, url.replace("postgres@", "powerless_1@"), confirm=yes)
        finally:
            connection.execute("DROP ROLE powerless_1")
    assert databases("powerless") == ["powerless"]


def test_an_ordinary_owner_backs_up_restores_and_rolls_back(make_app: MakeApp, store: Path, server: EmbeddedServer, ask: Ask) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE app_owner LOGIN CREATEDB")
        try:
            make_app("ordinary", "SELECT 1")
            connection.execute("ALTER DATABASE ordinary OWNER TO app_owner")
            url = server.url("ordinary").replace("postgres@", "app_owner@")
            with psycopg.connect(url) as own:
                own.execute(APP.encode())
            made = backup(url, store=store)
            ask(url, "WITH gone AS (DELETE FROM messages RETURNING 1) SELECT count(*) FROM gone")
            done = restore(made, url, confirm=yes)
            assert done.verdict is Outcome.PASSED, done.checks.to_string()
            assert ask(url, "SELECT count(*) FROM messages") == 2000
            rollback(url, confirm=yes)
            assert ask(url, "SELECT count(*) FROM messages") == 0
        finally:
            for name in ("ordinary", *(n for (n,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^ordinary__'"))):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            connection.execute("DROP ROLE app_owner")


def test_a_usage_error_while_asking_stays_one_and_everything_is_tidied(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("unasked")

    def nobody_there(_: Replacement) -> bool:
        raise UsageError("nobody is there to confirm")

    with pytest.raises(UsageError, match="nobody is there"):
        restore(backup(url, store=store), url, confirm=nobody_there)
    assert databases("unasked") == ["unasked"]


def test_a_name_too_long_for_the_way_back_is_refused(make_app: MakeApp, store: Path, databases: Databases) -> None:
    name = "n" * 35
    url = make_app(name)
    made = backup(url, store=store)
    with pytest.raises(RestoreFailed, match="1 bytes too long"):
        restore(made, url, confirm=yes)
    assert databases(name) == [name]


def test_the_old_database_is_dropped_when_told_so(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("unkept")
    done = restore(backup(url, store=store), url, confirm=yes, drop_old=True)
    assert done.replaced
    assert done.kept is None
    assert databases("unkept") == ["unkept"]


def test_owner_settings_and_rights_of_the_live_database_stay(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("settled")
    made = backup(url, store=store)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE settled SET TimeZone = 'Asia/Tokyo'")  # after the backup: the proof must not mind
        connection.execute("ALTER DATABASE settled SET bytea_output = 'escape'")
        connection.execute("COMMENT ON DATABASE settled IS 'ours'")
        connection.execute("ALTER DATABASE settled CONNECTION LIMIT 9")
    done = restore(made, url, confirm=yes)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, "SHOW TimeZone") == "Asia/Tokyo"
    assert ask(url, "SELECT shobj_description(oid, 'pg_database') || datconnlimit FROM pg_database WHERE datname = 'settled'") == "ours9"


def test_a_killed_restore_leaves_the_live_database_and_says_what_is_left(
    make_app: MakeApp, store: Path, databases: Databases, ask: Ask
) -> None:
    url = make_app("slain")
    made = backup(url, store=store)
    script = """
import sys, time
from pgaudit_kit.operations.restores.restore import restore
def confirm(replacement):
    print("asked", flush=True)
    time.sleep(600)
restore(sys.argv[1], sys.argv[2], confirm=confirm)
"""
    with subprocess.Popen([sys.executable, "-c", script, str(made.path), url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asked\n"
        process.kill()
    left = databases("slain__restore_")
    assert len(left) == 1
    assert ask(url, "SELECT count(*) FROM messages") == 2000
    strangers = "slain__restore_20200101T000000Z"  # without our mark it may be anybody's
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(strangers)))
    done = restore(made, url, confirm=yes)
    (told,) = [c for c in done.check_list if c.id == "restore.leftovers"]
    assert told.outcome is Outcome.WARNED
    assert {e["database"]: e["dropped"] for e in told.evidence} == {left[0]: True, strangers: False}
    assert databases("slain__restore_") == [strangers]
    assert "left by a restore that was killed; dropped" in told.found
    assert restore(made, url, confirm=yes, drop_leftovers=True).verdict is Outcome.WARNED  # it says what it dropped
    assert restore(made, url, confirm=yes).verdict is Outcome.PASSED
    assert databases("slain__restore_") == []


def test_an_interrupted_restore_tidies_up(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("stopped")

    def interrupted(_: Replacement) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        restore(backup(url, store=store), url, confirm=interrupted)
    assert caught.value.__notes__ == ["'stopped' is as it was. Then give the same command again: nothing is left over."]
    assert databases("stopped") == ["stopped"]


def test_a_lost_connection_is_told_with_how_the_server_stands(
    make_app: MakeApp, store: Path, databases: Databases, server: EmbeddedServer
) -> None:
    url = make_app("cut")

    def cut(_: Replacement) -> bool:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgaudit_kit' AND datname = 'postgres'"
            assert connection.execute(ends).fetchall()
        return True

    with pytest.raises(RestoreFailed, match="'cut' is as it was"):
        restore(backup(url, store=store), url, confirm=cut)
    assert databases("cut") == ["cut"]


def test_rollback_takes_the_newest_kept_database(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("layers")
    made = backup(url, store=store)
    ask(url, "UPDATE users SET name = 'first' WHERE id = 1 RETURNING 1")
    first = restore(made, url, confirm=yes)
    ask(url, "UPDATE users SET name = 'second' WHERE id = 1 RETURNING 1")
    second = restore(made, url, confirm=yes)
    assert rollback(url, confirm=yes).brought_back == second.kept
    assert ask(url, "SELECT name FROM users WHERE id = 1") == "second"
    assert rollback(url, confirm=yes).brought_back == first.kept
    assert ask(url, "SELECT name FROM users WHERE id = 1") == "first"


def test_rollback_works_when_the_live_database_is_gone(make_app: MakeApp, store: Path, ask: Ask, server: EmbeddedServer) -> None:
    url = make_app("lost")
    restore(backup(url, store=store), url, confirm=yes)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE lost")
    back = rollback(url, confirm=lambda _: pytest.fail("nothing is replaced"))
    assert back.kept is None
    assert ask(url, "SELECT count(*) FROM messages") == 2000


@pytest.mark.parametrize("dump_format", ["custom", "plain"])
def test_settings_that_an_older_server_does_not_know_are_left_out_and_told(
    dump_format: str, make_app: MakeApp, store: Path, ask: Ask
) -> None:
    older = sorted(Path("/usr/lib/postgresql").glob("1[2-6]/bin/postgres"))
    if not older:
        missing("a server of the system older than 17")
    table = "CREATE TABLE messages (id int PRIMARY KEY); INSERT INTO messages SELECT generate_series(1, 2000)"
    made = backup(make_app("newer", table), store=store, format=dump_format)
    with EmbeddedServer(bin_folder=older[-1].parent) as old:
        with pytest.raises(RestoreFailed, match=r"nothing was touched.*no databases of locale provider builtin.*one that the server knows"):
            restore(made, old.url("older"), confirm=yes)
        with psycopg.connect(old.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE older")
        done = restore(made, old.url("older"), confirm=yes)
        assert done.left_out == ("transaction_timeout",), done.state
        assert done.replaced, done.checks.to_string()
        assert ask(old.url("older"), "SELECT count(*) FROM messages") == 2000
        (versions,) = [c for c in done.check_list if c.id == "restore.versions"]
        assert versions.outcome is Outcome.WARNED


def test_an_extension_that_the_server_lacks_is_named_before_anything_is_touched(
    store: Path, server: EmbeddedServer, databases: Databases
) -> None:
    older = sorted(Path("/usr/lib/postgresql").glob("*/share/extension/pgcrypto.control")) or sorted(
        Path("/usr/share/postgresql").glob("*/extension/pgcrypto.control")
    )
    if not older:
        missing("a server of the system with pgcrypto")
    with EmbeddedServer(bin_folder=next(Path("/usr/lib/postgresql").glob("*/bin"))) as full:
        with psycopg.connect(full.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE hashed")
        with psycopg.connect(full.url("hashed"), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pgcrypto")
        made = backup(full.url("hashed"), store=store)
    with pytest.raises(RestoreFailed, match=r"nothing was touched.*missing: pgcrypto"):
        restore(made, server.url("hashed"), confirm=yes)
    assert databases("hashed") == []


def test_errors_of_a_restore_are_operation_errors_without_secrets(make_app: MakeApp, store: Path) -> None:
    url = make_app("hushed").replace("postgres@", "postgres:s3cr3t-of-the-test@")
    made = backup(url, store=store)
    with pytest.raises(OperationError) as caught:
        restore(made, url, confirm=lambda _: False)
    assert "s3cr3t" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


def test_roles_are_found_in_owners_and_grants() -> None:
    entries = [
        TocEntry("TABLE", "t", owner="app owner"),
        TocEntry(
            "ACL",
            "TABLE t",
            owner="app owner",
            definition="GRANT SELECT ON TABLE s.x TO reader;\nREVOKE ALL ON TABLE t FROM PUBLIC;\n",
        ),
        TocEntry("DEFAULT ACL", "x", owner="a", definition='ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES  TO "o ""d";\n'),
        TocEntry("ACL", "TABLE u", definition="GRANT SELECT ON TABLE u TO writer WITH GRANT OPTION;\n"),
    ]
    assert roles_in(entries) == {"app owner", "reader", "a", 'o "d', "writer"}


def test_only_leading_settings_are_taken_off_a_script() -> None:
    leading = b"--\n-- dump\n\n\\restrict abc\n\nSET a = 0;\nSET b = 'x';\nSELECT pg_catalog.set_config('search_path', '', false);\n"
    script = leading + b"CREATE x;\nSET c = 1;\n"
    for size in (1, 7, 1000):
        lines, rest = split_preamble(iter([script[i : i + size] for i in range(0, len(script), size)]))
        assert b"".join(lines) + rest == script[: len(b"".join(lines) + rest)]
        assert b"".join(lines) == leading
        assert rest.startswith(b"CREATE")
