r"""Every option that changes the text of a plain script: the same objects, tables and rows, but for what the option takes away.

Two databases (all awkward names and values; all kinds of objects), dumped by the oldest and the newest server of those at hand
with their own pg_dump. What an option takes away is said in `LESS`, by the change that makes the default dump's answer its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from pandas import NA
from psycopg import sql

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName
from tests.conftest import missing
from tests.dumps.conftest import NASTY
from tests.dumps.ddl.conftest import EveryKind
from tests.postgres_versions import Installation, installation

Attributes = dict[str, str]
Objects = dict[ObjectKey, tuple[Attributes, dict[str, Attributes]]]
Tables = dict[TableName, tuple[frozenset[str], int | None, int | None, Fingerprint | None]]
Facts = tuple[Objects, Tables]
NASTY_DATABASE = "nasty \"options'"
KINDS_DATABASE = "every kind"
ESCAPED = "-c standard_conforming_strings=off -c escape_string_warning=off"


@dataclass
class Server:
    """A server with both databases; what was dumped is dumped once."""

    programs: Installation
    server: EmbeddedServer
    folder: Path
    made: dict[tuple[str, ...], Path] = field(default_factory=dict)
    known: dict[Path, Facts] = field(default_factory=dict)

    def dump(self, database: str, *options: str, settings: str = "") -> Path:
        key = (database, settings, *options)
        if key not in self.made:
            path = self.folder / f"{len(self.made)}.sql"
            url = self.server.url(database) + (f"&options={quote(settings)}" if settings else "")
            self.programs.run("pg_dump", *options, "-f", str(path), "-d", url)
            self.made[key] = path
        return self.made[key]

    def whole(self, database: str, *options: str) -> Facts:
        """What the dump says; read once."""
        path = self.dump(database, *options)
        if path not in self.known:
            self.known[path] = whole(path)
        return self.known[path]


@pytest.fixture(scope="module", params=[15, 18])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A filled server of each version; 18 is the wheel's, whose postgres_fdw finds its libpq."""
    bin_folder = None if request.param == 18 else installation(request.param, missing).bin_folder
    with EmbeddedServer(bin_folder=bin_folder) as started:
        programs = Installation(int(started.version.split(".")[0]), started.bin_folder)
        EveryKind(started, KINDS_DATABASE).fill()
        with psycopg.connect(started.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(NASTY_DATABASE)))
        with psycopg.connect(started.url(NASTY_DATABASE), autocommit=True) as connection:
            connection.execute(NASTY.read_bytes())
            connection.execute("DELETE FROM app.big WHERE id > 300; UPDATE app.long_rows SET body = left(body, 40000)")
        yield Server(programs, started, tmp_path_factory.mktemp(f"options{request.param}"))


def attributes(given: Mapping[str, str | None]) -> Attributes:
    return {name: value for name, value in given.items() if value is not None}


def facts(dump: Dump) -> Facts:
    """Objects and tables as plain values. Of a table that has no rows the order of the columns is nowhere in an INSERT script."""
    objects = {o.key: (attributes(o.attributes), {c.name: attributes(c.attributes) for c in o.columns}) for o in dump.inventory.objects}
    tables = {
        name: (frozenset(data.columns), data.rows, data.size_bytes, None if data.not_readable else dump.fingerprint(name))
        for name, data in dump.table_data.items()
    }
    return objects, tables


def whole(path: Path) -> Facts:
    """What a script says that must be whole."""
    dump = read_dump(path)
    assert (dump.damage, dump.provenance.complete) == ((), True)
    return facts(dump)


def different(found: Facts, expected: Facts) -> list[object]:
    """What is not the same, short enough to be read in a failed test."""
    pairs: list[tuple[Mapping[Any, object], Mapping[Any, object]]] = [(found[0], expected[0]), (found[1], expected[1])]
    told: list[object] = []
    for mine, theirs in pairs:
        told += [("missing", key) for key in theirs if key not in mine]
        told += [("extra", key) for key in mine if key not in theirs]
        told += [(key, mine[key], theirs[key]) for key in mine if key in theirs and mine[key] != theirs[key]]
    return told


