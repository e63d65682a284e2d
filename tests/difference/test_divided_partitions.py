"""Partitions that were divided otherwise since the dump: rows that lie in another one are not lost, and lost ones find their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.rescue import Rescue
from pgaudit_kit.difference.rows import RowCounts
from pgaudit_kit.errors import RestoreFailed, UsageError
from pgaudit_kit.operations.extracts.rescue import apply_rescue
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from tests.difference.dumping import pg_dump
from tests.difference.test_rescue import rows, run
from tests.difference.test_rescue_hard import incident as incident  # noqa: PLC0414  the fixture

Incident = Callable[..., tuple[Path, str]]

EVENTS = """
CREATE TABLE kinds (id int PRIMARY KEY); INSERT INTO kinds VALUES (1), (2);
CREATE TABLE events (at date, id int GENERATED ALWAYS AS IDENTITY, kind int REFERENCES kinds, said text,
    twice int GENERATED ALWAYS AS (id * 2) STORED, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (at);
CREATE TABLE events_2025_1 PARTITION OF events_2025 FOR VALUES FROM ('2025-01-01') TO ('2025-05-05');
CREATE TABLE events_2025_2 PARTITION OF events_2025 FOR VALUES FROM ('2025-05-05') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
INSERT INTO events (at, kind, said) SELECT date '2024-01-01' + i, 1 + i % 2, 'event ' || i FROM generate_series(0, 1095) i;
"""
"""2026 is in the default partition."""

DIVIDED = """
BEGIN;
CREATE TABLE moved AS SELECT * FROM events_rest; DELETE FROM events_rest;
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO events (at, id, kind, said) OVERRIDING SYSTEM VALUE SELECT at, id, kind, said FROM moved; DROP TABLE moved;
COMMIT;
"""


def _tables(left: Path | str, right: Path | str) -> dict[str, tuple[str, int | None, int | None]]:
    with diff(left, right, data_only=True) as found:
        return {t.name.name: (t.status, t.rows_left, t.rows_right) for t in found.all_tables}


@pytest.mark.parametrize("options", [("-Fc",), ("--inserts",), ("--load-via-partition-root",)], ids=" ".join)
def test_rows_that_lie_in_another_partition_are_the_same(
    options: tuple[str, ...], server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path
) -> None:
    before, after = make_database(), make_database()
    for url in (before, after):
        run(url, EVENTS)
    run(after, DIVIDED)
    dump = pg_dump(server, before, tmp_path / "before", *options)
    for left, right in ((dump, after), (after, dump), (before, after), (after, before)):
        assert _tables(left, right) == {"events": ("same", 1096, 1096), "kinds": ("same", 2, 2)}
    assert _tables(dump, before)["events_rest"] == ("same", 365, 365)


def test_rows_that_were_lost_changed_or_added_are_told_and_no_others(incident: Incident) -> None:
    before = incident(
        EVENTS,
        f"""{DIVIDED} DELETE FROM events WHERE at IN ('2026-05-05', '2024-02-02', '2025-03-03');
        UPDATE events SET said = 'new' WHERE at = '2026-07-07'; INSERT INTO events (at, kind) VALUES ('2027-09-09', 1)""",
    )
    with diff(*before) as found:
        assert found.row_result("events").counts == RowCounts(missing=3, extra=1, changed=1)
        with pytest.raises(UsageError, match=r"events_2024 is a partition of public\.events, which is divided otherwise"):
            found.rows("events_2024")
        with pytest.raises(UsageError, match=r"events_rest is a partition of public\.events"):
            found.row_result(TableName("public", "events_rest"))
        with pytest.raises(UsageError, match=r"public\.nothing is in neither source"):
            found.row_result(TableName("public", "nothing"))
        (loss,) = found.losses
        assert (loss.name.name, loss.missing, loss.rows_left, loss.rows_right) == ("events", 3, 1096, 1094)
        assert {(row.status, row.key["at"]) for row in found.row_result("events").listed} == {
            *(("only_left", at) for at in ("2026-05-05", "2024-02-02", "2025-03-03")),
            *(("changed", "2026-07-07"), ("only_right", "2027-09-09")),
        }


def test_a_rescue_puts_rows_where_they_belong_now_and_triggers_stay_as_they_were(incident: Incident) -> None:
    before = incident(
        EVENTS,
        f"""{DIVIDED}
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        DELETE FROM events WHERE extract(month FROM at) = 5; UPDATE events SET said = 'new' WHERE extract(month FROM at) = 7;
        DELETE FROM events; DELETE FROM kinds WHERE id = 2;
        CREATE TRIGGER each_row BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse();
        CREATE TRIGGER at_once BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse();
        ALTER TABLE events_2026 DISABLE TRIGGER each_row; ALTER TABLE events_2025_1 ENABLE ALWAYS TRIGGER each_row""",
    )
    enabled = "SELECT tgrelid::regclass::text, tgname::text, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
    were = rows(before[1], enabled)
    assert {state for _, _, state in were} == {"O", "D", "A"}
    with diff(*before) as found:
        script = "".join(Rescue(found, ["events"], revert=True, with_parents=True).script())
    assert apply_rescue(before[1], [script.removesuffix("COMMIT;\n"), "COMMIT;\n"]) == 0  # one statement: what it wrote is not counted
    assert set(_tables(*before).values()) == {("same", 1096, 1096), ("same", 2, 2)}
    assert rows(before[1], enabled) == were
    with diff(*before) as found:
        assert apply_rescue(before[1], Rescue(found, ["events"], revert=True).script()) == 0


def test_what_changed_is_reverted_also_where_its_partition_changed_with_it(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE t (id int, part int, u int, UNIQUE (id, part), UNIQUE (u, part)) PARTITION BY LIST (part);
        CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1, 2); CREATE TABLE t_rest PARTITION OF t DEFAULT;
        INSERT INTO t SELECT i, 1 + i % 4, i FROM generate_series(1, 40) i; ALTER TABLE t ALTER id SET NOT NULL, ALTER part SET NOT NULL""",
        """ALTER TABLE t DETACH PARTITION t_1; CREATE TABLE t_a PARTITION OF t FOR VALUES IN (1);
        CREATE TABLE t_b PARTITION OF t FOR VALUES IN (2); INSERT INTO t SELECT * FROM t_1; DROP TABLE t_1;
        UPDATE t SET u = u + 1000; UPDATE t SET u = CASE u WHEN 1004 THEN 8 WHEN 1008 THEN 4 ELSE u - 1000 END""",
    )
    with diff(*before) as found:
        assert found.row_result("t").counts == RowCounts(changed=2)
        assert apply_rescue(before[1], Rescue(found, ["t"], revert=True).script()) == 2
    assert _tables(*before) == {"t": ("same", 40, 40)}


