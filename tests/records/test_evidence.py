from __future__ import annotations

import pytest

from pgaudit_kit.errors import ManifestError
from pgaudit_kit.records.evidence import Evidence, Proof

REHEARSED = Evidence(
    proof=Proof.REHEARSED,
    at="2026-11-30T01:02:03+00:00",
    by="dba@host",
    verdict="passed",
    dump_sha256="ab" * 32,
    seconds=1.5,
    server="PostgreSQL 18.1 (wheel)",
    checks=({"id": "rows.counts", "outcome": "passed"},),
)


def test_evidence_is_read_as_it_was_written() -> None:
    assert Evidence.from_json(REHEARSED.to_json(), label="x") == REHEARSED


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", REHEARSED.to_json().replace("evidence", "manifest"), REHEARSED.to_json().replace("rehearsed", "x")]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ManifestError, match="not evidence of this pgaudit") as refused:
        Evidence.from_json(text, label="app.rehearsed.json")
    assert refused.value.resource == "app.rehearsed.json"
