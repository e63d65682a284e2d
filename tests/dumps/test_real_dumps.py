"""Dumps that other people made, with other versions and other programs behind them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from tests.dumps.conftest import NastyDatabase
from tests.dumps.test_toc import listed, pg_restore_list

PLAIN = [
    *(
        "chinook-data.sql",
        "danbooru-2016-pg9.4.sql",
        "danbooru-2018-pg9.6.sql",
        "danbooru-2026-03-17.sql",
        "netflix-data.sql",
        "pagila-data.sql",
    ),
    *("panoptes-2022-pg11.sql", "periodic-table-data.sql", "registry-2018.sql", "registry-2026-pg13-restrict.sql", "sanbase-2019-pg10.sql"),
    *("sanbase-2026-pg15.sql", "sanbase-2026-pg17-restrict.sql", "titanic-data.sql"),
]
ARCHIVES = [f"pg{n}-{how}-basic.dump" for n in (15, 16) for how in ("gzip-copy", "none-copy")]
ARCHIVES += [f"pg18-{how}-basic.dump" for how in ("gzip-copy", "none-copy", "none-insert")]


def copies_in(script: bytes) -> dict[bytes, list[bytes]]:
    """The rows of each COPY of a script without tricks, read in the simplest way: the line, the lines, the mark."""
    found: dict[bytes, list[bytes]] = {}
    lines = iter(script.split(b"\n"))
    for line in lines:
        if re.match(rb"COPY .* FROM stdin;\Z", line):
            rows = found[line] = []
            while (row := next(lines)) != b"\\.":
                rows.append(row)
    return found


@pytest.mark.parametrize("name", PLAIN)
def test_a_real_script_is_whole_and_all_its_entries_and_rows_are_there(corpus: Path, name: str) -> None:
    path = corpus / "plain" / name
    script = path.read_bytes()
    dump = read_dump(path)
    assert dump.damage == ()
    assert dump.provenance.complete is True
    comments = re.findall(
        r"^-- (?:Data for )?Name: (.*?); Type: ([A-Z ]*); Schema: (.*?); Owner: -(?:; Tablespace: )?$", script.decode(), re.MULTILINE
    )
    assert [(e.tag, e.desc, e.schema or "-") for e in dump.toc_entries] == comments
    assert len(comments) > 2
    copies = copies_in(script)
    inserted = [data for data in dump.table_data.values() if data.name.name in ("schema_migrations", "ar_internal_metadata")]
    assert len(dump.table_data) == len(copies) + (0 if copies else len(inserted))
    assert sum(data.rows or 0 for data in dump.table_data.values()) >= sum(map(len, copies.values()))
    for (statement, rows), data in zip(copies.items(), dump.table_data.values(), strict=False):
        assert data.rows == len(rows), statement
        assert b"".join(dump.row_blocks(data.name)) == b"".join(row + b"\n" for row in rows), statement


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_real_archive_lists_and_reads_like_pg_restore(corpus: Path, nasty: NastyDatabase, name: str) -> None:
    path = corpus / "archives" / name
    dump = read_dump(path)
    entries = dump.listed_entries
    assert [(e.dump_id, listed(e)) for e in entries] == pg_restore_list(nasty, str(path))
    assert (dump.damage, dump.provenance.complete) == ((), True)
    copies = copies_in(nasty.run("pg_restore", "-f", "-", str(path)))
    found = [b"".join(dump.row_blocks(table)) for table in dump.table_data]
    if "copy" in name:
        assert found == [b"".join(row + b"\n" for row in rows) for rows in copies.values()]
    else:
        twin = read_dump(path.with_name("pg18-none-copy-basic.dump"))
        assert found == [b"".join(twin.row_blocks(table)) for table in twin.table_data]
    assert sum(data.rows or 0 for data in dump.table_data.values()) == 7


@pytest.mark.parametrize("name", ["pg18-lz4-copy-basic.dump", "pg18-zstd-copy-basic.dump"])
def test_a_real_archive_in_a_compression_that_few_programs_have_reads(corpus: Path, nasty: NastyDatabase, name: str) -> None:
    path = corpus / "archives" / name
    dump = read_dump(path)
    assert [(e.dump_id, listed(e)) for e in dump.listed_entries] == pg_restore_list(nasty, str(path))
    assert (dump.damage, dump.provenance.complete, dump.provenance.compression) == ((), True, name.split("-")[1])
    twin = read_dump(path.with_name("pg18-none-copy-basic.dump"))
    assert {table: b"".join(dump.row_blocks(table)) for table in dump.table_data} == {
        table: b"".join(twin.row_blocks(table)) for table in twin.table_data
    }


def test_a_database_dumped_alone_out_of_a_cluster_of_9_5_reads(corpus: Path) -> None:
    dump = read_dump(corpus / "cluster/restic-compose-backup.sql")
    assert (dump.damage, dump.provenance.server_version, len(dump.toc_entries)) == ((), "9.5.10", 26)
