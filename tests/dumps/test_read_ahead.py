"""Pieces that a thread makes ahead are the same pieces, and the thread never outlives the one who reads."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from pgaudit_kit.dumps.files.read_ahead import read_ahead
from pgaudit_kit.dumps.row_text import without_end_mark
from pgaudit_kit.errors import DamagedDump


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "read-ahead" in thread.name]


@pytest.mark.parametrize("count", [0, 1, 8, 9, 100])
def test_all_pieces_come_in_their_order(count: int) -> None:
    pieces = [b"%d" % n for n in range(count)]
    assert list(read_ahead(iter(pieces))) == pieces
    assert threads() == []


def test_what_breaks_is_raised_behind_the_good_pieces() -> None:
    def broken() -> Iterator[bytes]:
        yield from (b"%d" % n for n in range(20))
        raise DamagedDump("it ends here")

    seen: list[bytes] = []
    with pytest.raises(DamagedDump, match="ends here"):
        seen.extend(read_ahead(broken()))
    assert len(seen) == 20
    assert threads() == []


def test_a_reader_that_stops_early_leaves_no_thread_and_is_only_a_few_ahead() -> None:
    made = itertools.count()
    reader = read_ahead(b"%d" % next(made) for _ in range(1000))
    for _ in range(20):
        next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert threads() == []
    assert next(made) < 30


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 100])
def test_the_end_mark_is_found_wherever_pieces_are_cut(size: int) -> None:
    for rows in (b"", b"\n", b"a\tb\n" * 5, b"\\\\.\n\n\n\n"):
        stored = rows + b"\\.\n\n\n"
        pieces = [stored[i : i + size] for i in range(0, len(stored), size)]
        assert b"".join(without_end_mark(pieces)) == rows
        for cut in range(len(stored)):
            found: list[bytes] = []
            with pytest.raises(DamagedDump, match="end mark"):
                found.extend(without_end_mark([stored[:cut][i : i + size] for i in range(0, cut, size)]))
            assert rows.startswith(b"".join(found)[:-5])


def test_rows_before_a_broken_piece_are_all_given() -> None:
    def broken() -> Iterator[bytes]:
        yield b"1\n2\n"
        yield b"3\n4\n5\n6\n"
        raise DamagedDump("it ends here")

    found: list[bytes] = []
    with pytest.raises(DamagedDump, match="ends here"):
        found.extend(without_end_mark(broken()))
    assert b"".join(found) == b"1\n2\n3\n4\n5\n6\n"