DIVISIONS = {
    "bounds": (
        """CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (200)""",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (90); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (90) TO (200)",
        {"t"},
    ),
    "renamed": (
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (200)",
        "CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (50); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (200)",
        {"t"},
    ),
    "only added": (
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (200); CREATE TABLE t_rest PARTITION OF t DEFAULT",
        """CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (200); CREATE TABLE t_rest PARTITION OF t DEFAULT;
        CREATE TABLE t_new PARTITION OF t FOR VALUES FROM (200) TO (300)""",
        {"t_1", "t_rest", "t_new"},
    ),
    "deeper": (
        """CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50) PARTITION BY RANGE (id);
        CREATE TABLE t_1_all PARTITION OF t_1 DEFAULT;
        CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (200)""",
        """CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50) PARTITION BY RANGE (id);
        CREATE TABLE t_1_a PARTITION OF t_1 FOR VALUES FROM (0) TO (9); CREATE TABLE t_1_b PARTITION OF t_1 FOR VALUES FROM (9) TO (50);
        CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (200)""",
        {"t_1", "t_2"},
    ),
    "whole or divided": (
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (200)",
        """CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50) PARTITION BY HASH (id);
        CREATE TABLE t_1_0 PARTITION OF t_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE t_1_1 PARTITION OF t_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (200)""",
        {"t_1", "t_2"},
    ),
}


@pytest.mark.parametrize("kind", DIVISIONS)
def test_what_is_compared_as_one_is_the_table_nearest_to_the_division(kind: str, make_database: Callable[..., str]) -> None:
    sides = make_database(), make_database()
    *partitions, names = DIVISIONS[kind]
    for url, made in zip(sides, partitions, strict=True):
        run(url, f"CREATE TABLE t (id int) PARTITION BY RANGE (id); {made}; INSERT INTO t SELECT i % 100 FROM generate_series(0, 299) i")
    for left, right in (sides, reversed(sides)):
        told = _tables(left, right)
        assert {*told} == names
        assert {name: status for name, (status, _, _) in told.items() if not status.startswith("only")} == dict.fromkeys(
            names - {"t_new"}, "same"
        )


