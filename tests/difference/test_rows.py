"""Row differences against the obvious way to find them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgaudit_kit.difference import rows as rows_module
from pgaudit_kit.difference.rows import RowPair, compare_rows
from pgaudit_kit.records.difference import Change, RowDifference
from pgaudit_kit.records.table_data import TableName
from tests.fakes import FakeSource

T = TableName("public", "t")
COLUMNS = ("id", "name", "n")
ROW = st.tuples(st.integers(0, 40).map(str), st.sampled_from(["a", "b", "\\N", ""]), st.integers(0, 2).map(str))


def _source(rows: Sequence[tuple[str, ...]]) -> FakeSource:
    return FakeSource(copy_text={T: (COLUMNS, b"".join("\t".join(r).encode() + b"\n" for r in rows))})


def _keyed(rows: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {r[0]: r for r in rows}


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=40), st.lists(ROW, max_size=40))
def test_keyed_differences_are_exactly_those_of_two_dictionaries(left: list[tuple[str, ...]], right: list[tuple[str, ...]]) -> None:
    a, b = _keyed(left), _keyed(right)
    found = list(compare_rows(_source(list(a.values())), _source(list(b.values())), T, COLUMNS, ("id",)))
    assert {(d.status, d.key["id"]) for d in found} == {
        *(("only_left", k) for k in a.keys() - b.keys()),
        *(("only_right", k) for k in b.keys() - a.keys()),
        *(("changed", k) for k in a.keys() & b.keys() if a[k] != b[k]),
    }
    assert len(found) == len({(d.status, d.key["id"]) for d in found})
    mirrored = {"only_left": "only_right", "only_right": "only_left", "changed": "changed"}
    back = list(compare_rows(_source(list(b.values())), _source(list(a.values())), T, COLUMNS, ("id",)))
    assert Counter((mirrored[d.status], d.key["id"]) for d in back) == Counter((d.status, d.key["id"]) for d in found)


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=30), st.lists(ROW, max_size=30))
def test_without_a_key_tables_are_multisets(left: list[tuple[str, ...]], right: list[tuple[str, ...]]) -> None:
    found = list(compare_rows(_source(left), _source(right), T, COLUMNS, ()))
    counts = Counter((d.status, tuple("\\N" if v is None else v for v in d.key.values())) for d in found)
    assert counts == Counter(
        {
            **{("only_left", k): n for k, n in (Counter(left) - Counter(right)).items()},
            **{("only_right", k): n for k, n in (Counter(right) - Counter(left)).items()},
        }
    )


def test_a_changed_row_names_the_column_and_both_values() -> None:
    found = list(compare_rows(_source([("1", "a\\tb", "5")]), _source([("1", "\\N", "5")]), T, COLUMNS, ("id",)))
    assert found == [RowDifference("changed", {"id": "1"}, (Change("name", "a\tb", None),))]


def test_more_differing_rows_than_are_held_at_once_are_found_in_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "BYTES_PER_PASS", 100 * 510)
    left = [(str(i), "a", "0") for i in range(2000)]
    right = [(str(i), "b", "0") for i in range(1000, 3000)]
    counts = Counter(d.status for d in compare_rows(_source(left), _source(right), T, COLUMNS, ("id",)))
    assert counts == {"only_left": 1000, "changed": 1000, "only_right": 1000}


def test_the_longer_the_rows_the_fewer_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "BYTES_PER_PASS", 1 << 20)
    held: list[int] = []
    pair = rows_module._pair

    def measured(surplus: Counter[bytes], columns: Sequence[str], key: Sequence[str]) -> Iterator[RowPair]:
        held.append(sum(map(len, surplus)))
        return pair(surplus, columns, key)

    monkeypatch.setattr(rows_module, "_pair", measured)
    left, right = (_source([(str(i), value * 50_000, "0") for i in range(60)]) for value in "ab")
    assert Counter(d.status for d in compare_rows(left, right, T, COLUMNS, ("id",))) == {"changed": 60}
    assert sum(held) > 60 * 2 * 50_000
    assert max(held) <= 1 << 20