SAME: dict[str, tuple[str, ...]] = {
    "inserts": ("--inserts",),
    "column-inserts": ("--column-inserts",),
    "rows-per-insert": ("--rows-per-insert=3",),
    "rows-per-insert-of-all": ("--rows-per-insert=100000", "--column-inserts"),
    "on-conflict": ("--inserts", "--on-conflict-do-nothing"),
    "rows-per-insert-on-conflict": ("--rows-per-insert=2", "--on-conflict-do-nothing"),
    "clean": ("--clean",),
    "if-exists": ("--clean", "--if-exists"),
    "create": ("--create",),
    "create-clean": ("--create", "--clean", "--if-exists"),
    "verbose": ("--verbose",),
    "verbose-inserts": ("--verbose", "--inserts"),
    "via-root": ("--load-via-partition-root",),
    "via-root-inserts": ("--load-via-partition-root", "--rows-per-insert=4"),
    "quote-all": ("--quote-all-identifiers",),
    "quote-all-inserts": ("--quote-all-identifiers", "--column-inserts"),
    "session-authorization": ("--use-set-session-authorization",),
    "row-security": ("--enable-row-security",),
    "no-dollar-quoting": ("--disable-dollar-quoting",),
    "no-synchronized": ("--serializable-deferrable",),
    "role": ("--role=postgres",),
    "utf8": ("--encoding=UTF8",),
    "extra-float-digits": ("--extra-float-digits=3",),
    "large-objects": ("--blobs",),
    "lock-wait": ("--lock-wait-timeout=60s",),
}
SAME_18: dict[str, tuple[str, ...]] = {
    "statistics": ("--statistics",),
    "statistics-inserts": ("--statistics", "--inserts"),
    "restrict-key": ("--restrict-key=abc",),
}


@pytest.mark.parametrize("database", [NASTY_DATABASE, KINDS_DATABASE])
@pytest.mark.parametrize("name", [*SAME, *SAME_18])
def test_an_option_that_takes_nothing_away_changes_nothing(server: Server, database: str, name: str) -> None:
    if name in SAME_18 and server.programs.major < 18:
        pytest.skip("an option of 18")
    found = server.whole(database, *{**SAME, **SAME_18}[name])
    assert different(found, server.whole(database)) == []


# ---- what options take away


def no_rows(facts: Facts) -> Facts:
    """-s, --section: neither rows nor the state of sequences, which belongs to the data; nor whether a view is populated."""
    return without("last_value", "is_called", "populated")(facts)[0], {}


def without(*names: str) -> Callable[[Facts], Facts]:
    """Without these attributes of objects and of columns."""

    def reduce(facts: Facts) -> Facts:
        def left(given: Attributes) -> Attributes:
            return {name: value for name, value in given.items() if name.removeprefix("index_").rpartition(" ")[2] not in names}

        def kept(columns: dict[str, Attributes]) -> dict[str, Attributes]:
            """Of an inherited column only what is overridden is there."""
            return {name: left(column) for name, column in columns.items() if left(column)}

        return {key: (left(own), kept(columns)) for key, (own, columns) in facts[0].items()}, facts[1]

    return reduce


def without_kinds(*kinds: str) -> Callable[[Facts], Facts]:
    return lambda facts: ({key: value for key, value in facts[0].items() if key.kind not in kinds}, facts[1])


def without_table(schema: str, name: str) -> Callable[[Facts], Facts]:
    return lambda facts: (facts[0], {key: value for key, value in facts[1].items() if key != TableName(schema, name)})


def without_public(facts: Facts) -> Facts:
    """Schema public is in a dump only where something about it was changed, such as its comment."""
    return {key: value for key, value in facts[0].items() if key != ObjectKey("SCHEMA", None, "public")}, facts[1]


