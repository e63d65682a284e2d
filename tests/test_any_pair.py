"""Any two sources are compared the same way: what differs does not depend on what tells it, nor on which side it is told."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import combinations, product
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.server.snapshot import snapshot
from tests.postgres_versions import FORMATS
from tests.test_mutations import CHANGES, GONE, NEW, mirrored, plain

LEFT, RIGHT = "pairs_left", "pairs_right"
ROLE = "someone_of_pairs"
Sources = dict[str, Source]

OTHER_WAY = {GONE: NEW, NEW: GONE}


@pytest.fixture(scope="module")
def sides(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sources, Sources]]:
    """Two databases, the second changed in all ways that go together, each by all that can tell of it."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {ROLE}".encode())
        connection.execute(f"CREATE DATABASE {LEFT} TEMPLATE template0".encode())
        with psycopg.connect(server.url(LEFT), autocommit=True) as made:
            made.execute((Path(__file__).parent / "mutations.sql").read_bytes())
        connection.execute(f"CREATE DATABASE {RIGHT} TEMPLATE {LEFT} STRATEGY file_copy".encode())
        with psycopg.connect(server.url(RIGHT), autocommit=True) as changed:
            changed.execute("SET search_path = app, public")
            for change in CHANGES:
                with suppress(psycopg.Error):  # what it would change is gone by then
                    changed.execute(change.sql.replace("TO someone", f"TO {ROLE}").encode())
        with ExitStack() as opened:
            yield tuple(_sources(server, name, tmp_path_factory.mktemp(name), opened) for name in (LEFT, RIGHT))  # type: ignore[misc]
        for name in (LEFT, RIGHT):
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        connection.execute(f"DROP ROLE {ROLE}".encode())


def _sources(server: EmbeddedServer, name: str, folder: Path, opened: ExitStack) -> Sources:
    found: Sources = {}
    for form in FORMATS:
        argv = [str(server.bin_folder / "pg_dump"), f"--format={form}", "-d", server.url(name), "-f", str(folder / form)]
        subprocess.run(argv, check=True, capture_output=True)
        found[form] = read_dump(folder / form)
    found["live"] = opened.enter_context(snapshot(server.url(name)))
    for of in ("live", "custom"):
        found[f"manifest of {of}"] = Manifest.from_json(take_manifest(found[of]).to_json(), label=f"{name} {of}.json")
    return found


def test_every_pair_of_sources_of_one_database_is_the_same(sides: tuple[Sources, Sources]) -> None:
    for sources in sides:
        for (a, left), (b, right) in (*combinations(sources.items(), 2), *((item, item) for item in sources.items())):
            found = diff(left, right)
            assert (found.verdict, found.object_differences, found.table_differences, found.skipped) == ("same", (), (), ()), (a, b)
            assert found.compared > 40, (a, b)


def test_every_pair_of_sources_of_two_databases_tells_the_same_and_its_mirror_image(sides: tuple[Sources, Sources]) -> None:
    lefts, rights = sides
    reference = diff(lefts["live"], rights["live"])
    expected = list(map(plain, reference.object_differences))
    assert len(expected) > 40
    for (a, left), (b, right) in product(lefts.items(), rights.items()):
        found, back = diff(left, right), diff(right, left)
        assert list(map(plain, found.object_differences)) == expected, (a, b)
        assert list(map(mirrored, back.object_differences)) == expected, (b, a)
        assert (found.verdict, back.verdict) == ("different", "different")
        assert found.compared == back.compared, (a, b)
        assert {s.what for s in found.skipped} == {s.what for s in back.skipped}, (a, b)
        assert {(str(d.key), d.hint) for d in found.object_differences if "looks" in d.hint} == {
            (str(d.key), d.hint) for d in reference.object_differences if "looks" in d.hint
        }
        assert _tables(found) == {
            (name, OTHER_WAY.get(status, status), rows_right, rows_left) for name, status, rows_left, rows_right in _tables(back)
        }, (a, b)
        told = _told_by_manifests(reference) if "manifest" in a + b else _tables(reference)
        assert _tables(found) == told, (a, b)


def _tables(found: Difference) -> set[tuple[str, str, int | None, int | None]]:
    return {(str(t.name), t.status, t.rows_left, t.rows_right) for t in found.table_differences}


def _told_by_manifests(reference: Difference) -> set[tuple[str, str, int | None, int | None]]:
    """A manifest cannot tell of some columns only: where they are not the same on both sides, it is not compared."""
    changed = set()
    for name, status, rows_left, rows_right in _tables(reference):
        table = reference.find_table(name)
        sides = [source.table_data.get(table) for source in (reference.left, reference.right)]
        known = None in sides or sides[0] is None or sides[1] is None or sides[0].columns == sides[1].columns
        changed.add((name, status if known else "not_checked", rows_left, rows_right))
    return changed
