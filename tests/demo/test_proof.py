"""A comparison is held against the incident's record: what is missing from either side is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.demo.incident import Row
from pgaudit_kit.demo.proof import Proof, prove_found
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.records.difference import Change
from pgaudit_kit.server.snapshot import snapshot
from tests.demo.conftest import Broken


@pytest.fixture(scope="module")
def difference(broken: Broken) -> Iterator[Difference]:
    """Before and after, both read live; worked out once for all tests."""
    with snapshot(broken.before) as before, snapshot(broken.after) as after:
        yield diff(before, after)


def test_two_live_databases_differ_by_exactly_the_incident(broken: Broken, difference: Difference) -> None:
    proof = prove_found(difference, broken.incident)
    assert (proof.missed, proof.unexpected) == ((), ())
    assert proof.holds
    assert proof.sentence == f"exactly the {broken.incident.changes:,} changes played were found"


def test_a_change_that_is_not_found_is_named(broken: Broken, difference: Difference) -> None:
    claimed = replace(broken.incident, deleted=(*broken.incident.deleted, Row("users", "17")))
    proof = prove_found(difference, claimed)
    assert proof.missed == ("only_left row id 17 of public.users",)
    assert not proof.holds
    assert "missed: only_left row id 17 of public.users" in proof.sentence


def test_a_change_that_was_not_played_is_named(broken: Broken, difference: Difference) -> None:
    forgotten = replace(broken.incident, added=broken.incident.added[1:])
    proof = prove_found(difference, forgotten)
    assert f"only_right row id {broken.incident.added[0].key} of public.messages" in proof.unexpected
    assert proof.missed == ()
    assert not proof.holds


def test_a_wrong_value_counts_as_missed_and_as_unexpected(broken: Broken, difference: Difference) -> None:
    edit = broken.incident.edited[0]
    lie = replace(edit, changes=(Change(edit.changes[0].attribute, edit.changes[0].left, "something else"), *edit.changes[1:]))
    proof = prove_found(difference, replace(broken.incident, edited=(lie, *broken.incident.edited[1:])))
    assert (len(proof.missed), len(proof.unexpected)) == (1, 1)
    assert "'something else'" in proof.missed[0]


def test_an_object_with_other_changes_is_named(broken: Broken, difference: Difference) -> None:
    lie = replace(broken.incident.default_changed, after="'EDITOR'::public.\"UserRole\"")
    proof = prove_found(difference, replace(broken.incident, default_changed=lie))
    assert [m.split(" (")[0] for m in (*proof.missed, *proof.unexpected)] == ["changed TABLE public.users"] * 2


def test_rows_that_were_not_compared_are_no_proof(broken: Broken) -> None:
    with snapshot(broken.before) as before, snapshot(broken.after) as after:
        proof = prove_found(diff(before, after, schema_only=True), broken.incident)
    assert not proof.holds
    assert any("not compared: rows" in u for u in proof.unexpected)


def test_nothing_played_is_no_proof() -> None:
    assert not Proof(0, (), ()).holds
