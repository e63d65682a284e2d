"""The table of contents, held against pg_restore's own list and against each other."""

from __future__ import annotations

import re

import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.records.identifiers import sanitise
from pgaudit_kit.records.toc import TocEntry
from tests.dumps.conftest import TO_FILE, NastyDatabase


def listed(entry: TocEntry) -> str:
    """An entry as pg_restore -l prints it, without its numbers."""
    return f"{entry.desc} {sanitise(entry.schema or '-')} {sanitise(entry.tag)} {sanitise(entry.owner or '')}"


def pg_restore_list(nasty: NastyDatabase, path: str) -> list[tuple[int, str]]:
    lines = nasty.run("pg_restore", "-l", path).decode().splitlines()
    return [(int(m[1]), m[2]) for line in lines if (m := re.match(r"(\d+); \d+ \d+ (.*)\Z", line))]


@pytest.mark.parametrize("name", [name for name in TO_FILE if name.startswith("custom")])
def test_an_archives_entries_are_those_that_pg_restore_lists(nasty: NastyDatabase, name: str) -> None:
    path = nasty.dump(name)
    entries = read_dump(path).listed_entries
    assert [(e.dump_id, listed(e)) for e in entries] == pg_restore_list(nasty, str(path))


def test_a_piped_and_a_redirected_archive_list_the_same(nasty: NastyDatabase) -> None:
    for path in (nasty.piped(), nasty.redirected()):
        entries = read_dump(path).listed_entries
        assert [(e.dump_id, listed(e)) for e in entries] == pg_restore_list(nasty, str(path))


def test_an_archive_keeps_names_raw_and_knows_sections_and_dependencies(nasty: NastyDatabase) -> None:
    entries = read_dump(nasty.dump("custom-gzip")).toc_entries
    weird = next(e for e in entries if e.desc == "TABLE" and e.schema == "Weird Sch;ema")
    assert weird.tag == 'we"ird\ntab;le'
    assert (weird.section, weird.relkind, weird.access_method, weird.has_data) == ("pre-data", "r", "heap", False)
    assert (weird.definition or "").startswith('CREATE TABLE "Weird Sch;ema"."we""ird\ntab;le" (')
    data = next(e for e in entries if e.desc == "TABLE DATA" and e.schema == "Weird Sch;ema")
    assert (data.section, data.has_data) == ("data", True)
    assert weird.dump_id in data.dependencies


@pytest.mark.parametrize("name", ["plain", "plain-verbose", "plain-gzip", "plain-inserts", "plain-session-authorization"])
def test_a_script_lists_what_an_archive_of_the_same_database_lists(nasty: NastyDatabase, name: str) -> None:
    archive = read_dump(nasty.dump("custom-gzip")).listed_entries
    script = read_dump(nasty.dump(name)).toc_entries
    assert sorted(map(listed, script)) == sorted(map(listed, archive))


def test_a_verbose_script_also_tells_ids_and_dependencies(nasty: NastyDatabase) -> None:
    entries = read_dump(nasty.dump("plain-verbose")).toc_entries
    by_id = {e.dump_id: e for e in entries}
    assert None not in by_id
    data = next(e for e in entries if e.desc == "TABLE DATA" and e.tag == "generated")
    assert [by_id[d].tag for d in data.dependencies] == ["generated"]


def test_an_entry_without_owner_has_none(nasty: NastyDatabase) -> None:
    assert {e.owner for e in read_dump(nasty.dump("plain-no-owner")).toc_entries} == {None}


def test_the_frame_of_entries_is_in_file_order(nasty: NastyDatabase) -> None:
    dump = read_dump(nasty.dump("custom-none"))
    assert list(dump.toc["tag"]) == [e.tag for e in dump.listed_entries]
    assert list(dump.objects["name"]) == [o.key.name for o in dump.inventory.objects]


def test_provenance_says_what_the_file_says(nasty: NastyDatabase) -> None:
    version = nasty.run("pg_dump", "--version").decode().split()[-1]
    custom = read_dump(nasty.dump("custom-gzip")).provenance
    assert (custom.format, custom.compression, custom.database) == ("custom", "gzip", "nasty database")
    assert (custom.archive_version, custom.server_version, custom.pg_dump_version) == ("1.16.0", version, version)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", custom.created_at or "")
    plain = read_dump(nasty.dump("plain-clean-create")).provenance
    assert (plain.format, plain.compression, plain.database) == ("plain", "none", "nasty database")
    assert (plain.server_version, plain.pg_dump_version, plain.encoding) == (version, version, "UTF8")
    assert read_dump(nasty.dump("plain-gzip")).provenance.compression == "gzip"
    assert (read_dump(nasty.dump("plain-verbose")).provenance.created_at or "").startswith("20")


def test_commands_for_psql_are_listed_with_their_lines(nasty: NastyDatabase) -> None:
    path = nasty.dump("plain-clean-create")
    commands = read_dump(path).script_commands
    lines = path.read_bytes().split(b"\n")
    assert [c.text.split()[0] for c in commands].count(b"\\connect") >= 1
    assert [c.text for c in commands if b"evil" in c.text] == [], "what stands inside a comment's text is no command"
    for command in commands:
        assert lines[command.line - 1] + b"\n" == command.text


def test_the_objects_are_the_same_whatever_the_format(nasty: NastyDatabase) -> None:
    expected = read_dump(nasty.dump("custom-gzip")).inventory
    for name in ("custom-none", "custom-inserts", "plain", "plain-gzip", "plain-inserts", "plain-verbose", "plain-clean-create"):
        inventory = read_dump(nasty.dump(name)).inventory
        assert inventory.by_key == expected.by_key, name


def test_showing_a_dump_escapes_names_and_is_short(nasty: NastyDatabase) -> None:
    dump = read_dump(nasty.dump("plain"))
    assert repr(dump) == "<Dump 'plain.dump': plain>"
    assert "TABLE DATA" in dump._repr_html_()
