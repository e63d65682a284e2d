from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.restores.database_facts import Locale, carry_over, check_carried, create_like, read_database
from pgaudit_kit.operations.restores.database_names import made_name, made_of
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome

AT = datetime(2026, 1, 31, 12, 5, 9, tzinfo=UTC)
ROLE = 'odd "role\'s" name'


def test_names_carry_what_they_are_and_when() -> None:
    assert made_name("app", "restore", AT) == "app__restore_20260131T120509Z"
    assert made_name("app", "before", AT) == "app__before_20260131T120509Z"


def test_a_name_that_postgresql_would_cut_is_refused() -> None:
    assert len(made_name("é" * 18 + "x", "restore", AT).encode()) == 63
    with pytest.raises(RestoreFailed, match="1 bytes too long"):
        made_name("é" * 19, "restore", AT)


def test_only_names_of_this_very_database_are_recognised_newest_first() -> None:
    names = [
        "app__before_20260131T120509Z",
        "app__before_20270131T120509Z",
        "app2__before_20280131T120509Z",
        "app__before_yesterday",
        "app__restore_20260131T120509Z",
        "app__before_20260131T120509Z__before_20290131T120509Z",
    ]
    assert made_of("app", "before", names) == ["app__before_20270131T120509Z", "app__before_20260131T120509Z"]


def test_everything_around_a_database_is_carried_over(server: EmbeddedServer, make_database: Callable[..., str]) -> None:
    make_database('live "x"')
    make_database("fresh")
    live, role = sql.Identifier('live "x"'), sql.Identifier(ROLE)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        try:
            for statement in (
                "ALTER DATABASE {db} OWNER TO {role}",
                "ALTER DATABASE {db} SET search_path TO \"$user\", 'it''s, odd', public",
                "ALTER DATABASE {db} SET TimeZone TO 'Asia/Tokyo'",
                "ALTER DATABASE {db} SET my_app.motto TO 'a=b, \"c\" \\ d'",
                "ALTER ROLE {role} IN DATABASE {db} SET work_mem TO '5MB'",
                "ALTER DATABASE {db} CONNECTION LIMIT 17",
                "COMMENT ON DATABASE {db} IS 'it''s\nlive'",
                "REVOKE TEMPORARY ON DATABASE {db} FROM PUBLIC",
                "GRANT CREATE ON DATABASE {db} TO {role} WITH GRANT OPTION",
            ):
                connection.execute(sql.SQL(statement).format(db=live, role=role))
            before = read_database(connection, 'live "x"')
            assert before is not None
            for carried in carry_over(before, "fresh"):
                connection.execute(carried)
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO away").format(live))
            connection.execute(sql.SQL("ALTER DATABASE fresh RENAME TO {}").format(live))
            check = check_carried(before, connection)
            assert check.outcome is Outcome.PASSED, check.found
            assert len(before.settings) == 4
            with psycopg.connect(server.url('live "x"')) as inside:
                row = inside.execute("SELECT current_setting('search_path'), current_setting('my_app.motto')").fetchone()
            assert row == ('"$user", "it\'s, odd", public', 'a=b, "c" \\ d')
            connection.execute(sql.SQL("ALTER DATABASE {} RESET my_app.motto").format(live))
            assert check_carried(before, connection).outcome is Outcome.FAILED
        finally:
            connection.execute("DROP DATABASE IF EXISTS away")
            connection.execute(sql.SQL("DROP DATABASE {}").format(live))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_a_database_is_made_like_another(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain_c TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING 'SQL_ASCII'")
        try:
            facts = read_database(connection, "plain_c")
            assert facts is not None
            connection.execute(create_like("plain_c_2", facts, connection.info.server_version))
            again = read_database(connection, "plain_c_2")
            assert again is not None
            assert (facts.locale.provider, facts.locale.encoding) == ("libc", "SQL_ASCII")
            assert again.locale == facts.locale
        finally:
            connection.execute("DROP DATABASE IF EXISTS plain_c")
            connection.execute("DROP DATABASE IF EXISTS plain_c_2")


def test_a_locale_survives_the_manifest() -> None:
    locale = Locale("UTF8", "icu", "C", "C", "de-DE", None)
    assert Locale.from_settings(locale.to_settings() | {"TimeZone": "UTC"}) == locale


def test_whether_it_takes_connections_and_its_security_labels_are_carried_over_too(
    server: EmbeddedServer, make_database: Callable[..., str]
) -> None:
    make_database("closed")
    make_database("open")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE closed ALLOW_CONNECTIONS false")
        before = read_database(connection, "closed")
        assert before is not None
        for statement in carry_over(before, "open"):
            connection.execute(statement)
        after = read_database(connection, "open")
        assert after is not None
        assert (before.takes_connections, after.takes_connections) == (False, False)
        assert check_carried(before, connection).outcome is Outcome.PASSED
        labelled = replace(before, labels=(("selinux", "it's secret"),))  # no provider is loaded here, so the statement has to do
        statements = [statement.as_string(connection) for statement in carry_over(labelled, "open")]
        assert "SECURITY LABEL FOR \"selinux\" ON DATABASE \"open\" IS 'it''s secret'" in statements
        assert "security labels" in check_carried(labelled, connection).found