def test_hash_partitions_of_another_modulus_hold_the_same_rows(make_database: Callable[..., str]) -> None:
    sides = make_database(), make_database()
    for url, modulus in zip(sides, (2, 3), strict=True):
        parts = ";".join(f"CREATE TABLE t_{n} PARTITION OF t FOR VALUES WITH (MODULUS {modulus}, REMAINDER {n})" for n in range(modulus))
        run(url, f"CREATE TABLE t (id int) PARTITION BY HASH (id); {parts}; INSERT INTO t SELECT generate_series(1, 100)")
    assert _tables(*sides) == {"t": ("same", 100, 100)}
    run(sides[1], "DELETE FROM t WHERE id = 7")
    assert _tables(*sides) == {"t": ("different", 100, 99)}


def test_a_partition_that_was_detached_and_kept_is_compared_under_its_own_name(incident: Incident) -> None:
    before = incident(EVENTS, "ALTER TABLE events DETACH PARTITION events_2024")
    told = _tables(*before)
    assert told["events_2024"] == ("same", 366, 366)
    assert {status for status, _, _ in told.values()} == {"same"}
    assert "events" not in told


def test_a_partition_that_was_dropped_and_held_nothing_is_in_nobodys_way(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50);
        CREATE TABLE t_rest PARTITION OF t DEFAULT; INSERT INTO t SELECT generate_series(1, 40)""",
        "DROP TABLE t_rest; DELETE FROM t WHERE id < 10",
    )
    with diff(*before) as found:
        assert apply_rescue(before[1], Rescue(found, ["t"]).script()) == 9


def test_a_selection_of_partitions_chooses_them_and_what_lies_elsewhere_is_told_of_them(incident: Incident) -> None:
    before = incident(EVENTS, DIVIDED)
    with diff(*before, include=["events*"], data_only=True) as found:
        assert {t.name.name for t in found.all_tables} == {"events"}
        assert found.verdict == "same"
    with diff(*before, include=["events_2024"], data_only=True) as found:
        assert {(t.name.name, t.status) for t in found.all_tables} == {("events_2024", "same")}


def test_rows_that_may_lie_where_nobody_looks_are_neither_lost_nor_new(incident: Incident, server: EmbeddedServer, tmp_path: Path) -> None:
    before = incident(EVENTS, "SELECT")
    part = pg_dump(server, before[1], tmp_path / "part.dump", "-Fc", "--exclude-table-data=events_rest")
    run(before[1], f"{DIVIDED} DELETE FROM events WHERE at = '2024-05-05'")
    as_before = {"events_2024": "different", "events_2025_1": "same", "events_2025_2": "same", "kinds": "same"}
    for left, excluded, doubtful in (
        (before[0], ["events_2026"], {"events_rest"}),
        (before[0], ["events_rest"], {"events_2026"}),
        (part, [], {"events_rest", "events_2026"}),
    ):
        with diff(left, before[1], exclude=excluded, data_only=True) as found:
            assert {t.name.name: t.status for t in found.all_tables} == as_before | dict.fromkeys(doubtful, "not_checked")
            assert {loss.name.name: loss.missing for loss in found.losses if loss.missing} == {"events_2024": 1}
            assert {found.row_result(name).counts for name in doubtful} == {RowCounts()}
    with diff(before[0], before[1], exclude=["events_2026"], data_only=True) as found:
        (why,) = [skipped.reason for skipped in found.skipped if skipped.what == "rows of public.events_rest"]
        assert "public.events is divided otherwise" in why
        assert "of public.events_2026 no rows are compared" in why
    run(before[1], "CREATE TABLE whole AS SELECT * FROM events; DROP TABLE events; ALTER TABLE whole RENAME TO events")
    with diff(*before, exclude=["events"], data_only=True) as found:
        assert {t.name.name: t.status for t in found.all_tables} == dict.fromkeys({*as_before, "events_rest"}, "not_checked") | {
            "kinds": "same"
        }


def test_rows_of_a_new_partition_are_new_where_none_can_have_come_from_elsewhere(incident: Incident) -> None:
    parts = "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9); CREATE TABLE t_rest PARTITION OF t DEFAULT"
    before = incident(
        f"CREATE TABLE t (id int) PARTITION BY RANGE (id); {parts}; INSERT INTO t VALUES (1)",
        "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (9) TO (20); INSERT INTO t VALUES (9)",
    )
    with diff(*before, exclude=["t_1"], data_only=True) as found:
        assert {t.name.name: t.status for t in found.all_tables} == {"t_2": "only_right", "t_rest": "same"}


IN_ZONES = """CREATE TABLE t (at timestamptz PRIMARY KEY) PARTITION BY RANGE (at);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00');
CREATE TABLE t_rest PARTITION OF t DEFAULT;
INSERT INTO t SELECT timestamptz '2024-01-01 00:00+00' + i * interval '1 day' FROM generate_series(1, 400) i"""


def test_bounds_that_are_printed_under_another_time_zone_divide_nothing(
    server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_database()
    run(url, IN_ZONES)
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    tokyo = pg_dump(server, url, tmp_path / "tokyo.dump", "-Fc")
    monkeypatch.setenv("PGTZ", "America/New_York")
    new_york = pg_dump(server, url, tmp_path / "new_york.sql")
    monkeypatch.delenv("PGTZ")
    for sides in ((tokyo, url), (url, new_york)):
        with diff(*sides) as found:
            assert {t.name.name: t.status for t in found.all_tables} == {"t_1": "same", "t_rest": "same"}
            assert found.object_differences == ()
    with diff(tokyo, new_york) as found:
        assert {t.name.name: t.status for t in found.all_tables} == {"t_1": "equivalent", "t_rest": "equivalent"}
        assert {d.key.name: d.status for d in found.object_differences} == {"t_1": "equivalent"}
        assert found.verdict == "same"


def test_keys_of_single_partitions_hold_also_where_all_rows_are_one_table(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, u int, p int) PARTITION BY RANGE (id);
        CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50); CREATE TABLE t_rest PARTITION OF t DEFAULT;
        CREATE UNIQUE INDEX ON t_1 (u); ALTER TABLE t_1 ADD FOREIGN KEY (p) REFERENCES p;
        CREATE TABLE c (id int PRIMARY KEY REFERENCES t_1); INSERT INTO p VALUES (1), (2);
        INSERT INTO t SELECT i, i, 1 + i % 2 FROM generate_series(1, 99) i; INSERT INTO c VALUES (7)""",
        """ALTER TABLE t DETACH PARTITION t_rest; CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (90);
        CREATE TABLE t_3 PARTITION OF t DEFAULT; INSERT INTO t SELECT * FROM t_rest; DROP TABLE t_rest;
        UPDATE t SET u = u + 1000 WHERE id IN (3, 4); UPDATE t SET u = CASE id WHEN 3 THEN 4 ELSE 3 END WHERE id IN (3, 4);
        DELETE FROM c; DELETE FROM t WHERE id = 7; DELETE FROM t WHERE p = 1 AND id < 50; DELETE FROM p WHERE id = 1""",
    )
    with diff(*before) as found:
        rescue = Rescue(found, ["c"], with_parents=True)
        assert {str(table): len(keys) for table, keys in rescue.needed.items()} == {"public.t": 1}
        assert apply_rescue(before[1], rescue.script()) == 2
    with diff(*before) as found:
        rescue = Rescue(found, ["t"], with_parents=True, revert=True)
        assert {str(table): len(keys) for table, keys in rescue.needed.items()} == {"public.p": 1}
        assert apply_rescue(before[1], rescue.script()) > 0
    assert {status for status, _, _ in _tables(*before).values()} == {"same"}


def test_rows_that_no_partition_takes_any_more_need_one(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (50);
        CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (50) TO (99); INSERT INTO t SELECT generate_series(1, 98)""",
        "DROP TABLE t_1; DROP TABLE t_2; CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (60) TO (99)",
    )
    with diff(*before) as found, pytest.raises(RestoreFailed, match="no partition of relation") as caught:
        apply_rescue(before[1], Rescue(found, ["t"]).script())
    assert "has no partition for these rows any more: make one" in caught.value.remedy
    run(before[1], "CREATE TABLE t_rest PARTITION OF t DEFAULT")
    with diff(*before) as found:
        assert apply_rescue(before[1], Rescue(found, ["t"]).script()) == 98
