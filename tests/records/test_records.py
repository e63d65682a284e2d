"""Verdicts and manifests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgaudit_kit.errors import ManifestError, RowsNotAvailable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.ledger import Ledger, Migration
from pgaudit_kit.records.manifest import DumpFile, Manifest, load_manifest, manifest_beside
from pgaudit_kit.records.objects import Column, DatabaseObject, ObjectKey, Unmodelled
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.verdict import Check, Outcome, worst

NAME = TableName("public", 'odd "name"')


def _manifest() -> Manifest:
    return Manifest(
        label="app",
        taken_at="2026-01-01T00:00:00+00:00",
        tool_version="0",
        provenance=Provenance(format="live", settings={"TimeZone": "UTC"}),
        inventory=Inventory(
            (DatabaseObject(ObjectKey("TABLE", "public", "t"), {"comment": "é"}, (Column("a", {"type": "integer"}),)),),
            (Unmodelled("CAST", None, "CAST (a AS b)", "not modelled"),),
        ),
        table_data={NAME: TableData(NAME, ("a", "b"), 3, 12, Fingerprint(3, 2**127 + 5))},
        ledger=Ledger("prisma", TableName("public", "_prisma_migrations"), (Migration("1", "init", "ab"),)),
        dump_file=DumpFile("app.dump", "00", 12),
    )


def test_a_manifest_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "app.manifest.json"
    path.write_text(_manifest().to_json(), encoding="utf-8")
    back = load_manifest(path)
    assert back.to_json() == _manifest().to_json().replace('"label": "app"', '"label": "app.manifest.json"')
    assert back.fingerprint(NAME) == Fingerprint(3, 2**127 + 5)
    assert back.inventory == _manifest().inventory
    assert back.ledger == _manifest().ledger


def test_a_manifest_knows_no_rows_and_no_other_columns() -> None:
    with pytest.raises(RowsNotAvailable, match="not the rows"):
        next(iter(_manifest().row_blocks(NAME)))
    with pytest.raises(RowsNotAvailable, match="over these columns"):
        _manifest().fingerprint(NAME, ("a",))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"what": "pgaudit_kit manifest", "version": 99}', "null"])
def test_what_is_no_manifest_is_told_so(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ManifestError):
        load_manifest(tmp_path / "x.json")


def test_a_manifest_that_lost_a_key_is_told_so() -> None:
    plain = json.loads(_manifest().to_json())
    for key in plain:
        broken = {k: v for k, v in plain.items() if k != key}
        if key in ("unread", "seconds", "server"):  # not in those of earlier releases
            continue
        with pytest.raises(ManifestError):
            Manifest.from_json(json.dumps(broken), label="x")


def test_the_manifest_of_a_dump_stands_beside_it() -> None:
    assert manifest_beside(Path("b/app.v2.dump")) == Path("b/app.v2.manifest.json")
    assert manifest_beside(Path("b/app")) == Path("b/app.manifest.json")
    assert manifest_beside(Path("b/app.v2.sql.gz")) == Path("b/app.v2.manifest.json")
    assert manifest_beside(Path("b/app.gz")) == Path("b/app.manifest.json")


def test_a_check_that_compared_nothing_is_never_green() -> None:
    assert Check("x", "?", Outcome.PASSED, compared=0).outcome is Outcome.NOT_CHECKED
    assert Check("x", "?", Outcome.WARNED, compared=0).outcome is Outcome.NOT_CHECKED
    assert Check("x", "?", Outcome.PASSED, compared=1).outcome is Outcome.PASSED
    assert worst([]) is Outcome.NOT_CHECKED


def test_the_worst_outcome_wins() -> None:
    order = [Outcome.PASSED, Outcome.WARNED, Outcome.NOT_CHECKED, Outcome.FAILED]
    for i, bad in enumerate(order):
        assert worst(order[: i + 1]) is bad


def test_manifests_of_the_version_before_stay_readable() -> None:
    plain = json.loads(_manifest().to_json())
    for key in ("target", "leaves_out", "needs", "wal_lsn", "dump_form", "globals_file"):
        del plain[key]
    for table in plain["tables"]:
        del table["server_hash"]
    plain["version"] = 2
    old = Manifest.from_json(json.dumps(plain), label="old")
    assert (old.leaves_out, old.partial_sentence, old.needs, old.target) == (frozenset(), "", None, "")
    with pytest.raises(ManifestError, match="2 or 3"):
        Manifest.from_json(json.dumps({**plain, "version": 1}), label="older")
