"""The rows of a live database: the bytes that pg_dump writes, from one moment, and never a silently shorter table."""

from __future__ import annotations

import gc
import re
import signal
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

import psycopg
import pytest

from pgaudit_kit.difference.keys import RowKey, key_of
from pgaudit_kit.errors import PgAuditError, QueryFailed, RowsNotAvailable, UsageError
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line, lines_of
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.server.snapshot import Snapshot, snapshot
from tests.server.live import LiveDatabase

T = TableName("public", "t")
_COPY = re.compile(r"^COPY (\S+) ?(?:\((.*)\))? ?FROM stdin;\n(.*?)^\\\.$", re.MULTILINE | re.DOTALL)

AWKWARD = r"""
CREATE TABLE t (id int PRIMARY KEY, v text, b bytea, f float8, g float4, n numeric, d date, ts timestamptz, iv interval, a text[], j jsonb,
                gen int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO t VALUES
 (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (2, '', '', 'NaN', 'Infinity', 'NaN', 'infinity', '-infinity', '0', '{}', '{}'),
 (3, E'tab\tnewline\nreturn\rbackslash\\ \\N \\.', '\x00ff5c0a', 0.1, 1.1, 1e-300, '0044-03-15 BC', '2024-06-01 12:00:00.123456+09',
  '1 year -2 days 03:04:05.678', '{"a,b","c\"d",NULL,NULL}', '{"deep": {"x": [1, null, "é🐘"]}}'),
 (4, E'\\.', E'\\\\', -0.0, 3.4028235e38, 'Infinity', '5874897-12-31', '294276-12-31 23:59:59+00',
  '-178000000 years', '{{1,2},{3,4}}', '"\u00e9"'),
 (5, '  spaces ', 'x', 1.7976931348623157e308, 1e-45, 0.10, '2024-02-29', '1900-01-01 00:00+00', '1 mon', ARRAY['NULL'], 'null');
"""


def rows(taken: Snapshot, name: TableName = T, columns: list[str] | None = None) -> list[tuple[str | None, ...]]:
    return [decode_line(line) for line in lines_of(taken.row_blocks(name, columns))]


def test_a_snapshot_is_a_source(database: LiveDatabase) -> None:
    with database.snapshot() as taken:
        source: Source = taken
        assert source.provenance.format == "live"
        assert source.provenance.database == database.name
        assert (source.provenance.server_version or "").startswith(database.server.version)
        assert source.provenance.settings["TimeZone"] == "UTC"
        assert source.provenance.settings["bytea_output"] == "hex"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", source.provenance.created_at or "")
        assert source.table_data == {}
        assert source.inventory.objects == ()


def test_rows_are_the_very_bytes_that_pg_dump_writes(database: LiveDatabase) -> None:
    database.run(AWKWARD)
    ((_, columns, dumped),) = _COPY.findall(database.pg_dump("--data-only"))
    with database.snapshot() as taken:
        assert b"".join(taken.row_blocks(T)).decode() == dumped
        assert ", ".join(taken.table_data[T].columns) == columns
        assert taken.fingerprint(T) == fingerprint_of([dumped.encode()])
        assert taken.fingerprint(T).rows == 5


def test_rows_are_utf_8_whatever_the_role_is_set_to(database: LiveDatabase, make_role: Callable[[str], str]) -> None:
    role = make_role("latin")
    database.run(AWKWARD, f"GRANT SELECT ON t TO {role}", f"ALTER ROLE {role} SET client_encoding = 'LATIN1'")
    for setting in ("datestyle = 'SQL, DMY'", "intervalstyle = 'iso_8601'", "extra_float_digits = -5"):
        database.run(f"ALTER ROLE {role} SET {setting}")
    with database.snapshot() as mine, snapshot(database.url_as(role)) as theirs:
        assert theirs.fingerprint(T) == mine.fingerprint(T)


