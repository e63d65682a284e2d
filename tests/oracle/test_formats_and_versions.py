"""One database, dumped by every pg_dump in every format and compression: the same objects, the same tables, the same rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS, tables_alone
from pgaudit_kit.records.privileges import as_before_17
from tests.oracle.conftest import EveryKind
from tests.postgres_versions import KNOWN

REFERENCE = 18


def _ways() -> Iterator[tuple[int, str, str]]:
    """Every format by every version, in its default compression or none; the others where they came, once per format."""
    for major in KNOWN:
        yield from ((major, "plain", "none"), (major, "custom", "gzip"), (major, "directory", "gzip"), (major, "tar", "none"))
    for dump_format in ("plain", "custom", "directory"):
        yield from ((16, dump_format, "lz4"), (17, dump_format, "zstd"), (18, dump_format, "lz4"), (18, dump_format, "zstd"))
    yield from ((15, "plain", "gzip"), (15, "directory", "none"), (18, "custom", "none"))


# Every kind of entry that pg_dump writes (pg_dump.c, dumpDumpableObject), but for the few that no bare server of 13 can have:
# SECURITY LABEL asks for a provider, PUBLICATION TABLES IN SCHEMA for 15, STATISTICS DATA for an option, SUBSCRIPTION TABLE for pg_upgrade.
KINDS = frozenset(
    {
        "ENCODING",
        "STDSTRINGS",
        "SEARCHPATH",
        "DATABASE",
        "DATABASE PROPERTIES",
        "SCHEMA",
        "EXTENSION",
        "TYPE",
        "SHELL TYPE",
        "DOMAIN",
        "FUNCTION",
        "PROCEDURE",
        "AGGREGATE",
        "OPERATOR",
        "OPERATOR CLASS",
        "OPERATOR FAMILY",
        "CAST",
        "TRANSFORM",
        "COLLATION",
        "CONVERSION",
        "ACCESS METHOD",
        "PROCEDURAL LANGUAGE",
        "TEXT SEARCH PARSER",
        "TEXT SEARCH TEMPLATE",
        "TEXT SEARCH DICTIONARY",
        "TEXT SEARCH CONFIGURATION",
        "FOREIGN DATA WRAPPER",
        "SERVER",
        "USER MAPPING",
        "TABLE",
        "FOREIGN TABLE",
        "VIEW",
        "MATERIALIZED VIEW",
        "TABLE ATTACH",
        "SEQUENCE",
        "SEQUENCE OWNED BY",
        "DEFAULT",
        "TABLE DATA",
        "SEQUENCE SET",
        "BLOB",
        "BLOB METADATA",
        "BLOBS",
        "CONSTRAINT",
        "CHECK CONSTRAINT",
        "FK CONSTRAINT",
        "INDEX",
        "INDEX ATTACH",
        "STATISTICS",
        "RULE",
        "TRIGGER",
        "EVENT TRIGGER",
        "POLICY",
        "ROW SECURITY",
        "PUBLICATION",
        "PUBLICATION TABLE",
        "SUBSCRIPTION",
        "MATERIALIZED VIEW DATA",
        "DEFAULT ACL",
        "COMMENT",
        "ACL",
    }
)

WAYS = [pytest.param(*way, id="-".join(map(str, way))) for way in _ways()]


def said(dump: Dump) -> dict[str, object]:
    """All that a dump says of its objects and tables: the frames, the columns, and what it did not understand.

    Left out are `dependencies`, which only an archive has, and `definition`: that is the file's own text, for people.
    """
    found: dict[str, object] = {}
    for row, thing in zip(dump.objects.to_dict("records"), dump.inventory.objects, strict=True):
        columns = [(column.name, dict(column.attributes)) for column in thing.columns]
        key = f"{row['kind']} {row['schema']} {row['parent']} {row['name']}"
        assert f"{key}, name" not in found, f"{key} is there twice"
        found |= {f"{key}, {name}": row[name] for name in row.keys() - {"attributes", "definition", "dependencies"}}
        found |= {f"{key}, {name}": value for name, value in thing.attributes.items() if value} | {f"{key}, columns": columns}
    unmodelled = Counter(f"{u.kind} {u.schema} {u.name}" for u in dump.inventory.unmodelled)
    return found | {"unmodelled": unmodelled} | {f"rows of {name}": rows for name, rows in tables(dump).items()}


def tables(dump: Dump) -> dict[str, object]:
    """The frame of tables with the fingerprints, in its order; the columns of each."""
    found: dict[str, object] = {}
    for row, data in zip(dump.tables.to_dict("records"), tables_alone(dump.table_data), strict=True):
        name = data.name
        assert (row["schema"], row["name"]) == (name.schema, name.name)
        found[str(name)] = (row["rows"], row["size_bytes"], row["not_readable"], data.columns, str(dump.fingerprint(name)))
    found["large objects"] = str(dump.fingerprint(LARGE_OBJECT_ROWS)) if LARGE_OBJECT_ROWS in dump.table_data else None
    return found


def differences(left: dict[str, object], right: dict[str, object]) -> list[str]:
    return [f"{key}: {left.get(key)} | {right.get(key)}" for key in sorted({*left, *right}) if str(left.get(key)) != str(right.get(key))]


def as_older_versions_write_it(everything: dict[str, object]) -> dict[str, object]:
    """What pg_dump of 17 and 18 says, without what its age alone adds. All of it is about a server that is older still.

    - SCHEMA public: from 15 its default owner is pg_database_owner, so one that belongs to anybody else is dumped with its owner
      (pg_dump.c, getNamespaces); up to 14 the owner of `public` was not dumped.
    - MAINTAIN, new in 17, is part of ALL there: all privileges of a table on an older server are spelled out (dumputils.c, parseAclItem).
    - A subscription of a server before 16 runs as its owner: 16 and later write that (pg_dump.c, getSubscriptions).
    """
    kept = {key: value for key, value in everything.items() if not re.match("SCHEMA \\S+ \\S+ public,", key)}
    kept = {key: value for key, value in kept.items() if not (key.startswith("SUBSCRIPTION ") and key.endswith(" run_as_owner"))}
    return {key: as_before_17(value) if key.endswith(", acl") and isinstance(value, str) else value for key, value in kept.items()}


@pytest.mark.parametrize(("major", "dump_format", "compression"), WAYS)
def test_every_version_format_and_compression_says_the_same(every_kind: EveryKind, major: int, dump_format: str, compression: str) -> None:
    expected = said(read_dump(every_kind.dump(REFERENCE)))
    dump = read_dump(every_kind.dump(major, dump_format, compression))
    assert dump.damage == ()
    found = said(dump)
    assert len(found) > 500, "a comparison of next to nothing proves next to nothing"
    if major < 17:
        expected, found = as_older_versions_write_it(expected), as_older_versions_write_it(found)
    assert differences(expected, found) == []


@pytest.mark.parametrize("options", [("--inserts",), ("--column-inserts", "--rows-per-insert=3")], ids=" ".join)
@pytest.mark.parametrize("dump_format", ["plain", "custom", "directory", "tar"])
@pytest.mark.parametrize("major", [min(KNOWN), max(KNOWN)])
def test_rows_written_as_inserts_are_the_same_rows(every_kind: EveryKind, major: int, dump_format: str, options: tuple[str, ...]) -> None:
    expected = tables(read_dump(every_kind.dump(major)))
    found = tables(read_dump(every_kind.dump(major, dump_format, "none", *options)))
    assert differences(expected, found) == []


@pytest.mark.parametrize("major", KNOWN)
def test_a_dump_of_every_version_is_the_same_as_the_database(every_kind: EveryKind, major: int) -> None:
    with diff(str(every_kind.dump(major)), every_kind.url) as difference:
        assert [found for found in difference.object_differences if found.status != "equivalent"] == []
        assert difference.table_differences == ()
        assert difference.verdict == "same"
        assert difference.compared > 180


def test_the_database_has_every_kind_of_entry_that_the_oldest_server_can_have(every_kind: EveryKind) -> None:
    written = {entry.desc for major in (min(KNOWN), 16, 18) for entry in read_dump(every_kind.dump(major)).toc_entries}
    assert written >= KINDS
