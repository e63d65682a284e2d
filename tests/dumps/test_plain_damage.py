r"""Plain scripts that were cut, changed, or got text into them that is no SQL: said with its place, and what came before stays readable.

What cannot be known without a manifest: a script whose comments were taken away has no end that could be missing; a changed letter
inside of a name, a value or a comment makes another name, value or comment; a whole row that is gone, or a line more in a table of
one column, is a table of other rows.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, PgAuditError, RowsNotAvailable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.toc import Damage
from tests.dumps.conftest import NastyDatabase

Write = Callable[[bytes], Path]
TABLES = ("-t", "app.generated", "-t", "app.one_text", "-t", "app.empty", "-t", "app.no_columns")
STYLES: dict[str, tuple[str, ...]] = {
    "copy": (),
    "inserts": ("--inserts",),
    "rows per insert": ("--rows-per-insert=2", "--column-inserts"),
    "verbose": ("-v", "-C", "-c", "--if-exists"),
    "gzip": ("-Z", "1"),
}
EVERY_BYTE = bool(os.environ.get("PGAUDIT_EVERY_BYTE"))  # minutes
FOOTER = b"-- PostgreSQL database dump complete"


@pytest.fixture(scope="module")
def small(nasty: NastyDatabase) -> Callable[[str], bytes]:
    """Give a function that returns a small script of each style."""
    made: dict[str, bytes] = {}

    def dump(style: str) -> bytes:
        if style not in made:
            made[style] = nasty.run("pg_dump", *TABLES, *STYLES[style], "-d", nasty.url)
        return made[style]

    return dump


def rows_of(dump: Dump) -> dict[TableName, Fingerprint]:
    return {name: dump.fingerprint(name) for name, data in dump.table_data.items() if not data.not_readable}


def ends_of_tables(script: bytes, truth: dict[TableName, Fingerprint]) -> dict[TableName, int]:
    """Where the rows of each table are known to have ended: at the comment of the next entry, or at the end mark of a COPY."""
    ends = {}
    for name in truth:
        start = script.index(f"Data for Name: {name.name};".encode())
        following = script.index(b"\n--\n", start + 200 if b"\n--\n" in script[start : start + 200] else start) + 4
        following = script.index(b"\n--\n", script.index(b"\n--\n", start) + 4) + 4
        mark = script.find(b"\n\\.\n", start, following)
        line = script.index(b"\n", following)
        ends[name] = mark + 4 if mark >= 0 else line
    return ends


@pytest.mark.parametrize("style", STYLES)
def test_a_script_cut_at_any_byte_says_so_and_keeps_what_came_before(small: Callable[[str], bytes], written: Write, style: str) -> None:
    whole = small(style)
    script = gzip.decompress(whole) if style == "gzip" else whole
    truth = rows_of(read_dump(written(whole)))
    assert len(truth) == 4
    ends = ends_of_tables(script, truth)
    last = len(whole) if style == "gzip" else whole.rindex(FOOTER) + len(FOOTER)
    for cut in range(0, last, 1 if EVERY_BYTE or style in ("copy", "rows per insert") else 3):
        try:
            dump = read_dump(written(whole[:cut]))
            told = dump.damage
        except PgAuditError:
            assert cut < 2000, "after the first comments it is known to be a dump"
            continue
        assert told, cut
        assert dump.provenance.complete is False
        assert all(d.offset is not None or d.line is not None for d in told), (cut, told)
        assert all(d.offset is None or d.offset <= len(script) for d in told)
        found = rows_of(dump)
        assert found.items() <= truth.items(), cut
        if style != "gzip":
            assert {name for name in truth if ends[name] <= cut} <= found.keys(), cut
        for name in dump.table_data.keys() - found.keys():
            assert str(name) in {d.table for d in told}
            with pytest.raises((DamagedDump, RowsNotAvailable)):
                list(dump.row_blocks(name))


@pytest.mark.parametrize("style", STYLES)
def test_a_changed_byte_is_never_a_traceback_and_damage_has_its_place(small: Callable[[str], bytes], written: Write, style: str) -> None:
    whole = small(style)
    known = {str(name) for name in rows_of(read_dump(written(whole)))}
    noticed = 0
    positions = range(0, len(whole), 1 if EVERY_BYTE else 7)
    for at in positions:
        try:
            dump = read_dump(written(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]))
            told = dump.damage
            found = rows_of(dump)
        except PgAuditError:
            noticed += 1
            continue
        noticed += bool(told) or bool(dump.inventory.unmodelled)
        assert all(d.offset is not None or d.line is not None for d in told), told
        assert all(dump.table_data[name].rows == prints.rows for name, prints in found.items())
        if len([d for d in told if d.table]) == 1 and style in ("copy", "verbose"):
            (table,) = (d.table for d in told if d.table)
            assert table in known or whole[at : at + 1].isalnum() or at < len(whole)
    assert noticed > len(positions) / (20 if style != "gzip" else 1.2)


def test_the_place_of_a_lost_separator_is_that_of_its_table(small: Callable[[str], bytes], written: Write) -> None:
    script = small("copy")
    row = script.index(b"2\t\\N\t")
    dump = read_dump(written(script[:row] + b"2 " + script[row + 2 :]))
    start = script.index(b"\n", script.index(b"COPY app.generated")) + 1
    (damage,) = dump.damage
    assert (damage.table, damage.offset, damage.line) == ("app.generated", start, script.count(b"\n", 0, start) + 1)


# ---- text that is no SQL


def damage_of(path: Path) -> list[tuple[str, int | None]]:
    return [(d.what, d.line) for d in read_dump(path).damage]


MESSAGES = (
    "pg_dump: warning: there are circular foreign-key constraints on this table; you won't be able to restore it",
    "/usr/lib/postgresql/15/bin/pg_dump: warning: could not resolve dependency loop among these items: don't",
    "pg_dump.exe: [archiver (db)] query isn't done",
    'WARNING:  database "app" has a collation version mismatch, isn\'t it',
    'Defaulted container "db" out of: db, exporter; that\'s all',
    'time="2026-01-01T00:00:00Z" level=warning msg="don\'t"',
    "app=# \\copy nothing",
)


@pytest.mark.parametrize("style", ["copy", "inserts"])
@pytest.mark.parametrize("message", MESSAGES)
def test_lines_before_the_dump_are_named_and_hide_nothing(small: Callable[[str], bytes], written: Write, style: str, message: str) -> None:
    whole = read_dump(written(small(style)))
    expected = (whole.inventory.objects, rows_of(whole), len(whole.toc_entries))
    path = written(f"{message}\n{message}\n".encode() + small(style))
    dump = read_dump(path)
    assert [line for _, line in damage_of(path)] == [1, 2]
    assert all(what.startswith("text that is no SQL: ") for what, _ in damage_of(path))
    assert (dump.inventory.objects, rows_of(dump), len(dump.toc_entries)) == expected


@pytest.mark.parametrize("message", [m for m in MESSAGES if m.startswith(("pg_dump", "/usr", "WARNING", "app=#"))])
def test_a_message_between_statements_is_named_and_hides_nothing(small: Callable[[str], bytes], written: Write, message: str) -> None:
    for style, before in (("copy", b"CREATE TABLE app.empty"), ("copy", b"COPY app.one_text"), ("inserts", b"INSERT INTO app.one_text")):
        script = small(style)
        whole = read_dump(written(script))
        expected = (whole.inventory.objects, rows_of(whole))
        at = script.index(before)
        path = written(script[:at] + message.encode() + b"\n" + script[at:])
        assert [line for _, line in damage_of(path)] == [script.count(b"\n", 0, at) + 1]
        dump = read_dump(path)
        assert (dump.inventory.objects, rows_of(dump)) == expected


@pytest.mark.parametrize("text", ["app=# \\q", "app=> ", "Dump done, that's it.\n", "pg_dump: error: aborted", "$ exit\n"])
def test_text_behind_the_end_is_named(small: Callable[[str], bytes], written: Write, text: str) -> None:
    script = small("copy")
    path = written(script + text.encode())
    assert len(read_dump(path).damage) >= 1
    assert {line for _, line in damage_of(path)} == {script.count(b"\n") + 1}
    assert rows_of(read_dump(path)) == rows_of(read_dump(written(script)))


def test_sql_behind_the_end_is_read_and_named(small: Callable[[str], bytes], written: Write) -> None:
    script = small("copy")
    path = written(script + b"CREATE TABLE public.late (a integer);\nDROP TABLE app.empty;\nSET search_path TO public;\n")
    dump = read_dump(path)
    assert dump.damage == ()
    behind = [u for u in dump.inventory.unmodelled if "after the end of the dump" in u.reason]
    assert [u.name for u in behind] == ["CREATE TABLE public.late (a integer)", "DROP TABLE app.empty"]


def test_a_script_without_its_last_line_end_is_whole(small: Callable[[str], bytes], written: Write) -> None:
    appended = {"inserts": b"INSERT INTO app.one_text VALUES ('x');", "copy": b"COPY app.one_text (body) FROM stdin;\nx\n\\."}
    for style, ending in appended.items():
        script = small(style)
        dump = read_dump(written(script[: script.rindex(FOOTER) + len(FOOTER)]))
        assert [d.what for d in dump.damage] in ([], ["the script ends before its last \\unrestrict line"])
        later = read_dump(written(script + ending))  # as frameworks append rows of their own
        assert (later.damage, later.table_data[TableName("app", "one_text")].rows) == ((), 7)


def test_a_broken_statement_is_named_without_what_is_in_it(written: Write) -> None:
    script = (
        "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n"
        "CXEATE USER MAPPING FOR x SERVER y OPTIONS (password 'hunter2');\nCREATE TABLE public.t (\n    a integer\n);\n"
        "--\n-- PostgreSQL database dump complete\n--\n\n"
    )
    dump = read_dump(written(script.encode()))
    assert [(d.what, d.line) for d in dump.damage] == [("text that is no SQL: CXEATE USER MAPPING FOR x SERVER y OPTIONS (password", 6)]
    assert [o.key.name for o in dump.inventory.objects] == ["t"]


# ---- large objects

LARGE = """--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';
SET standard_conforming_strings = {standard};

