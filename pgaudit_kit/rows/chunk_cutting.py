"""Rows cut into chunks where their content says so: what is inserted, deleted or changed moves only the borders beside it.

A row's hash says whether a chunk may end behind it; the longer the row, the likelier, so that chunks have the size that is wanted whatever
the rows are like. Before that size few rows may end a chunk, behind it many: sizes differ less, and fewer bytes lie beside a change.
The hashes are those that the fingerprint is made of.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pgaudit_kit.records.fingerprint import MODULUS, Fingerprint
from pgaudit_kit.rows.fingerprint import digests_of, lines_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET_BYTES = 1 << 15
MOST_TARGET_BYTES = 1 << 20
_MANY_CHUNKS = 1 << 15
_SMALLEST, _LARGEST = 4, 4  # a chunk has at least a fourth of the target, at most four times it
_RARER = 4.0  # how much rarer, or more often, than once per target a chunk may end before, or behind, it


class CutRows(NamedTuple):
    """The rows of a chunk, as they came, and their fingerprint."""

    raw: bytes
    fingerprint: Fingerprint


class ChunkCutter:
    """Cuts the rows of one table, given in blocks, into chunks of about *target_bytes*."""

    def __init__(self, target_bytes: int) -> None:
        self._least, self._target, self._most = target_bytes // _SMALLEST, target_bytes, target_bytes * _LARGEST
        self._lines: list[bytes] = []
        self._digests: NDArray[np.uint32] = np.empty((0, 4), ">u4")

    def feed(self, block: bytes, hashed: bytes | None = None) -> Iterator[CutRows]:
        r"""Yield the chunks that are complete with *block*: whole lines, each ended by \n. *hashed*: the same lines in UTF-8."""
        lines = lines_in(block)
        digests = digests_of(lines if hashed is None else lines_in(hashed))
        if self._lines:
            lines = self._lines + lines
            digests = np.concatenate((self._digests, digests))
        yield from self._cut(lines, digests, at_end=False)

    def end(self) -> Iterator[CutRows]:
        """Yield what is left: the last chunk, which may be small."""
        yield from self._cut(self._lines, self._digests, at_end=True)

    def _cut(self, lines: list[bytes], digests: NDArray[np.uint32], *, at_end: bool) -> Iterator[CutRows]:
        """Yield the chunks of *lines*, and keep those that are not decided yet."""
        lengths = np.fromiter(map(len, lines), np.int64, len(lines)) + 1
        ends = np.cumsum(lengths)
        borders = [0, *self._borders(lengths, ends, digests[:, 3].astype(np.float64))]
        if at_end and borders[-1] < len(lines):
            borders.append(len(lines))
        if len(borders) > 1:
            sums = np.add.reduceat(digests, borders[:-1], axis=0, dtype=np.uint64)
            if borders[-1] < len(lines):  # the last sum goes on to the end
                sums[-1] = digests[borders[-2] : borders[-1]].sum(axis=0, dtype=np.uint64)
            for number, (start, end) in enumerate(pairwise(borders)):
                yield CutRows(b"\n".join([*lines[start:end], b""]), Fingerprint(end - start, _number(sums[number])))
        self._lines, self._digests = lines[borders[-1] :], digests[borders[-1] :]

    def _borders(self, lengths: NDArray[np.int64], ends: NDArray[np.int64], hashes: NDArray[np.float64]) -> Iterator[int]:
        """Yield the number of the row behind each chunk that is decided. *ends*: at which byte each row ends."""
        chance = lengths * (2.0**32 / self._target)
        rare, often = (np.flatnonzero(hashes < chance * factor) for factor in (1 / _RARER, _RARER))
        rows = _Rows(lengths, ends, rare, ends[rare], often, ends[often])
        start, begin = 0, 0
        while start < len(ends) and (border := self._border(start, begin, rows)) is not None:
            yield border
            start, begin = border, int(ends[border - 1])

    def _border(self, start: int, begin: int, rows: _Rows) -> int | None:
        """The row behind the chunk that begins with row *start*, at byte *begin*; None when rows that are to come decide it."""
        if rows.lengths[start] > self._most:
            return start + 1
        at = bisect_left(rows.rare_ends, begin + self._least)
        if at < len(rows.rare) and rows.rare_ends[at] < begin + self._target:
            return int(rows.rare[at]) + 1
        at = bisect_left(rows.often_ends, begin + self._target)
        if at < len(rows.often) and rows.often_ends[at] <= begin + self._most:
            return int(rows.often[at]) + 1
        if rows.ends[-1] > begin + self._most:
            return bisect_right(rows.ends, begin + self._most)
        return None


class _Rows(NamedTuple):
    """Rows by number: how long they are and at which byte they end; those that may end a chunk, rarely or often, and where these end."""

    lengths: NDArray[np.int64]
    ends: NDArray[np.int64]
    rare: NDArray[np.int64]
    rare_ends: NDArray[np.int64]
    often: NDArray[np.int64]
    often_ends: NDArray[np.int64]


def target_for(chunks: int, target_bytes: int) -> int:
    """The target of the next backup of a table that has *chunks* of *target_bytes* now: doubled as its list outgrows 32,768."""
    while chunks > _MANY_CHUNKS and target_bytes < MOST_TARGET_BYTES:
        target_bytes *= 2
        chunks //= 2
    return target_bytes


def _number(parts: NDArray[np.uint64]) -> int:
    first, second, third, fourth = map(int, parts)
    return ((((first << 32) + second << 32) + third << 32) + fourth) % MODULUS
