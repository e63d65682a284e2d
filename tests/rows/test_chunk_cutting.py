"""Rows are cut where their content says so: nothing is lost, and a change touches only its neighbours."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.rows.chunk_cutting import ChunkCutter, CutRows, target_for
from pgaudit_kit.rows.fingerprint import fingerprint_of

TARGET = 1 << 15


def cut(rows: Iterable[bytes], target: int = TARGET, block_rows: int = 997) -> list[CutRows]:
    cutter = ChunkCutter(target)
    rows = list(rows)
    found: list[CutRows] = []
    for at in range(0, len(rows), block_rows):
        found += cutter.feed(b"".join(rows[at : at + block_rows]))
    return [*found, *cutter.end()]


def rows_of(count: int, seed: int = 1, width: tuple[int, int] = (20, 160)) -> list[bytes]:
    dice = random.Random(seed)  # noqa: S311
    return [b"%d\t%s\n" % (n, dice.randbytes(dice.randint(*width) // 2).hex().encode()) for n in range(count)]


@given(st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"") + b"\n"), max_size=200), st.integers(1, 50))
def test_chunks_are_the_rows_in_their_order_whatever_blocks_they_came_in(rows: list[bytes], block_rows: int) -> None:
    found = cut(rows, 128, block_rows)
    assert b"".join(c.raw for c in found) == b"".join(rows)
    assert found == cut(rows, 128, 1)
    for chunk in found:
        assert chunk.fingerprint == fingerprint_of([chunk.raw])
        assert chunk.raw.endswith(b"\n")
        assert len(chunk.raw) <= 512 or chunk.fingerprint.rows == 1


def test_chunks_have_the_size_that_is_wanted() -> None:
    for width in ((10, 30), (80, 120), (400, 4000)):
        sizes = [len(c.raw) for c in cut(rows_of(2_000_000 // sum(width) * 2, width=width))]
        assert TARGET * 0.6 < sum(sizes) / len(sizes) < TARGET * 1.4, width
        assert min(sizes[:-1]) >= TARGET // 4
        assert max(sizes) <= TARGET * 4


def test_a_row_longer_than_a_chunk_is_one_alone() -> None:
    rows = rows_of(100)
    rows[50:50] = [b"x" * (TARGET * 5) + b"\n"]
    found = [c for c in cut(rows) if b"x" * 9 in c.raw]
    assert [(c.fingerprint.rows, len(c.raw)) for c in found] == [(1, TARGET * 5 + 1)]


def test_rows_that_are_all_alike_are_cut_at_the_most() -> None:
    found = cut([b"the same\n"] * 50_000)
    assert sum(c.fingerprint.rows for c in found) == 50_000
    assert len(set(found)) <= 2


def test_no_rows_are_no_chunks() -> None:
    assert cut([]) == []


def _inserted(rows: list[bytes]) -> list[bytes]:
    return [*rows[:17_000], b"a new row\n", *rows[17_000:]]


def _deleted(rows: list[bytes]) -> list[bytes]:
    return rows[:9_000] + rows[9_001:]


def _changed(rows: list[bytes]) -> list[bytes]:
    return [*rows[:3_000], b"changed " + rows[3_000], *rows[3_001:]]


@pytest.mark.parametrize("change", [_inserted, _deleted, _changed])
def test_one_changed_row_touches_only_its_neighbours(change: Callable[[list[bytes]], list[bytes]]) -> None:
    rows = rows_of(30_000)
    before = cut(rows)
    after = cut(change(rows))
    new = set(after) - set(before)
    assert len(before) > 60
    assert 1 <= len(new) <= 4
    total = Fingerprint()
    for chunk in after:
        total += chunk.fingerprint
    assert total == fingerprint_of(change(rows))


def test_what_is_appended_leaves_all_before_the_last_chunk() -> None:
    rows = rows_of(20_000)
    before, after = cut(rows), cut([*rows, *rows_of(500, seed=2)])
    assert after[: len(before) - 1] == before[:-1]


def test_chunks_are_larger_in_tables_of_many() -> None:
    assert target_for(32_768, TARGET) == TARGET
    assert target_for(32_769, TARGET) == 2 * TARGET
    assert target_for(200_000, TARGET) == 8 * TARGET
    assert target_for(10**9, TARGET) == 1 << 20
