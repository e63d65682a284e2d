"""What is told of a store: the frame, the JSON, the metrics as Prometheus' own parser reads them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pgaudit_kit.display.frames import SCHEMAS
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.store.list_backups import Listing, backups, list_store
from pgaudit_kit.operations.store.metrics import metrics_text, write_metrics
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.retention import Retention
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.records.verdict import Outcome
from tests.operations.store.conftest import AT, put, rehearsed

Samples = dict[str, dict[str, float]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / 'a "store"\\', create=True)


def samples_of(listing: Listing) -> Samples:
    """By metric and target (and verdict) the value."""
    found: Samples = {}
    for family in text_string_to_metric_families(metrics_text(listing)):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            key = " ".join(v for k, v in sample.labels.items() if k in ("target", "verdict"))
            found.setdefault(sample.name, {})[key] = sample.value
            assert sample.labels["store"] == listing.store.label
    return found


def test_the_frame_has_a_row_for_each_backup_newest_first(store: Store) -> None:
    put(store, AT, content=b"123456", suffix=".sql")
    put(store, AT + timedelta(days=1), verdict=Outcome.WARNED)
    store.write_evidence(store.backups()[1], rehearsed(store.backups()[1].sha256))
    put(store, AT + timedelta(days=2), verdict=Outcome.NOT_CHECKED)
    put(store, AT + timedelta(days=3))
    store.write_text("app-20260203T120509Z.dump", "cut")
    found = backups(store, keep=Retention(last=1))
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == dict(SCHEMAS["backups"])
    assert list(found["when"]) == [AT + timedelta(days=n) for n in (3, 2, 1, 0)]
    assert list(found["format"]) == ["custom", "custom", "custom", "plain"]
    assert list(found["verdict"]) == ["failed", "not_checked", "warned", "passed"]
    assert list(found["verified"]) == ["passed", "not_checked", "warned", "passed"]
    assert list(found["rehearsed"].fillna("")) == ["", "", "passed", ""]
    assert list(found["kept_by"].fillna("")) == ["damaged: look at it, then delete it yourself", "last 1", "newest proven", ""]
    assert found["size_bytes"].iloc[3] == 6
    assert found["rows"].iloc[3] == 7
    assert (datetime.now(UTC) - (found["when"] + found["age"])).abs().max() < timedelta(minutes=1)
    assert found["location"].iloc[3] == str(Path(store.label) / "app-20260131T120509Z.sql")


def test_an_empty_store_has_a_frame_of_the_same_columns(store: Store) -> None:
    found = backups(store)
    assert len(found) == 0
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == dict(SCHEMAS["backups"])
    with pytest.raises(UsageError):
        backups(store.label + "/nowhere")


def test_the_json_has_the_same_and_the_proofs(store: Store) -> None:
    put(store)
    store.write_text("x", "y")
    told = list_store(store).to_dict()
    (backup,) = told["backups"]
    assert set(backup) == {
        *(
            "backup",
            "target",
            "database",
            "when",
            "age_seconds",
            "size_bytes",
            "rows",
            "seconds",
            "format",
            "selection",
            "portable",
            "sha256",
        ),
        *("verified", "rehearsed", "verdict", "kept_by"),
    }
    assert backup["verified"].keys() == {"verdict", "at", "by", "server", "seconds"}
    assert backup["rehearsed"] is None
    assert told["strays"] == [{"name": "x", "kind": "foreign", "reason": "was not written by pgaudit"}]


def test_metrics_tell_the_age_of_the_newest_and_of_the_newest_proven(store: Store) -> None:
    put(store, AT, content=b"12345678")
    put(store, AT + timedelta(days=1), verdict=Outcome.NOT_CHECKED, content=b"123")
    put(store, AT, database='b"\\\nc', verdict=Outcome.NOT_CHECKED)
    store.write_text("app-20260101T000000Z.dump", "no manifest")
    listing = list_store(store)
    found = samples_of(listing)
    app, strange = "app (db.example:5432/app)", 'b_c (db.example:5432/b"\\\nc)'
    now = listing.now.timestamp()
    assert found["pgaudit_backup_timestamp_seconds"] == {app: (AT + timedelta(days=1)).timestamp(), strange: AT.timestamp()}
    assert found["pgaudit_backup_proven_timestamp_seconds"] == {app: AT.timestamp(), strange: 0}
    assert found["pgaudit_backup_age_seconds"][app] == pytest.approx(now - AT.timestamp() - 24 * 3600, abs=0.01)
    assert found["pgaudit_backup_proven_age_seconds"] == {app: pytest.approx(now - AT.timestamp(), abs=0.01), strange: math.inf}
    assert found["pgaudit_backup_size_bytes"][app] == 3
    assert found["pgaudit_backup_duration_seconds"][app] == 1.5
    assert {k: v for k, v in found["pgaudit_backup_verdict"].items() if k.startswith(app)} == {
        f"{app} {word}": float(word == "not_checked") for word in ("passed", "warned", "not_checked", "failed")
    }
    assert found["pgaudit_store_backups"] == {"": 3}
    assert found["pgaudit_store_problems"] == {"": 1}


def test_metrics_of_an_empty_store_say_so(store: Store) -> None:
    assert samples_of(list_store(store)) == {"pgaudit_store_backups": {"": 0}, "pgaudit_store_problems": {"": 0}}


def test_metrics_replace_the_file_that_a_collector_reads_in_one_step(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "pgaudit.prom"
    file.write_text("old")
    with file.open() as reader:
        write_metrics(list_store(store), file)
        assert reader.read() == "old"  # another file has the name now
    assert "pgaudit_store_backups" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    assert {p.name for p in tmp_path.iterdir()} == {file.name, Path(store.label).name}