--
-- Name: 16999; Type: BLOB; Schema: -; Owner: bob
--

SELECT pg_catalog.lo_create('16999');


ALTER LARGE OBJECT 16999 OWNER TO bob;

--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('16999', 131072);
SELECT pg_catalog.lowrite(0, '{content}');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- PostgreSQL database dump complete
--

"""


@pytest.mark.parametrize(
    ("standard", "content", "expected"),
    [
        ("on", r"\x00ff5c27", b"\x00\xff\\'"),
        ("off", r"\\x00ff5c27", b"\x00\xff\\'"),
        ("off", r"\\000\\377\\\\''x", b"\0\xff\\'x"),  # the escape format of 8.4
        ("on", r"\000\377\\''x", b"\0\xff\\'x"),
        ("on", r"\x", b""),
    ],
)
def test_the_content_of_a_large_object_is_read_in_all_forms(written: Write, standard: str, content: str, expected: bytes) -> None:
    dump = read_dump(written(LARGE.format(standard=standard, content=content).encode()))
    assert dump.damage == ()
    assert [(oid, b"".join(pieces)) for oid, pieces in dump.large_objects()] == [(16999, expected)]


def test_large_objects_of_8_4_are_made_where_they_are_opened(written: Write) -> None:
    script = LARGE.format(standard="off", content=r"\\000a").replace(
        "lo_open('16999', 131072)", "lo_open(pg_catalog.lo_create('16999'), 131072)"
    )
    start = script.index("--\n-- Name: 16999")
    script = script[:start] + script[script.index("--\n-- Data for") :]
    dump = read_dump(written(script.encode()))
    assert [(oid, b"".join(pieces)) for oid, pieces in dump.large_objects()] == [(16999, b"\0a")]
    assert [key.kind for key in dump.inventory.by_key] == ["BLOB"]


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (r"\x0001", r"\x0g01", "large object 16999: its content is no hexadecimal text"),
        (r"\x0001", r"\x000", "large object 16999: its content is no hexadecimal text"),
        ("SELECT pg_catalog.lo_close(0);\n", "", "large object 16999 does not end"),
        ("SELECT pg_catalog.lo_open('16999', 131072);\n", "", "content of a large object that was not opened"),
        ("lowrite(0, ", "lowrite(1, ", "large object 16999: something that writes no content stands in it"),
    ],
)
def test_a_broken_large_object_is_named(written: Write, before: str, after: str, what: str) -> None:
    script = LARGE.format(standard="on", content=r"\x0001").replace(before, after)
    dump = read_dump(written(script.encode()))
    assert what in [d.what for d in dump.damage]
    assert all(d.line for d in dump.damage)
    if "16999" in what:
        with pytest.raises(DamagedDump, match="16999"):
            [list(pieces) for _, pieces in dump.large_objects()]


def test_a_damage_that_is_told_is_a_record(small: Callable[[str], bytes], written: Write) -> None:
    told = read_dump(written(small("copy")[:-200])).damage
    assert all(isinstance(d, Damage) for d in told)


@pytest.mark.parametrize("style", ["copy", "inserts"])
@pytest.mark.parametrize(("said", "outcome"), [(b"UTF8", "failed"), (b"SQL_ASCII", "passed"), (None, "passed")])
def test_bytes_that_no_server_takes_in_rows_and_statements(
    style: str, said: bytes | None, outcome: str, nasty: NastyDatabase, written: Write
) -> None:
    """A restore stops at them, but not in a database whose encoding is none; a script that does not say its encoding may be of any."""
    nasty.run("psql", "-qc", "CREATE TABLE zz_bytes (a text, b text)", "-d", nasty.url)
    nasty.run("psql", "-qc", "INSERT INTO zz_bytes VALUES ('cafe', 'x'); COMMENT ON TABLE zz_bytes IS 'naive'", "-d", nasty.url)
    script = nasty.run("pg_dump", "-t", "zz_bytes", *STYLES[style], "-d", nasty.url)
    nasty.run("psql", "-qc", "DROP TABLE zz_bytes", "-d", nasty.url)
    setting = b"SET client_encoding = 'UTF8';\n"
    script = script.replace(setting, b"SET client_encoding = '" + said + b"';\n" if said else b"")
    for old, new in ((b"cafe", b"caf\xe9"), (b"naive", b"na\xefve")):
        broken = read_dump(written(script.replace(old, new)))
        result = verify(broken)
        assert str(result.verdict) == outcome, result.sentence
        assert outcome == "passed" or ("not UTF8" in result.sentence and "line" in result.sentence)
        assert broken.objects["name"].tolist() == ["zz_bytes"]


def test_bytes_that_no_server_takes_in_an_archive(nasty: NastyDatabase, written: Write) -> None:
    whole = nasty.run("pg_dump", "-Fc", "-Z0", "-t", "app.one_text", "-d", nasty.url)
    renamed = whole.replace(b"one_text", b"one_t\xe9xt")
    result = verify(read_dump(written(renamed)))
    assert str(result.verdict) == "failed"
    assert "its text has bytes that are not UTF8 (e9) (byte " in result.sentence
    assert read_dump(written(renamed)).objects["name"].tolist() == ["one_t\udce9xt"]
    assert "one_t\udce9xt" in read_dump(written(renamed)).toc["tag"].tolist()
    assert str(verify(read_dump(written(whole))).verdict) == "passed"