LESS: dict[str, tuple[tuple[str, ...], tuple[Callable[[Facts], Facts], ...]]] = {
    "schema-only": (("--schema-only",), (no_rows, without_kinds("BLOB"))),
    "no-comments": (("--no-comments",), (without("comment"), without("not_null_comment"), without_public)),
    "no-owner": (("--no-owner",), (without("owner"),)),
    "no-privileges": (("--no-privileges",), (without("acl"), without_kinds("ACL", "DEFAULT ACL"))),
    "no-tablespaces": (("--no-tablespaces",), (without("tablespace"),)),
    "no-table-access-method": (("--no-table-access-method",), (without("access_method"),)),
    "no-toast-compression": (("--no-toast-compression",), (without("compression"),)),
    "no-security-labels": (("--no-security-labels",), ()),
    "no-large-objects": (("--no-blobs",), (without_kinds("BLOB"), without_table("pg_catalog", "pg_largeobject"))),
    "no-publications": (("--no-publications",), (without_kinds("PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"),)),
    "no-subscriptions": (("--no-subscriptions",), (without_kinds("SUBSCRIPTION"),)),
    "exclude-table-data": (("--exclude-table-data=app.big",), (without_table("app", "big"),)),
}
LESS_18: dict[str, tuple[tuple[str, ...], tuple[Callable[[Facts], Facts], ...]]] = {
    "no-data": (("--no-data",), (no_rows, without_kinds("BLOB"))),
    "sequence-data": (("--schema-only", "--sequence-data"), (lambda facts: (without("populated")(facts)[0], {}), without_kinds("BLOB"))),
    "no-policies": (("--no-policies",), (without_kinds("POLICY"), without("row_security"))),
}


@pytest.mark.parametrize("database", [NASTY_DATABASE, KINDS_DATABASE])
@pytest.mark.parametrize("name", [*LESS, *LESS_18])
def test_an_option_takes_away_what_it_says_and_nothing_else(server: Server, database: str, name: str) -> None:
    if name in LESS_18 and server.programs.major < 18:
        pytest.skip("an option of 18")
    options, changes = {**LESS, **LESS_18}[name]
    expected, found = server.whole(database), server.whole(database, *options)
    for change in changes:  # also from what was found: FORCE ROW LEVEL SECURITY, for one, stays where policies go
        expected, found = change(expected), change(found)
    assert different(found, expected) == []


@pytest.mark.parametrize("database", [NASTY_DATABASE, KINDS_DATABASE])
def test_the_three_sections_are_the_whole(server: Server, database: str) -> None:
    objects, tables = server.whole(database)
    pre, data, post = (server.whole(database, f"--section={name}") for name in ("pre-data", "data", "post-data"))
    assert {**pre[0], **post[0]}.keys() == objects.keys() - {key for key in objects if key.kind == "BLOB"} | pre[0].keys()
    assert (pre[1], post[1]) == ({}, {})
    # without CREATE TABLE nobody knows the columns of a table without rows, but for those that COPY names
    assert different(({}, data[1]), ({}, tables)) == []
    assert not data[0].keys() - objects.keys()


@pytest.mark.parametrize("style", [(), ("--column-inserts",), ("--disable-triggers",), ("--rows-per-insert=3", "--column-inserts")])
def test_data_only_has_all_rows_and_no_objects(server: Server, style: tuple[str, ...]) -> None:
    _, tables = server.whole(NASTY_DATABASE)
    objects, found = server.whole(NASTY_DATABASE, "--data-only", *style)
    rows = {name: (data[1], data[3]) for name, data in tables.items()}
    assert {name: (data[1], data[3]) for name, data in found.items()} == rows
    assert {key.kind for key in objects} <= {"BLOB"}


def test_statistics_alone_are_neither_objects_nor_rows(server: Server) -> None:
    if server.programs.major < 18:
        pytest.skip("an option of 18")
    dump = read_dump(server.dump(NASTY_DATABASE, "--statistics-only"))
    assert (facts(dump), dump.damage) == (({}, {}), ())
    assert {entry.desc for entry in dump.toc_entries} == {"STATISTICS DATA"}


