"""What was lost is told with counts, shares, times, keys that point at nothing and sequences that are behind, on real servers and dumps."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.times_touched import TimesSeen
from pgaudit_kit.display.frames import SCHEMAS
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.loss import TimesTouched
from pgaudit_kit.server.snapshot import snapshot
from tests.difference.dumping import pg_dump
from tests.difference.test_rescue import run

SCHEMA = """
CREATE EXTENSION citext;
CREATE DOMAIN moment AS timestamptz;
CREATE TABLE users (id int PRIMARY KEY, name text, born date, created_at timestamptz, expires_at timestamp, boss int REFERENCES users);
CREATE TABLE messages (id serial PRIMARY KEY, author int REFERENCES users, sent timestamp(3), due date);
CREATE TABLE tags (name citext PRIMARY KEY); CREATE TABLE tagged (message int, tag citext REFERENCES tags);
CREATE TABLE pairs (a int, b numeric, PRIMARY KEY (a, b));
CREATE TABLE simple (a int, b numeric, FOREIGN KEY (a, b) REFERENCES pairs);
CREATE TABLE fully (a int, b numeric, FOREIGN KEY (a, b) REFERENCES pairs MATCH FULL);
CREATE TABLE events (id int, at moment, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE seen (event int, at timestamptz, FOREIGN KEY (event, at) REFERENCES events);
CREATE TABLE doomed (id int PRIMARY KEY, updated_at timestamptz); CREATE TABLE of_doomed (doomed int REFERENCES doomed);
CREATE TABLE plain (id int PRIMARY KEY, note text);
CREATE TABLE quiet (id int PRIMARY KEY);
INSERT INTO users SELECT i, 'user ' || i, '1990-01-01'::date + i, '2024-03-01 12:00+00'::timestamptz + i * interval '1 day', '2999-01-01', 1
    FROM generate_series(1, 40) i;
INSERT INTO messages (author, sent, due) SELECT i, '2024-05-01 08:00:00.25'::timestamp + i * interval '1 hour', '2024-01-01'
    FROM generate_series(1, 40) i;
INSERT INTO tags VALUES ('Red'), ('blue'); INSERT INTO tagged VALUES (1, 'RED'), (2, 'blue'), (3, NULL);
INSERT INTO pairs VALUES (1, 1.0), (2, 2); INSERT INTO simple VALUES (1, 1.00), (2, 2), (9, NULL);
INSERT INTO fully VALUES (1, 1), (2, 2), (NULL, NULL);
INSERT INTO events SELECT i, '2024-02-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 10) i;
INSERT INTO seen SELECT id, at FROM events;
INSERT INTO doomed SELECT i, '2024-07-01 00:00+00'::timestamptz - i * interval '1 day' FROM generate_series(1, 3) i;
INSERT INTO of_doomed VALUES (1), (2), (NULL);
INSERT INTO plain VALUES (1, 'a'), (2, 'b'); INSERT INTO quiet VALUES (1);
"""
LOSS = """
SET session_replication_role = replica;
DELETE FROM users WHERE id BETWEEN 31 AND 40; UPDATE users SET name = 'new', created_at = '2024-06-07 08:09:10+00' WHERE id = 5;
DELETE FROM messages WHERE id IN (2, 3); INSERT INTO messages VALUES (41, NULL, '2024-05-05 00:00:00', '2024-01-01');
DELETE FROM tags WHERE name = 'red'; DELETE FROM pairs WHERE a = 2; INSERT INTO fully VALUES (1, NULL);
DELETE FROM events WHERE id > 8; DROP TABLE doomed CASCADE; UPDATE plain SET note = 'c' WHERE id = 1;
SELECT setval('messages_id_seq', 10);
"""


@pytest.fixture(scope="module")
def files(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """A dump from before, one from after what was lost, and the URL of the live database."""
    import psycopg

    folder = tmp_path_factory.mktemp("lost")
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE lost TEMPLATE template0")
        url = server.url("lost")
        run(url, SCHEMA)
        before, after = folder / "before.dump", folder / "after.sql"
        pg_dump(server, url, before, "-Fc")
        run(url, LOSS)
        pg_dump(server, url, after)
        yield before, after, url
        admin.execute("DROP DATABASE lost WITH (FORCE)")


@pytest.fixture(scope="module")
def live(files: tuple[Path, Path, str]) -> Iterator[Difference]:
    with diff(files[0], files[2]) as found:
        yield found


def test_each_table_that_lost_something_has_its_counts_shares_and_times(live: Difference) -> None:
    summary = live.summary.set_index("name")
    assert list(live.summary.columns) == list(SCHEMAS["summary"])
    assert "quiet" not in summary.index
    users = summary.loc["users"]
    assert (users.missing, users.changed, users.extra) == (10, 1, 0)
    assert (users.missing_share, users.changed_share) == (0.25, 0.025)
    assert users.touched_column == "created_at", "not born, and not expires_at, which lies ahead"
    times = live.summary.set_index("name")[["first_touched", "last_touched"]]
    assert [str(t).partition("+")[0] for t in times.loc["users"]] == ["2024-03-06 12:00:00", "2024-06-07 08:09:10"]
    assert list(times.loc["messages"]) == ["2024-05-01 10:00:00.25", "2024-05-05 00:00:00"]
    assert summary.loc["events_1"].touched_column == "at", "a domain over a timestamp, declared on the partitioned table"
    assert (summary.loc["doomed"].missing, summary.loc["doomed"].missing_share) == (3, 1.0)
    assert [str(t).partition("+")[0] for t in times.loc["doomed"]] == ["2024-06-28 00:00:00", "2024-06-30 00:00:00"]
    assert summary[["touched_column"]].isna().loc["plain"].all()


LIVE_KEYS = {
    "users_boss_fkey": 0,
    "messages_author_fkey": 10,
    "tagged_tag_fkey": 1,
    "simple_a_b_fkey": 1,
    "fully_a_b_fkey": 2,
    "seen_event_at_fkey": 2,
    "of_doomed_doomed_fkey": 2,
}


def test_rows_whose_parent_is_gone_are_counted_by_key_as_postgresql_would(live: Difference) -> None:
    assert {k.name: k.rows for k in live.dangling_keys} == LIVE_KEYS
    assert {k.name: k.state for k in live.dangling_keys if k.state != "in force"} == {"of_doomed_doomed_fkey": "dropped"}
    dangling = live.dangling
    assert list(dangling.columns) == list(SCHEMAS["dangling"])
    assert set(dangling["key"]) == {name for name, rows in LIVE_KEYS.items() if rows}
    found = dangling.set_index("key").loc["simple_a_b_fkey"]
    assert (found.table, found["columns"], found.parent, found.parent_columns) == ("simple", "a, b", "public.pairs", "a, b")
    summary = live.summary.set_index("name")
    assert (summary.loc["users"].dangling, summary.loc["users"].dangling_to) == (0, 10)
    assert summary.loc["doomed"].dangling_to == 2
    assert summary.isna().loc["events_1"].dangling_to, "in which partition the rows were was not asked"


def test_sequences_that_would_give_a_number_in_use_are_named(live: Difference) -> None:
    (behind,) = live.sequences.to_dict("records")
    assert (behind["sequence"], behind["column"], behind["next_value"], behind["in_use"]) == (
        "public.messages_id_seq", "public.messages.id", 11, 41,
    )  # fmt: skip
    assert live.summary.set_index("name").loc["messages"].sequences_behind == 1


def test_between_two_dumps_the_rows_are_read_and_what_only_a_server_can_say_is_not_known(files: tuple[Path, Path, str]) -> None:
    with diff(files[0], files[1]) as found:
        keys = {k.name: k.rows for k in found.dangling_keys}
        unknown = {name for name, rows in keys.items() if rows is None}
        assert unknown == {"tagged_tag_fkey", "simple_a_b_fkey", "fully_a_b_fkey"}, "citext, and numeric of any scale"
        assert {name: rows for name, rows in keys.items() if rows is not None} == {n: r for n, r in LIVE_KEYS.items() if n not in unknown}
        reasons = found.dangling.set_index("key").reason
        assert "only a server can say" in reasons.loc["tagged_tag_fkey"]
        assert found.sequences.to_dict("records")[0]["in_use"] == 41
        assert found.summary.isna().set_index(found.summary["name"]).loc["tags"].dangling_to


def test_json_has_the_same_and_says_how_much_was_looked_at(live: Difference) -> None:
    plain = live.to_dict(rows=True)
    assert [entry["name"] for entry in plain["summary"]] == list(live.summary["name"])
    assert plain["looked_at"] == {"foreign_keys": 7, "sequences": 1}
    assert {entry["key"]: entry["rows"] for entry in plain["dangling"]} == {n: r for n, r in LIVE_KEYS.items() if r}
    assert plain["sequences"][0]["sequence"] == "public.messages_id_seq"
    assert "summary" not in live.to_dict()


def test_of_an_unknown_schema_nothing_is_called_whole(server: EmbeddedServer, files: tuple[Path, Path, str], tmp_path: Path) -> None:
    rows_only = tmp_path / "rows.sql"
    subprocess.run([server.bin_folder / "pg_dump", "-a", "--disable-triggers", "-f", rows_only, files[2]], check=True)
    with diff(rows_only, files[0]) as found:  # the objects of one side will do
        assert {k.rows for k in found.dangling_keys} == {0, None}
    once_more = tmp_path / "again.sql"
    once_more.write_bytes(rows_only.read_bytes().replace(b"user 7\t", b"user seven\t"))
    with diff(rows_only, once_more, data_only=True) as found:
        (users,) = found.summary.to_dict("records")
        assert users["changed"] + users["missing"] > 0
        assert found.summary.isna()[["dangling", "dangling_to", "sequences_behind"]].all(axis=None)


def test_a_role_that_may_not_read_a_parent_is_told_so(server: EmbeddedServer, files: tuple[Path, Path, str]) -> None:
    run(files[2], "DROP ROLE IF EXISTS half_blind; CREATE ROLE half_blind LOGIN; GRANT SELECT ON messages, seen TO half_blind")
    try:
        with diff(files[0], files[2].replace("//postgres@", "//half_blind@"), data_only=True) as found:
            keys = {k.name: k for k in found.dangling_keys}
            assert keys["messages_author_fkey"].rows is None
            assert "permission denied" in keys["messages_author_fkey"].reason
            assert found.summary.isna().set_index(found.summary["name"]).loc["messages"].dangling
            (use,) = found.sequence_uses
            assert (use.behind, "could" in use.reason or "denied" in use.reason or use.next_value is None) == (None, True)
    finally:
        run(files[2], "DROP OWNED BY half_blind; DROP ROLE half_blind")


@pytest.mark.parametrize(
    ("values", "now", "expected"),
    [
        ({"updated_at": [b"2024-01-02 00:00:00+00", b"2024-01-01 23:00:00-04"], "due": [b"2024-05-01", b"\\N"]}, "2026-01-01T00:00:00Z",
         TimesTouched("updated_at", "2024-01-02 00:00:00+00", "2024-01-01 23:00:00-04")),
        ({"seen": [b"2024-01-02", b"2024-01-04"], "born": [b"1980-01-01", b"1990-01-01"]}, None,
         TimesTouched("seen", "2024-01-02", "2024-01-04")),
        ({"a": [b"infinity", b"-infinity"], "b": [b"\\N", b"\\N"]}, None, None),
        ({"a": [b"0044-03-15 BC", b"9999-12-31"], "created": [b"\\N", b"\\N"]}, None, TimesTouched("a", "0044-03-15 BC", "9999-12-31")),
        ({"a": [b"10000-01-01 00:00:00", b"9999-12-31 00:00:00.5"]}, None,
         TimesTouched("a", "9999-12-31 00:00:00.5", "10000-01-01 00:00:00")),
        ({"ends": [b"2030-01-01", b"2030-01-02"]}, "2026-01-01 00:00:00", TimesTouched("ends", "2030-01-01", "2030-01-02")),
    ],
)  # fmt: skip
def test_the_column_that_tells_best_when_rows_were_touched_is_chosen(
    values: dict[str, list[bytes]], now: str | None, expected: TimesTouched | None
) -> None:
    seen = TimesSeen(list(values), list(values))
    for line in zip(*values.values(), strict=True):
        seen.see(b"\t".join(line))
    assert seen.best(now) == expected


def test_a_foreign_key_that_was_dropped_renamed_or_moved_to_another_column_is_counted_once(
    server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path
) -> None:
    url = make_database()
    run(url, """CREATE TABLE p (id int PRIMARY KEY, k text UNIQUE);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, gone int REFERENCES p);
        INSERT INTO p VALUES (1, 'x'); INSERT INTO c VALUES (1, 1, 1)""")  # fmt: skip
    path = tmp_path / "before.dump"
    pg_dump(server, url, path, "-Fc")
    run(url, """ALTER TABLE c RENAME p TO parent; ALTER TABLE c DROP gone; ALTER TABLE c DROP CONSTRAINT c_p_fkey;
        INSERT INTO c VALUES (2, 7), (3, 8); ALTER TABLE c ADD CONSTRAINT again FOREIGN KEY (parent) REFERENCES p NOT VALID""")  # fmt: skip
    with diff(path, url) as found:
        told = {k.name: (k.state, k.rows, k.reason) for k in found.dangling_keys}
        assert told == {
            "again": ("not valid", 2, ""),
            "c_p_fkey": ("dropped", None, "public.c has no column p any more"),
            "c_gone_fkey": ("dropped", None, "public.c has no column gone any more"),
        }


def test_of_a_manifest_nothing_is_known_and_one_reason_says_so(files: tuple[Path, Path, str]) -> None:
    with snapshot(files[2]) as live_now:
        manifest = take_manifest(live_now)
    with diff(files[0], manifest) as found:
        assert {(k.rows, k.reason) for k in found.dangling_keys} == {(None, "a manifest holds no rows")}
        assert found.looked_at == {"foreign_keys": 0, "sequences": 0}