def test_names_and_values_that_are_no_utf_8_can_be_read_from_a_sql_ascii_database(database: LiveDatabase) -> None:
    name = f"{database.name}_ascii"
    database.on_postgres(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
        + (" LOCALE_PROVIDER libc" if database.major >= 15 else "")
    )
    try:
        url = database.server.url(name)
        with psycopg.connect(url, autocommit=True, client_encoding="LATIN1") as connection:
            connection.execute('CREATE TABLE "t\xe9" ("c\xe9" text)'.encode("latin-1"))
            connection.execute("INSERT INTO \"t\xe9\" VALUES ('v\xe9')".encode("latin-1"))
        with snapshot(url) as taken:
            ((table, data),) = taken.table_data.items()
            assert taken.inventory.of_kind("TABLE")[0].key.name == "t\udce9"
            assert (table.name, data.columns) == ("t\udce9", ("c\udce9",))
            assert rows(taken, table) == [("v\udce9",)]
            assert taken.fingerprint(table) == fingerprint_of([b"v\xe9\n"])
    finally:
        database.on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_snapshot_does_not_see_what_is_written_after_it(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with database.snapshot() as taken:
        database.run("INSERT INTO t VALUES (2)", "CREATE TABLE later (a int)")
        assert rows(taken) == [("1",)]
        assert list(taken.table_data) == [T]


def test_a_snapshot_can_write_nothing(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a int)")
    with database.snapshot() as taken:
        for change in (
            "INSERT INTO t VALUES (1) RETURNING a",
            "CREATE TABLE u AS SELECT 1",
            "SELECT set_config('transaction_read_only', 'off', false)",
        ):
            with pytest.raises(QueryFailed):
                taken.ask(change)
        assert rows(taken) == []


def test_two_snapshots_can_share_one_moment(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with database.snapshot() as first:
        database.run("INSERT INTO t VALUES (2)")
        with database.snapshot(snapshot_id=first.export_id()) as second:
            assert rows(second) == [("1",)]
            assert second.fingerprint(T) == first.fingerprint(T)
    with pytest.raises(QueryFailed, match="must still be open"):
        database.snapshot(snapshot_id="00000003-0000001B-1")
    with pytest.raises(QueryFailed, match="taking over snapshot"):
        database.snapshot(snapshot_id="'; DROP TABLE t; --")
    assert database.find("TABLE", "t")


def test_pg_dump_can_take_the_same_moment(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with database.snapshot() as taken:
        exported = taken.export_id()
        database.run("INSERT INTO t VALUES (2)")
        ((_, _, dumped),) = _COPY.findall(database.pg_dump("--data-only", f"--snapshot={exported}"))
        assert b"".join(taken.row_blocks(T)).decode() == dumped == "1\n"


def test_only_the_wanted_columns_are_read_in_the_wanted_order(database: LiveDatabase) -> None:
    database.run('CREATE TABLE t (a int, "B b" text, c int)', "INSERT INTO t VALUES (1, 'x', 2), (3, 'y', 4)")
    with database.snapshot() as taken:
        assert rows(taken, columns=["c", "B b"]) == [("2", "x"), ("4", "y")]
        assert taken.fingerprint(T, ["c"]) == fingerprint_of([b"2\n4\n"])
        assert taken.fingerprint(T, []) == fingerprint_of([b"\n\n"])
        assert taken.table_data[T].fingerprint is None
        with pytest.raises(RowsNotAvailable, match="no column nope"):
            taken.row_blocks(T, ["nope"])


def test_counts_are_known_once_they_were_asked_for(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a int)", "INSERT INTO t SELECT generate_series(1, 10)")
    with database.snapshot() as taken:
        before = taken.table_data[T]
        assert (before.rows, before.size_bytes, before.fingerprint) == (None, None, None)
        counted = taken.fingerprint(T)
        after = taken.table_data[T]
        assert (after.rows, after.size_bytes, after.fingerprint) == (10, 21, counted)
        assert list(taken.tables["rows"]) == [10]
        assert list(taken.objects["name"]) == ["t"]


def test_tables_without_columns_have_rows_too(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES")
    database.run("CREATE TABLE gone (a int, b int); ALTER TABLE gone DROP a, DROP b; INSERT INTO gone DEFAULT VALUES")
    database.run("CREATE TABLE gen (x int GENERATED ALWAYS AS (3) STORED); INSERT INTO gen DEFAULT VALUES")
    with database.snapshot() as taken:
        assert {n.name: (d.columns, taken.fingerprint(n).rows) for n, d in taken.table_data.items()} == {
            "t": ((), 2),
            "gone": ((), 1),
            "gen": ((), 1),
        }


def test_an_empty_table_has_no_blocks(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a int)")
    with database.snapshot() as taken:
        assert list(taken.row_blocks(T)) == []
        assert taken.fingerprint(T) == Fingerprint(0, 0)


def test_children_and_partitions_hold_their_rows_themselves(database: LiveDatabase) -> None:
    database.run(
        "CREATE TABLE t (a int); CREATE TABLE child (b int) INHERITS (t); INSERT INTO t VALUES (1); INSERT INTO child VALUES (2, 3)"
    )
    database.run("CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1)")
    database.run("CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 1; CREATE UNLOGGED TABLE fast (a int)")
    with database.snapshot() as taken:
        assert {n.name: rows(taken, n) for n in taken.table_data} == {"t": [("1",)], "child": [("2", "3")], "p1": [("1",)], "fast": []}
        for absent in ("p", "v", "m", "nowhere"):
            with pytest.raises(RowsNotAvailable, match="not an ordinary table"):
                taken.row_blocks(TableName("public", absent))


def test_blocks_are_whole_lines_and_small_enough_for_the_cache(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a text)", "INSERT INTO t SELECT repeat(md5(i::text), 10) FROM generate_series(1, 20000) i")
    with database.snapshot() as taken:
        blocks = list(taken.row_blocks(T))
    assert all(block.endswith(b"\n") for block in blocks)
    assert all(96 << 10 <= len(block) < (96 << 10) + 400 for block in blocks[:-1])
    assert len(blocks) == 66
    assert sum(b.count(b"\n") for b in blocks) == 20000


def big(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a text)", "INSERT INTO t SELECT repeat(md5(i::text), 30) FROM generate_series(1, 20000) i")
    database.run("CREATE TABLE small (a int)", "INSERT INTO small VALUES (7)")


SMALL = TableName("public", "small")


def test_closing_a_stream_early_leaves_the_snapshot_usable(database: LiveDatabase) -> None:
    big(database)
    with database.snapshot() as taken:
        moment = taken.ask("SELECT pg_current_snapshot()::text AS s")[0]["s"]
        stream = taken.row_blocks(T)
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # Source promises an iterator, we give a generator
        assert rows(taken, SMALL) == [("7",)]
        assert taken.fingerprint(T).rows == 20000
        assert taken.ask("SELECT pg_current_snapshot()::text AS s")[0]["s"] == moment
        assert taken.ask("SHOW search_path")[0]["search_path"] in ("", '""')


def test_forgetting_a_stream_early_leaves_the_snapshot_usable(database: LiveDatabase) -> None:
    big(database)
    with database.snapshot() as taken:
        assert len(list(islice(taken.row_blocks(T), 2))) == 2
        gc.collect()
        assert rows(taken, SMALL) == [("7",)]


def test_an_exception_in_the_reading_loop_leaves_the_snapshot_usable(database: LiveDatabase) -> None:
    big(database)
    with database.snapshot() as taken:
        with suppress(ZeroDivisionError):
            for _ in taken.row_blocks(T):
                raise ZeroDivisionError
        gc.collect()
        assert rows(taken, SMALL) == [("7",)]


def test_two_streams_at_once_are_refused_and_the_first_goes_on(database: LiveDatabase) -> None:
    big(database)
    with database.snapshot() as taken:
        taken.fingerprint(SMALL)
        first = taken.row_blocks(T)
        second = taken.row_blocks(SMALL)
        head = next(first)
        for wanted in (
            lambda: next(second),
            lambda: taken.row_blocks(SMALL),
            lambda: taken.inventory,
            lambda: taken.use_setting("TimeZone", "Asia/Tokyo"),
        ):
            with pytest.raises(UsageError, match=r"rows of public\.t are still being read"):
                wanted()
        assert taken.fingerprint(SMALL).rows == 1  # known already
        assert fingerprint_of([head, *first]).rows == 20000
        assert rows(taken, SMALL) == [("7",)]


def test_closing_a_snapshot_while_a_stream_is_open_is_quiet(database: LiveDatabase) -> None:
    big(database)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taken = database.snapshot()
        stream = taken.row_blocks(T)
        next(stream)
        taken.close()
        taken.close()
        assert list(stream) == []
        del stream
        gc.collect()
    with pytest.raises(UsageError, match="closed"):
        _ = taken.inventory
    assert "closed" in repr(taken)


def test_losing_the_server_is_one_error_of_ours(database: LiveDatabase) -> None:
    big(database)
    with database.snapshot() as taken:
        pid = taken.ask("SELECT pg_backend_pid() AS pid")[0]["pid"]
        _ = taken.table_data
        database.run(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(QueryFailed, match="try again"):
            list(taken.row_blocks(T))


def test_a_snapshot_that_has_read_everything_keeps_nobody_waiting(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a serial PRIMARY KEY)", "CREATE VIEW v AS SELECT a FROM t")
    with database.snapshot() as taken:
        assert taken.inventory.objects
        assert taken.fingerprint(T).rows == 0
        assert key_of(taken.inventory, T) == RowKey(("a",))
        database.run("SET lock_timeout = '2s'; ALTER TABLE t ADD b int; ALTER SEQUENCE t_a_seq MAXVALUE 9; DROP VIEW v")


def test_a_table_that_is_dropped_meanwhile_is_an_error_and_not_an_empty_table(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE TABLE small (a int)")
    with database.snapshot() as taken:
        assert len(taken.table_data) == 2
        database.run("DROP TABLE t")
        with pytest.raises(QueryFailed, match=r"reading the rows of public\.t failed"):
            taken.fingerprint(T)
        assert rows(taken, SMALL) == []


def test_rows_that_a_policy_would_hide_are_not_readable(database: LiveDatabase, make_role: Callable[[str], str]) -> None:
    role = make_role("tenant")
    database.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    database.run(f'CREATE POLICY "only one" ON t USING (a = 1); GRANT SELECT ON t TO {role}')
    with snapshot(database.url_as(role)) as taken:
        assert "row-level security" in taken.table_data[T].not_readable
        for read in (lambda: taken.row_blocks(T), lambda: taken.fingerprint(T)):
            with pytest.raises(RowsNotAvailable, match=r'role tenant \(policies "only one"\)') as caught:
                read()
        assert "BYPASSRLS" in caught.value.remedy
    with database.snapshot() as as_superuser:
        assert rows(as_superuser) == [("1",), ("2",)]


def test_rows_that_the_role_may_not_select_are_not_readable(database: LiveDatabase, make_role: Callable[[str], str]) -> None:
    role = make_role("stranger")
    database.run("CREATE SCHEMA closed; CREATE TABLE closed.c (a int); CREATE TABLE t (a int, b int); CREATE TABLE small (a int)")
    database.run(f"GRANT SELECT ON closed.c TO {role}; GRANT SELECT (a) ON t TO {role}; GRANT SELECT (a) ON small TO {role}")
    with snapshot(database.url_as(role)) as taken:
        reasons = {n.name: d.not_readable for n, d in taken.table_data.items()}
        assert reasons == {
            "c": "role stranger may not use its schema: GRANT USAGE ON SCHEMA closed TO stranger",
            "t": "role stranger may not SELECT from it: GRANT SELECT ON public.t TO stranger",
            "small": "",
        }
        assert rows(taken, SMALL) == []
        with pytest.raises(PgAuditError, match="may not use its schema"):
            taken.row_blocks(TableName("closed", "c"))


def test_another_time_zone_prints_other_text_and_forgets_what_was_read(database: LiveDatabase) -> None:
    database.run("CREATE TABLE t (a timestamptz DEFAULT '2024-01-01 00:00:00+00')", "INSERT INTO t DEFAULT VALUES")
    with database.snapshot() as taken:
        in_utc = taken.fingerprint(T)
        default = taken.inventory.of_kind("TABLE")[0].columns[0].attributes["default"]
        assert default == "'2024-01-01 00:00:00+00'::timestamp with time zone"
        taken.use_setting("TimeZone", "Asia/Tokyo")
        assert rows(taken) == [("2024-01-01 09:00:00+09",)]
        assert taken.table_data[T].fingerprint is None
        assert taken.fingerprint(T) != in_utc
        assert "09:00:00+09" in (taken.inventory.of_kind("TABLE")[0].columns[0].attributes["default"] or "")
        assert taken.provenance.settings["TimeZone"] == "Asia/Tokyo"
        taken.use_setting("TimeZone", "UTC")
        assert taken.fingerprint(T) == in_utc
        with pytest.raises(QueryFailed, match="Nowhere/Land"):
            taken.use_setting("TimeZone", "Nowhere/Land")
        assert taken.fingerprint(T) == in_utc


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2024-01-01 00:00:00+00", "2024-07-01 00:00:00+00"], {"UTC"}),
        (["2024-01-01 09:00:00-05", "2024-07-01 09:00:00.5-04", "0044-03-15 12:00:00-04:56:02 BC"], {"America/New_York"}),
        (["2024-01-01 05:30:00+05:30", "1942-10-01 00:00:00+06:30"], {"Asia/Calcutta", "Asia/Kolkata"}),
        (["2024-01-01 00:00:00+00", "2024-01-02 00:00:00+05"], {None}),
        (["294276-12-31 21:59:59.999999+09", "4713-01-02 09:18:59+09:18:59 BC", "2024-01-01 21:00:00+09"], {"Asia/Tokyo"}),
        (["no time at all"], {None}),
    ],
)
def test_a_time_zone_is_found_that_prints_values_as_they_were(
    database_18: LiveDatabase, values: list[str], expected: set[str | None]
) -> None:
    with database_18.snapshot() as taken:
        found = taken.timezone_that_prints(values)
        assert found in expected
        if found:
            taken.use_setting("TimeZone", found)
            printed = taken.ask("SELECT v::timestamptz::text AS v FROM unnest(array[" + ", ".join(f"'{v}'" for v in values) + "]) v")
            assert [p["v"] for p in printed] == values


def test_key_columns_are_the_primary_key_else_a_unique_index_first_one_that_cannot_be_null(database: LiveDatabase) -> None:
    database.run(
        "CREATE TABLE pk (a int, b int, c int UNIQUE NOT NULL, PRIMARY KEY (b, a))",
        "CREATE TABLE later (a int, PRIMARY KEY (a) DEFERRABLE)",
        "CREATE TABLE uniq (a int NOT NULL, b int NOT NULL, c int NOT NULL, UNIQUE (a, b), UNIQUE (c) INCLUDE (a))",
        "CREATE TABLE maybe (a int UNIQUE, b int NOT NULL, c text NOT NULL, g int GENERATED ALWAYS AS (b) STORED UNIQUE NOT NULL)",
        "CREATE UNIQUE INDEX ON maybe (b) WHERE b > 0; CREATE UNIQUE INDEX ON maybe (lower(c)); CREATE UNIQUE INDEX ON maybe (b, lower(c))",
        "CREATE INDEX ON maybe (b)",
        'CREATE TABLE prisma (a int NOT NULL, "b, c" text NOT NULL); CREATE UNIQUE INDEX ON prisma ("b, c", a) INCLUDE (a)',
    )
    with database.snapshot() as taken:
        keys = {n.name: key_of(taken.inventory, n) for n in taken.table_data}
        assert key_of(taken.inventory, TableName("public", "nowhere")) is None
    assert keys == {
        "pk": RowKey(("b", "a")),
        "later": RowKey(("a",)),
        "uniq": RowKey(("c",)),
        "maybe": RowKey(("a",), "distinct"),
        "prisma": RowKey(("b, c", "a")),
    }


def test_the_settings_are_those_of_pg_dump(database: LiveDatabase) -> None:
    wanted = {
        "DateStyle": "ISO, MDY",
        "IntervalStyle": "postgres",
        "extra_float_digits": "3",
        "synchronize_seqscans": "off",
        "row_security": "off",
        "statement_timeout": "0",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "client_encoding": "UTF8",
        "transaction_read_only": "on",
        "transaction_isolation": "repeatable read",
    }
    if database.major >= 17:
        wanted["transaction_timeout"] = "0"
    database.run(f"ALTER DATABASE {database.name} SET statement_timeout = '9min'; ALTER DATABASE {database.name} SET lock_timeout = '9min'")
    with database.snapshot() as taken:
        assert {name: taken.ask(f"SHOW {name}")[0][name] for name in wanted} == wanted


def test_a_snapshot_does_not_show_its_password(server_15: object, database: LiveDatabase) -> None:
    with snapshot(database.url.replace("postgres@", "postgres:pa55-word@")) as taken:
        assert "pa55-word" not in repr(taken)
        assert "pa55-word" not in taken.label
        assert "pa55-word" not in repr(taken.provenance)
        with pytest.raises(QueryFailed) as caught:
            taken.ask("SELECT broken")
        assert "pa55-word" not in str(caught.value)


def test_ctrl_c_while_a_table_is_locked_stops_the_waiting_query(database: LiveDatabase) -> None:
    database.run("CREATE TABLE locked (id integer)")
    main_thread = threading.main_thread().ident or 0
    with snapshot(database.url) as live, psycopg.connect(database.url) as blocker:
        assert TableName("public", "locked") in live.table_data
        blocker.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        threading.Timer(0.5, signal.pthread_kill, [main_thread, signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            live.fingerprint(TableName("public", "locked"))
        assert live.ask("SELECT 1 AS one") == [{"one": 1}]
