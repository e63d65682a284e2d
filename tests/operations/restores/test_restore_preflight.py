"""What a restore looks for before it touches anything, on servers that lack it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.errors import RestoreFailed, UsageError
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.backups.part import Part
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.restored import Replacement, Restore
from pgaudit_kit.operations.restores.server_state import judge_space
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Check, Outcome

MakeApp = Callable[..., str]
Ask = Callable[[str, str], object]
Databases = Callable[[str], list[str]]
ServerOf = Callable[[int], EmbeddedServer]
TABLE = "CREATE TABLE t (id int PRIMARY KEY, word text); INSERT INTO t SELECT n, 'w' || n FROM generate_series(1, 200) n"


def yes(_: Replacement) -> bool:
    return True


def never(_: Replacement) -> bool:
    pytest.fail("asked to replace a database that must not be touched")


def check_of(done: Restore, check_id: str) -> Check:
    (found,) = [c for c in done.check_list if c.id == check_id]
    return found


def told(made: Backup, change: Callable[[dict[str, object]], None]) -> Backup:
    """The backup with another thing in its manifest."""
    plain = json.loads(made.manifest_path.read_text("utf-8"))
    change(plain)
    made.manifest_path.write_text(json.dumps(plain), encoding="utf-8")
    return made


@contextlib.contextmanager
def role(url: str, name: str, options: str = "LOGIN CREATEDB") -> Iterator[None]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name), sql.SQL(options)))
        try:
            yield
        finally:
            for (database,) in connection.execute("SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = %s", [name]).fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
            connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


def test_the_restored_database_has_the_locale_of_the_dump_and_says_when_the_live_one_had_another(
    make_app: MakeApp, store: Path, ask: Ask, server: EmbeddedServer
) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE from_utf8 TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C.utf8' ENCODING 'UTF8'")
        connection.execute("CREATE DATABASE wrong__x TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING 'LATIN1'")
        try:
            with psycopg.connect(server.url("from_utf8"), autocommit=True) as origin:
                origin.execute("CREATE TABLE t AS SELECT 'größer €'::text AS word")
            made = backup(server.url("from_utf8"), store=store)
            done = restore(made, server.url("wrong__x"), confirm=yes)
            assert done.replaced
            locale = check_of(done, "restore.locale")
            assert locale.outcome is Outcome.WARNED
            assert "encoding LATIN1, collate C" in locale.found
            query = "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate) FROM pg_database WHERE datname = 'wrong__x'"
            assert ask(server.url(), query) == "UTF8 C.utf8"
            assert ask(server.url("wrong__x"), "SELECT word FROM t") == "größer €"
        finally:
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^(from_utf8|wrong__x)'").fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_backup_of_a_part_replaces_no_database_unless_that_was_agreed_to(
    make_app: MakeApp, store: Path, ask: Ask, databases: Databases, server: EmbeddedServer
) -> None:
    url = make_app("parted", f"{TABLE}; CREATE TABLE precious AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t")
    made, definitions = backup(url, store=store, part=Part(tables=("t",))), backup(url, store=store, part=Part(schema_only=True))
    for in_place in (False, True):
        with pytest.raises(RestoreFailed, match=r"nothing was touched.*partial: table t") as refused:
            restore(made, url, confirm=never, in_place=in_place, replace_contents=in_place)
        assert "--accept-partial" in refused.value.remedy
    assert ask(url, "SELECT a FROM precious") == 1
    assert databases("parted") == ["parted"]
    new = restore(definitions, server.url("parted__new"), confirm=never)  # where nothing is, nothing is lost
    assert new.replaced
    assert check_of(new, "restore.whole").outcome is new.verdict is Outcome.WARNED, new.checks.to_string()
    without = backup(url, store=store, part=Part(exclude_table_data=("precious", "m")))
    new = restore(without, server.url("parted__newer"), confirm=never)
    assert new.replaced
    assert (ask(server.url("parted__newer"), "SELECT count(*) FROM precious"), new.verdict) == (0, Outcome.WARNED)
    done = restore(made, url, confirm=yes, accept_partial=True, in_place=True, replace_contents=True, store=store)
    assert done.replaced
    assert check_of(done, "restore.whole").outcome is Outcome.WARNED
    assert restore(made, url, confirm=yes, accept_partial=True, drop_old=True).replaced
    assert ask(url, "SELECT count(*) FROM t") == 200


@pytest.mark.parametrize("with_manifest", [True, False])
@pytest.mark.parametrize("dump_format", ["custom", "plain"])
def test_a_dump_that_holds_nothing_replaces_nothing_unless_that_was_agreed_to(
    dump_format: str, with_manifest: bool, make_app: MakeApp, store: Path, ask: Ask, databases: Databases, server: EmbeddedServer
) -> None:
    url, made = make_app("kept", TABLE), backup(make_app("void", ""), store=store, format=dump_format)
    if not with_manifest:
        made.manifest_path.unlink()
    for in_place in (False, True):
        with pytest.raises(RestoreFailed, match=r"nothing was touched.*nothing is in it") as refused:
            restore(made.path, url, confirm=never, in_place=in_place, replace_contents=in_place, store=store)
        assert "--accept-partial" in refused.value.remedy
    assert (ask(url, "SELECT count(*) FROM t"), databases("kept")) == (200, ["kept"])
    assert restore(made.path, server.url("kept__new"), confirm=never).replaced
    assert restore(made.path, make_app("kept__bare", ""), confirm=yes).replaced  # nor is anything lost where nothing is
    assert restore(made.path, make_app("kept__barer", ""), confirm=never, in_place=True).replaced
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    agreed = restore(made.path, url, confirm=yes, accept_partial=True)
    assert (agreed.replaced, check_of(agreed, "restore.whole").outcome, ask(url, tables)) == (True, Outcome.WARNED, 0)
    assert agreed.kept
    kept = server.url(agreed.kept)
    assert ask(kept, "SELECT count(*) FROM t") == 200
    assert restore(made.path, kept, confirm=yes, accept_partial=True, in_place=True, replace_contents=True, store=store).replaced
    assert ask(kept, tables) == 0


def test_an_empty_dump_does_not_replace_a_database_that_cannot_be_looked_at(
    make_app: MakeApp, store: Path, databases: Databases, server: EmbeddedServer
) -> None:
    url, made = make_app("shut", TABLE), backup(make_app("void", ""), store=store)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE shut ALLOW_CONNECTIONS false")
    with pytest.raises(RestoreFailed, match="nothing is in it"):
        restore(made, url, confirm=never)
    assert databases("shut") == ["shut"]


def test_a_locale_that_the_system_does_not_know_is_told_before_anything_is_touched(
    make_app: MakeApp, store: Path, databases: Databases, server: EmbeddedServer
) -> None:
    url = make_app("babel", TABLE)

    def elsewhere(plain: dict[str, object]) -> None:
        settings = plain["provenance"]["settings"]  # type: ignore[index]  # JSON
        for key in [k for k in settings if k.startswith("database.")]:
            del settings[key]
        settings.update(
            {"database.encoding": "UTF8", "database.provider": "libc", "database.collate": "tlh_XX", "database.ctype": "tlh_XX"}
        )

    made = told(backup(url, store=store), elsewhere)
    with pytest.raises(RestoreFailed, match=r"nothing was touched.*does not know the locale 'tlh_XX'"):
        restore(made, server.url("babel__new"), confirm=never)
    assert databases("babel") == ["babel"]
    done = restore(made, url, confirm=yes)  # the live one says what to take instead
    assert done.replaced
    assert check_of(done, "restore.locale").outcome is Outcome.WARNED
    assert "the live database's is taken" in check_of(done, "restore.locale").found


def test_a_tablespace_that_is_missing_is_named_and_can_be_left_out(server_of: ServerOf, store: Path, ask: Ask) -> None:
    server = server_of(18)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE \"fast one\" LOCATION ''")
        connection.execute("CREATE DATABASE spacious TEMPLATE template0")
        try:
            with psycopg.connect(server.url("spacious"), autocommit=True) as app:
                app.execute('CREATE TABLE t (id int) TABLESPACE "fast one"')
                app.execute("INSERT INTO t VALUES (1)")
                made, script = backup(server.url("spacious"), store=store), backup(server.url("spacious"), store=store, format="plain")
                app.execute("DROP TABLE t")
            connection.execute('DROP TABLESPACE "fast one"')
            with pytest.raises(RestoreFailed, match=r"nothing was touched.*fast one is missing") as refused:
                restore(made, server.url("spacious"), confirm=never)
            assert "--no-tablespaces" in refused.value.remedy
            with pytest.raises(UsageError, match="tablespaces are part of a plain script"):
                restore(script, server.url("spacious"), confirm=never, no_tablespaces=True)
            done = restore(made, server.url("spacious"), confirm=yes, no_tablespaces=True, drop_old=True)
            assert done.verdict is Outcome.PASSED, done.checks.to_string()
            assert ask(server.url("spacious"), "SELECT count(*) FROM t") == 1
        finally:
            connection.execute("DROP DATABASE spacious WITH (FORCE)")


def test_an_extension_that_would_come_in_another_version_is_a_warning_before_and_after(server_of: ServerOf, store: Path) -> None:
    server = server_of(18)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE versioned TEMPLATE template0")
        try:
            with psycopg.connect(server.url("versioned"), autocommit=True) as app:
                app.execute("CREATE EXTENSION pgcrypto")
                app.execute("CREATE TABLE t AS SELECT 1 AS id")

            def older(plain: dict[str, object]) -> None:
                (extension,) = [o for o in plain["objects"] if o["kind"] == "EXTENSION"]  # type: ignore[attr-defined]  # JSON
                extension["attributes"]["version"] = "0.9"

            done = restore(told(backup(server.url("versioned"), store=store), older), server.url("versioned"), confirm=yes, drop_old=True)
            assert done.replaced, done.checks.to_string()
            for check_id in ("restore.extension_versions", "extensions.version"):
                assert check_of(done, check_id).outcome is Outcome.WARNED
                assert "pgcrypto: 0.9 → " in check_of(done, check_id).found
            assert check_of(done, "objects.match").outcome is Outcome.PASSED
        finally:
            connection.execute("DROP DATABASE versioned WITH (FORCE)")


def test_what_only_a_superuser_may_create_is_told_before_and_blamed_on_the_environment(server_of: ServerOf, store: Path, ask: Ask) -> None:
    server = server_of(18)
    with role(server.url(), "untrusted_1"), psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE untrusted OWNER untrusted_1 TEMPLATE template0")
        with psycopg.connect(server.url("untrusted"), autocommit=True) as app:
            app.execute("CREATE EXTENSION pageinspect")
            app.execute("CREATE TABLE t AS SELECT 7 AS id")
        made = backup(server.url("untrusted"), store=store)
        with pytest.raises(RestoreFailed, match="permission denied to create extension") as failed:
            restore(made, server.url("untrusted").replace("postgres@", "untrusted_1@"), confirm=never, no_owner=True)
        assert failed.value.party == "environment"
        assert "EXTENSION pageinspect" in failed.value.message
        assert "'untrusted' is as it was" in failed.value.message
        assert failed.value.remedy.endswith("give the same command again: nothing is left over.")
        assert ask(server.url(), "SELECT count(*) FROM pg_database WHERE datname ~ '^untrusted__'") == 0
        assert ask(server.url("untrusted"), "SELECT id FROM t") == 7


def test_owners_for_whom_this_role_may_not_act_are_named(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("abroad", TABLE)
    made = backup(url, store=store, full=True)
    with role(url, "guest_1"), psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE abroad OWNER TO guest_1")
        with pytest.raises(RestoreFailed, match="may not make objects theirs: postgres") as refused:
            restore(made, url.replace("postgres@", "guest_1@"), confirm=never)
        assert "--no-owner" in refused.value.remedy
        assert databases("abroad") == ["abroad"]
        connection.execute("ALTER DATABASE abroad OWNER TO postgres")


def test_sessions_that_this_role_may_not_end_are_told_before_anything_is_touched(make_app: MakeApp, store: Path) -> None:
    url = make_app("guarded", "SELECT 1")
    with role(url, "guard_1"), psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE guarded OWNER TO guard_1")
        own = url.replace("postgres@", "guard_1@")
        with psycopg.connect(own, autocommit=True) as app:
            app.execute(TABLE)
        made = backup(own, store=store)
        with pytest.raises(RestoreFailed, match="nothing was touched") as refused:  # ours as superuser is open
            restore(made, own, confirm=never, force=True)
        assert "may not end these sessions" in refused.value.remedy
        connection.execute("ALTER DATABASE guarded OWNER TO postgres")


def test_a_prepared_transaction_is_told_before_anything_is_touched(store: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        with EmbeddedServer(folder / "data") as server, psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
        with EmbeddedServer(folder / "data") as server, psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE promised TEMPLATE template0")
            with psycopg.connect(server.url("promised"), autocommit=True) as app:
                app.execute(TABLE)
                made = backup(server.url("promised"), store=store)
                app.execute("BEGIN; DELETE FROM t WHERE id = 1; PREPARE TRANSACTION 'order 66'")
            with pytest.raises(RestoreFailed, match=r"nothing was touched.*order 66") as refused:
                restore(made, server.url("promised"), confirm=never, force=True)
            assert "ROLLBACK PREPARED" in refused.value.remedy
            assert "restore.prepared" in {c.id for c in refused.value.checks}
            with psycopg.connect(server.url("promised"), autocommit=True) as app:
                app.execute("ROLLBACK PREPARED 'order 66'")
            assert restore(made, server.url("promised"), confirm=yes).replaced
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(("free", "outcome"), [(101, "passed"), (99, "warned"), (33, "failed"), (0, "failed")])
def test_room_is_judged_by_the_size_of_the_rows(free: int, outcome: str) -> None:
    check = judge_space(needed=100, free=free)
    assert check.outcome == outcome
    assert bool(check.remedy) == (outcome != "passed")


def test_room_is_asked_for_on_this_machine_and_said_to_be_unknown_elsewhere(make_app: MakeApp, store: Path) -> None:
    url = make_app("roomy", TABLE)
    made = backup(url, store=store)
    done = restore(made, url, confirm=yes)
    space = check_of(done, "restore.space")
    assert space.outcome is Outcome.PASSED
    assert "MB free" in space.found
    assert not any("Space" in note for note in done.notes)


def test_the_numbers_of_jobs_and_kept_databases_must_be_possible(make_app: MakeApp, store: Path) -> None:
    url = make_app("numbers", TABLE)
    made = backup(url, store=store)
    with pytest.raises(UsageError, match="jobs"):
        restore(made, url, confirm=never, jobs=0)
    with pytest.raises(UsageError, match="keep"):
        restore(made, url, confirm=never, keep=-1)


def test_a_difference_that_we_ourselves_left_open_is_told_with_how_to_close_it(make_app: MakeApp, store: Path) -> None:
    url = make_app("looked_at", TABLE)
    made = backup(url, store=store)
    left_open = diff(made.path, url)
    try:
        with pytest.raises(RestoreFailed, match="nothing was touched") as refused:
            restore(made, url, confirm=never)
        assert ".close()" in refused.value.remedy
    finally:
        left_open.close()
    with psycopg.connect(url, autocommit=True), pytest.raises(RestoreFailed, match="nothing was touched") as refused:
        restore(made, url, confirm=never)
    assert ".close()" not in refused.value.remedy, "that one is the application's"