def test_parts_of_a_database_say_the_same_of_what_they_hold(server: Server) -> None:
    objects, tables = server.whole(NASTY_DATABASE)
    for options in (("-n", "app", "-n", "public"), ("-t", "app.big", "-t", "app.one_text", "-t", "app.parted*"), ("-T", "app.big")):
        found = server.whole(NASTY_DATABASE, *options)
        expected = {key: value for key, value in objects.items() if key in found[0]}, {n: v for n, v in tables.items() if n in found[1]}
        assert different((found[0], found[1]), expected) in ([], [("extra", ObjectKey("SCHEMA", None, "public"))])
        assert len(found[1]) >= 2
    assert TableName("app", "big") not in found[1]


def test_the_script_of_pg_upgrade_is_read_without_rows(server: Server) -> None:
    for database in (NASTY_DATABASE, KINDS_DATABASE):
        objects, _ = server.whole(database)
        dump = read_dump(server.dump(database, "--binary-upgrade", "--schema-only"))
        assert dump.damage == ()
        assert {key for key in objects if key.kind in ("TABLE", "VIEW", "INDEX", "CONSTRAINT")} <= dump.inventory.by_key.keys()


# ---- what is done to a script afterwards, and scripts out of archives

STYLES: dict[str, tuple[str, ...]] = {
    "copy": (),
    "inserts": ("--inserts",),
    "rows-per-insert": ("--rows-per-insert=3", "--column-inserts"),
    "verbose-create": ("--verbose", "--create", "--clean"),
}


@pytest.mark.parametrize("database", [NASTY_DATABASE, KINDS_DATABASE])
@pytest.mark.parametrize("style", STYLES)
def test_line_ends_of_windows_and_a_byte_order_mark_change_nothing(server: Server, database: str, style: str, tmp_path: Path) -> None:
    original = server.dump(database, *STYLES[style])
    expected = whole(original)
    path = tmp_path / "changed"
    for before in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(before + original.read_bytes().replace(b"\n", b"\r\n"))
        assert different(whole(path), expected) == []
    path.write_bytes(b"\xef\xbb\xbf" + original.read_bytes())
    assert different(whole(path), expected) == []


@pytest.mark.parametrize("style", STYLES)
def test_strings_that_are_not_standard_say_the_same(server: Server, style: str) -> None:
    for database in (NASTY_DATABASE, KINDS_DATABASE):
        path = server.dump(database, *STYLES[style], settings=ESCAPED)
        assert b"SET standard_conforming_strings = off;" in path.read_bytes()
        assert different(whole(path), server.whole(database)) == []


@pytest.mark.parametrize(
    "options", [(), ("-1",), ("--role=postgres",), ("-v",), ("-v", "-C", "-c", "--if-exists"), ("--use-set-session-authorization",)]
)
def test_a_script_that_pg_restore_wrote_is_the_one_of_pg_dump(server: Server, options: tuple[str, ...]) -> None:
    for database in (NASTY_DATABASE, KINDS_DATABASE):
        archive = server.dump(database, "-Fc")
        path = archive.with_suffix(f".{len(''.join(options))}.restored")
        server.programs.run("pg_restore", *options, "-f", str(path), str(archive))
        assert different(whole(path), server.whole(database)) == []


# ---- encodings

