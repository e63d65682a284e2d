"""Real dumps of other people, 9.4 to 17: every entry that their header comments name is an object, or is named as unmodelled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pgaudit_kit.difference.objects import compare_objects
from pgaudit_kit.dumps.ddl.drafts import IN_EVERY_DATABASE, NOT_COMPARED
from pgaudit_kit.records.objects import ATTRIBUTES
from tests.conftest import SHARED
from tests.dumps.ddl.pieces import inventory_of, pieces_of

DUMPS = sorted((SHARED / "corpus" / "plain").glob("*.sql"))
# kinds of which pg_dump prints some inside another object's entry, so that there are more objects than entries
INLINE = {"CHECK CONSTRAINT"}
# entries that are attributes of an object, its data, or its state
OF_OTHERS = {"COMMENT", "DEFAULT", "INDEX ATTACH", "SEQUENCE OWNED BY", "SEQUENCE SET", "TABLE ATTACH", "TABLE DATA"}


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_every_entry_of_a_real_dump_is_an_object_or_is_named(corpus: Path, path: Path) -> None:
    script = read(path)
    entries = Counter(entry.desc for entry, _ in pieces_of(script) if entry)
    inventory = inventory_of(script)
    found = Counter(o.key.kind for o in inventory.objects)
    asides = Counter(u.kind for u in inventory.unmodelled if u.reason != NOT_COMPARED)
    assert found.total() > 0
    for desc, count in entries.items():
        if desc not in OF_OTHERS | INLINE:
            assert found[desc] + asides[desc] == count, desc
    assert set(found) - set(entries) <= INLINE
    assert [u for u in inventory.unmodelled if "understood" in u.reason] == []
    of_modelled_kinds = {u.kind: u.reason for u in inventory.unmodelled if u.kind in ATTRIBUTES}
    assert set(of_modelled_kinds.values()) <= {NOT_COMPARED, IN_EVERY_DATABASE}


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_every_column_of_a_real_dump_has_a_type_and_every_text_is_whole(corpus: Path, path: Path) -> None:
    for described in inventory_of(read(path)).objects:
        if described.key.kind == "TABLE" and "inherits" not in described.attributes:
            assert all(column.attributes.get("type") for column in described.columns), described.key
        text = described.attributes.get("definition") or ""
        assert not text.rstrip().endswith(";")
        assert text.count("(") == text.count(")") or "'" in text, described.key


def test_one_week_of_development_is_seen_between_two_dumps(corpus: Path) -> None:
    before, after = (inventory_of(read(corpus / "plain" / f"danbooru-2026-03-{day}.sql")) for day in (17, 23))
    assert [(d.key.name, d.status) for d in compare_objects(before, after)] == [
        ("index_good_jobs_jobs_on_finished_at", "only_left"),
        ("index_good_jobs_jobs_on_finished_at_only", "only_right"),
        ("index_good_jobs_on_job_class", "only_right"),
    ]
