"""Rows of an uncompressed archive, taken by windows, are those that are taken one by one."""

from __future__ import annotations

import io
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.archives.row_chunks import joined_rows


def chunk(row: bytes) -> bytes:
    return struct.pack("<BI", 0, len(row)) + row


_SHORT = st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"") + b"\n")
_ROW = _SHORT | st.sampled_from([9, 10, 255, 2559, 2570]).map(lambda n: b"x" * n + b"\n")


@given(st.lists(_ROW, min_size=1))
def test_rows_of_whole_chunks(rows: list[bytes]) -> None:
    window = b"before" + b"".join(map(chunk, rows))
    found = joined_rows(window, 6)
    if found is None:  # a length that looks like a whole chunk: the slow way is taken
        return
    assert found == (b"".join(rows), len(window))
    cut = joined_rows(window[:-1], 6)
    assert cut is None or cut[0] == b"".join(rows[:-1])


@pytest.mark.parametrize("size", [10, 11, 2560, 2565, 2815, 200, 65536 + 9])
def test_lengths_that_hold_a_line_end_are_no_borders(size: int) -> None:
    rows = [b"%0*d\n" % (size - 1, n) for n in range(50)]
    window = b"".join(map(chunk, rows))
    assert joined_rows(window, 0) == (b"".join(rows), len(window))


def test_chunks_that_are_no_rows_are_left_to_the_slow_way() -> None:
    assert joined_rows(chunk(b"no end") + chunk(b"row\n"), 0) is None
    assert joined_rows(chunk(b"two\nrows\n"), 0) == (b"two\nrows\n", 14)
    assert joined_rows(b"\0" * 5 + b"rest\n", 0) is None
    assert joined_rows(b"\1\5\0\0\0row\n\n", 0) is None


def test_a_cursor_gives_the_same_either_way() -> None:
    dice = random.Random(2)  # noqa: S311
    rows = [dice.randbytes(dice.randrange(400)).replace(b"\n", b" ") + b"\n" for _ in range(20_000)]
    rows[7_000] = dice.randbytes(3_000_000).replace(b"\n", b" ") + b"\n"
    rows[9_000:9_000] = [b"no line end", b"in these two"]
    stored = b"".join(map(chunk, rows)) + bytes(5) + b"behind"
    cursor = ByteCursor(io.BytesIO(stored), resource="x")
    assert b"".join(cursor.chunks()) == b"".join(rows)
    assert cursor.take(6) == b"behind"