JAPANESE = [("表", "ソ"), ("能\\", "\t表\\'"), ("\n", "十;'\"$$"), (None, "表"), ("ｱ", "")]
TEXTS: dict[str, list[tuple[str | None, str | None]]] = {
    "SJIS": [*JAPANESE],
    "EUC_JP": [*JAPANESE],
    "SHIFT_JIS_2004": [*JAPANESE],
    "BIG5": [("功", "許\\"), ("蓋\n", None), ("許功蓋", "'功'")],
    "GBK": [("誠", "\\誠\t"), ("乗", "亅\\"), (None, "中文")],
    "GB18030": [("誠", "😀\\"), ("乗", "㐀"), (None, "中文")],
    "UHC": [("똠", "똠\\\t"), ("한글", "'")],
    "EUC_KR": [("한글", "글\\")],
    "LATIN1": [("Ünï", "÷\\\nß"), ("\xa0", None)],
    "WIN1252": [("€", "“q”\\"), ("Ünï", "\t")],
    "WIN1251": [("Ж", "я\\")],
    "KOI8R": [("Ж", "я\\")],
    "UTF8": [("😀", "表\\")],
    "SQL_ASCII": [("表", "Ünï\\")],
}


def fill(connection: psycopg.Connection, rows: list[tuple[str | None, str | None]]) -> None:
    word = rows[0][0] or ""
    table, column = sql.Identifier(f"t {word}"), sql.Identifier(f"{word}b")
    connection.execute(sql.SQL("CREATE TABLE {} (a text, {} text)").format(table, column))
    for row in rows:
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s, %s)").format(table), row)
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(f"{word}' ; \\")))
    connection.execute("CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere")
    foreign = sql.SQL("CREATE FOREIGN TABLE {} (a text) SERVER far OPTIONS (path {}, word {})")
    connection.execute(foreign.format(sql.Identifier(f"{word} far"), sql.Literal(f"c:\\{word}"), sql.Literal(f"{word}\\{word};")))


@pytest.fixture(scope="module")
def written_out(server: Server) -> Server:
    """The server with a table for each encoding, whose names, rows, comment and options are in it."""
    for encoding, rows in TEXTS.items():
        with psycopg.connect(server.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(encoding)))
        with psycopg.connect(server.server.url(encoding), autocommit=True, client_encoding="utf8") as connection:
            fill(connection, rows)
    return server


def without_sizes(facts: Facts) -> Facts:
    """The size of rows is in the encoding of the script."""
    return facts[0], {name: (columns, rows, None, prints) for name, (columns, rows, _, prints) in facts[1].items()}


@pytest.mark.parametrize("settings", ["", ESCAPED])
@pytest.mark.parametrize("style", ["copy", "rows-per-insert"])
@pytest.mark.parametrize("encoding", TEXTS)
def test_a_script_in_any_encoding_says_what_it_says_in_utf8(written_out: Server, encoding: str, style: str, settings: str) -> None:
    path = written_out.dump(encoding, "-E", encoding, *STYLES[style], settings=settings)
    assert f"SET client_encoding = '{encoding}';".encode() in path.read_bytes()
    expected = written_out.whole(encoding, "-E", "UTF8")
    assert different(without_sizes(whole(path)), without_sizes(expected)) == []
    (table,) = expected[1]
    assert table == TableName("public", f"t {TEXTS[encoding][0][0]}")
    frame = read_dump(path).read_table(table)
    assert list(zip(*([None if value is NA else value for value in frame[column]] for column in frame), strict=True)) == TEXTS[encoding]


# ---- large objects


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("settings", ["", ESCAPED])
def test_large_objects_are_read_to_the_byte(server: Server, style: str, settings: str) -> None:
    with psycopg.connect(server.server.url(NASTY_DATABASE)) as connection:
        stored = connection.execute("SELECT oid::bigint, lo_get(oid) FROM pg_largeobject_metadata").fetchall()
    expected: dict[int, bytes] = dict(stored)
    assert len(expected) == 3
    dump = read_dump(server.dump(NASTY_DATABASE, *STYLES[style], settings=settings))
    found = {oid: b"".join(pieces) for oid, pieces in dump.large_objects()}
    assert found == expected
    assert [oid for oid, _ in dump.large_objects()] == list(found), "the content of one need not be read before the next"
    assert max(len(piece) for _, pieces in dump.large_objects() for piece in pieces) <= 16384
