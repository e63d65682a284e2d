"""Large objects by content: the same rows from every format of dump and from the live server, and each changed byte named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from xxhash import xxh3_128_hexdigest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.cli.inspect import describe
from pgaudit_kit.difference.rescue import Rescue
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, QueryFailed, RowsNotAvailable, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.large_objects import CONTENTS_NOT_RECORDED, LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import Unmodelled
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.rows.copy_text import decode_line, lines_of
from pgaudit_kit.server import large_objects as reading
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.postgres_versions import FORMATS, Installation, installation

# Pages are of 2048 bytes. 5: a hole of many pages, and a short page inside; 6: an end in a hole, by lo_truncate; 8: longer than what is
# asked for at once; 9 to 1109: many small ones; 3000000001: written as a negative number in custom archives
OBJECTS = r"""
CREATE TABLE t (id int PRIMARY KEY, doc oid);
INSERT INTO t VALUES (1, 5);
SELECT lo_from_bytea(3, ''), lo_from_bytea(4, '\x00010203'), lo_create(5), lo_create(6), lo_from_bytea(3000000001, 'last');
SELECT lo_put(5, 100000, 'behind a hole'), lo_put(5, 3, 'in the first page'), lo_put(6, 0, 'short');
DO $$ BEGIN PERFORM lo_truncate(lo_open(6, x'60000'::int), 12345); END $$;
SELECT lo_from_bytea(7, decode(repeat('27005c0a2c', 2000), 'hex'));
SELECT lo_from_bytea(8, decode(string_agg(md5(i::text), ''), 'hex')) FROM generate_series(1, 40000) i;
SELECT lo_from_bytea(i, convert_to(repeat('x', i % 50), 'UTF8')) FROM generate_series(9, 1109) i;
"""
CONTENT = {
    3: b"",
    4: b"\0\1\2\3",
    5: b"\0\0\0in the first page".ljust(100000, b"\0") + b"behind a hole",
    6: b"short".ljust(12345, b"\0"),
    7: bytes.fromhex("27005c0a2c") * 2000,
    3000000001: b"last",
}


@dataclass(frozen=True)
class Holder:
    """A database with OBJECTS, and the programs of its version."""

    url: str
    program: Installation

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())


@pytest.fixture(scope="module", params=[13, 15, 18])
def holder(request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer]) -> Iterator[Holder]:
    """OBJECTS on an old server, one with an entry for each object, and one with groups of them. Tests do not change it."""
    program = installation(request.param, missing)
    server = server_of(request.param)
    yield from _holder(server, program, f"holder_{request.param}")


@pytest.fixture
def changing(server_of: Callable[[int], EmbeddedServer]) -> Iterator[Holder]:
    """OBJECTS, to be changed."""
    yield from _holder(server_of(18), installation(18, missing), "changing")


def _holder(server: EmbeddedServer, program: Installation, name: str) -> Iterator[Holder]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    made = Holder(server.url(name), program)
    made.run(OBJECTS)
    yield made
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def lines(source: Any) -> dict[int, tuple[int, str]]:
    rows = map(decode_line, lines_of(source.row_blocks(LARGE_OBJECT_ROWS)))
    return {int(loid or ""): (int(size or ""), digest or "") for loid, size, digest in rows}


@pytest.mark.parametrize("dump_format", FORMATS)
def test_every_format_and_the_server_give_the_same_rows(holder: Holder, tmp_path: Path, dump_format: str) -> None:
    dump = read_dump(holder.program.dump(holder.url, tmp_path / "d", "--no-sync", dump_format=dump_format, compression="none"))
    with snapshot(holder.url) as live:
        there, here = lines(live), lines(dump)
        assert live.fingerprint(LARGE_OBJECT_ROWS) == dump.fingerprint(LARGE_OBJECT_ROWS)
    assert there == here
    assert len(here) == len(CONTENT) + 1 + 1101
    assert {oid: here[oid] for oid in CONTENT} == {oid: (len(c), xxh3_128_hexdigest(c)) for oid, c in CONTENT.items()}
    assert dump.large_object_bytes == sum(size for size, _ in here.values())
    with diff(dump, holder.url) as found:
        assert (found.verdict, found.unmodelled) == ("same", ())
        assert "large objects" not in {s.what for s in found.skipped}
        assert LARGE_OBJECT_ROWS in {t.name for t in found.all_tables}


@pytest.mark.parametrize("options", [("-Z", "6"), ("--inserts",), ("--data-only",)], ids=" ".join)
def test_compressed_and_alone_they_are_the_same_rows(holder: Holder, tmp_path: Path, options: tuple[str, ...]) -> None:
    holder.program.run("pg_dump", "-Fc", *options, f"--file={tmp_path / 'd'}", holder.url)
    with diff(tmp_path / "d", holder.url, data_only=True) as found:
        assert found.verdict == "same"
        assert LARGE_OBJECT_ROWS in found.left.table_data


def test_what_pg_restore_makes_of_a_dump_is_the_same(changing: Holder, make_database: Callable[..., str], tmp_path: Path) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync")
    copy = make_database()
    changing.program.run("pg_restore", "-d", copy, path)
    with diff(changing.url, copy) as found:
        assert found.verdict == "same", found.to_dict()
    with diff(path, copy) as found:
        assert found.verdict == "same"


@pytest.mark.parametrize(
    ("sql", "counts", "changed"),
    [
        ("SELECT lo_put(5, 50000, '!')", (0, 0, 1), {"xxh3_128"}),
        ("SELECT lo_put(8, 639999, '!')", (0, 0, 1), {"xxh3_128"}),
        ("SELECT lo_put(3, 0, '\\x00')", (0, 0, 1), {"size_bytes", "xxh3_128"}),
        ("SELECT lo_unlink(1050)", (1, 0, 0), set()),
        ("SELECT lo_from_bytea(2500, 'new')", (0, 1, 0), set()),
    ],
)
def test_each_changed_byte_and_each_object_is_named(
    changing: Holder, tmp_path: Path, sql: str, counts: tuple[int, int, int], changed: set[str]
) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync")
    changing.run(sql)
    with diff(path, changing.url) as found:
        (table,) = found.table_differences
        assert (table.name, table.status) == (LARGE_OBJECT_ROWS, "different")
        result = found.row_result(LARGE_OBJECT_ROWS)
        assert (result.counts.missing, result.counts.extra, result.counts.changed) == counts
        assert {c.attribute for row in result.listed for c in row.columns} == changed
        assert list(result.listed[0].key) == ["loid"]
        assert found.verdict == "different"


def test_a_database_that_lost_them_all_is_different(changing: Holder, tmp_path: Path) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync")
    changing.run("SELECT lo_unlink(oid) FROM pg_largeobject_metadata; DROP TABLE t")
    with diff(path, changing.url) as found:
        assert {(t.name.name, t.status, t.rows_left) for t in found.table_differences} == {
            ("pg_largeobject", "only_left", 1108),
            ("t", "only_left", 1),
        }
        assert found.verdict == "different"


@pytest.mark.parametrize("options", [("--no-blobs",), ("--schema-only",), ("--table=t",), ("--exclude-schema=x",)], ids=" ".join)
def test_a_dump_without_them_has_not_lost_them(holder: Holder, tmp_path: Path, options: tuple[str, ...]) -> None:
    path = holder.program.dump(holder.url, tmp_path / "d", "--no-sync", *options)
    with diff(path, holder.url) as found:
        assert LARGE_OBJECT_ROWS not in {t.name for t in found.table_differences}
        assert [d for d in found.object_differences if d.status != "equivalent"] == []
        told = [s.what for s in found.skipped]
        assert ("large objects" in told) == (options != ("--exclude-schema=x",))


def test_a_dump_that_lists_them_without_their_contents_is_not_checked(holder: Holder, tmp_path: Path) -> None:
    path = holder.program.dump(holder.url, tmp_path / "d", "--no-sync", "--section=pre-data")
    if holder.program.major >= 17:  # there both are in the same section
        assert LARGE_OBJECT_ROWS not in read_dump(path).table_data
        return
    with diff(path, holder.url) as found:
        told = {t.name: (t.status, t.reason) for t in found.table_differences}
        assert told[LARGE_OBJECT_ROWS] == ("not_checked", "d lists large objects but holds no content of them")


def test_a_manifest_records_them_and_an_older_one_raises_no_alarm(changing: Holder, tmp_path: Path) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync")
    with snapshot(changing.url) as live:
        recorded = Manifest.from_json(take_manifest(live).to_json(), label="m")
    assert recorded.table_data[LARGE_OBJECT_ROWS].rows == 1108
    assert verify(path, manifest=recorded).verdict is Outcome.PASSED
    old = replace(
        recorded,
        table_data={name: data for name, data in recorded.table_data.items() if name != LARGE_OBJECT_ROWS},
        inventory=replace(recorded.inventory, unmodelled=(Unmodelled("BLOB", None, "1108 large objects", CONTENTS_NOT_RECORDED),)),
    )
    assert verify(path, manifest=old).verdict is Outcome.PASSED
    changing.run("SELECT lo_put(5, 50000, '!')")
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync")
    assert {c.id for c in verify(path, manifest=recorded).check_list if c.outcome is Outcome.FAILED} == {"rows.fingerprint"}
    with diff(old, changing.url) as found:
        assert found.verdict == "same"
        assert [u.reason for u in found.unmodelled] == [CONTENTS_NOT_RECORDED]
    without = changing.program.dump(changing.url, tmp_path / "w", "--no-sync", "--no-blobs")
    assert verify(without, manifest=recorded).verdict is Outcome.NOT_CHECKED, "the database had some, and the dump has none"


def test_what_a_role_may_not_read_is_not_checked_with_what_to_grant(changing: Holder, tmp_path: Path) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync")
    changing.run("CREATE ROLE lo_reader LOGIN IN ROLE pg_read_all_data; GRANT SELECT ON LARGE OBJECT 3 TO lo_reader")
    as_reader = changing.url.replace("://postgres@", "://lo_reader@")
    try:
        with diff(path, as_reader) as found:
            (table,) = found.table_differences
            assert table.status == "not_checked"
            assert "role lo_reader may not read 1,107 of 1,108 large objects" in table.reason
            assert "GRANT SELECT ON LARGE OBJECT 4, 5, 6, 7, 8 TO lo_reader and so on" in table.reason
            assert "GRANT SELECT ON LARGE OBJECT" in table.reason
            assert found.verdict == "not_checked"
        changing.run(
            "DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata WHERE oid > 3 LOOP "
            "EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO %s', o, CASE WHEN o::bigint % 2 = 0 THEN 'PUBLIC' ELSE 'lo_reader' END); "
            "END LOOP; END $$"
        )
        with diff(path, as_reader, ignore=["acl"]) as found:
            assert found.verdict == "same"
    finally:
        changing.run("DROP OWNED BY lo_reader; DROP ROLE lo_reader")


def test_many_small_ones_take_few_queries_and_long_ones_are_read_in_parts(changing: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_TOGETHER", 500)
    monkeypatch.setattr(reading, "_BYTES_AT_ONCE", 1 << 16)
    asked: list[dict[str, Any]] = []
    with snapshot(changing.url) as live:
        fetch = live._session.fetch

        def counted(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
            asked.append(dict(parameters))
            return fetch(sql, parameters)

        found = reading.read_large_objects(counted)
        assert b"".join(found.blocks) == b"".join(live.row_blocks(LARGE_OBJECT_ROWS))
    assert len(asked) < 50
    assert max(a["length"] * len(a["oids"]) for a in asked if "oids" in a) <= 1 << 16


def test_they_are_no_table_in_any_listing(changing: Holder, tmp_path: Path) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync")
    dump = read_dump(path)
    assert list(dump.tables["name"]) == ["t"]
    assert list(dump.table_data)[-1] == LARGE_OBJECT_ROWS
    plain = describe(dump, fingerprints=True)
    assert [t["name"] for t in plain["tables"]] == ["t"]
    assert plain["large_objects"] == {
        "count": 1108,
        "size_bytes": dump.large_object_bytes,
        "fingerprint": str(dump.fingerprint(LARGE_OBJECT_ROWS)),
    }
    json.dumps(plain)
    with snapshot(changing.url) as live:
        assert list(live.tables["name"]) == ["t"]
        with diff(dump, live) as found, pytest.raises(UsageError, match="large objects are no table"):
            Rescue(found, ["pg_catalog.pg_largeobject"])
    with pytest.raises(RowsNotAvailable, match=r"no rows of pg_catalog\.pg_largeobject"):
        dump.read_table("pg_catalog.pg_largeobject")


@pytest.mark.parametrize("dump_format", FORMATS)
def test_a_broken_one_spoils_them_all_and_no_table(changing: Holder, tmp_path: Path, dump_format: str) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync", dump_format=dump_format, compression="none")
    if dump_format == "directory":
        (path / "blob_5.dat").unlink()
    elif dump_format == "plain":
        text = path.read_bytes()
        at = text.index(b"SELECT pg_catalog.lo_open('5'")
        end = text.index(b"lo_close(0);", at)
        path.write_bytes(text[:at] + text[end + len(b"lo_close(0);") :])
    else:
        path.write_bytes(path.read_bytes()[:-700_000])
    dump: Dump = read_dump(path)
    assert dump.damage
    assert dump.table_data[LARGE_OBJECT_ROWS].not_readable.startswith("damaged: ")
    with pytest.raises(DamagedDump, match="large objects are damaged"):
        dump.fingerprint(LARGE_OBJECT_ROWS)
    assert verify(path).verdict is Outcome.FAILED
    with diff(path, changing.url) as found:
        assert found.verdict == "not_checked"
        statuses = {t.name: t.status for t in found.all_tables}
        assert statuses[LARGE_OBJECT_ROWS] == "not_checked"


def test_one_whose_content_is_gone_from_a_script_is_missed(changing: Holder, tmp_path: Path) -> None:
    path = changing.program.dump(changing.url, tmp_path / "d", "--no-sync", dump_format="plain")
    text = path.read_bytes()
    at = text.index(b"SELECT pg_catalog.lo_open('5'")
    path.write_bytes(text[:at] + text[text.index(b"SELECT pg_catalog.lo_open('6'") :])
    assert [damage.what for damage in read_dump(path).damage] == ["no content of large object 5"]
    assert verify(path).verdict is Outcome.FAILED


def test_losing_the_server_meanwhile_is_one_error_of_ours(changing: Holder) -> None:
    with snapshot(changing.url) as live:
        assert LARGE_OBJECT_ROWS in live.table_data
        pid = live.ask("SELECT pg_backend_pid() AS pid")[0]["pid"]
        changing.run(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(QueryFailed, match="reading the large objects failed"):
            live.fingerprint(LARGE_OBJECT_ROWS)


def test_the_oracle_agrees(changing: Holder, tmp_path: Path) -> None:
    """psql's \\lo_export, which reads as lo_read does."""
    subprocess.run(
        [changing.program.bin_folder / "psql", "-X", "-q", "-d", changing.url, "-c", rf"\lo_export 5 {tmp_path / 'five'}"], check=True
    )
    with snapshot(changing.url) as live:
        assert lines(live)[5] == (100013, xxh3_128_hexdigest((tmp_path / "five").read_bytes()))
