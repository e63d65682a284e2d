r"""Counting the lines and tabs of COPY text and looking for its end mark, near the speed of memory.

`bytes.count` and `bytes.find` look at one byte at a time (1 to 2 GB/s); numpy's comparisons use vector instructions (10 GB/s).
Their results go into one array that is used again and again: a fresh one for every block costs more, in page faults, than the
counting. Loading numpy takes as long as counting 64 MiB without it, so a dump of small tables never loads it.
"""

from __future__ import annotations

import sys
from typing import Any

_TAB, _NEWLINE = b"\t\n"
_SMALL = 1 << 15
_AT_ONCE = 1 << 17  # with the array of results it fits the second-level cache, with room for whoever fills the block
_LOADING_PAYS = 1 << 25
_BACKSLASH_PERIOD = int.from_bytes(b"\\.", "little")


class RowCounter:
    """How many lines, tabs and bytes of COPY text were added."""

    def __init__(self) -> None:
        self.rows = 0
        self.tabs = 0
        self.size_bytes = 0
        self._marks: Any = None  # a numpy array of bool, as long as the longest block so far

    def add(self, block: bytes | bytearray, start: int, end: int) -> None:
        """Count `block[start:end]`."""
        self.size_bytes += end - start
        if not self._uses_numpy(end - start):
            self.rows += block.count(_NEWLINE, start, end)
            self.tabs += block.count(_TAB, start, end)
            return
        import numpy as np

        for at in range(start, end, _AT_ONCE):
            values = np.frombuffer(block, np.uint8, min(_AT_ONCE, end - at), at)
            marks = self._marks_of(len(values))
            self.rows += int(np.count_nonzero(np.equal(values, _NEWLINE, out=marks)))
            self.tabs += int(np.count_nonzero(np.equal(values, _TAB, out=marks)))

    def find_end_mark(self, block: bytes | bytearray, start: int, end: int) -> int:
        r"""Return the index of the next `\.` behind a line end in `block[start:end]`, -1 without one. What follows it is not looked at."""
        if self._uses_numpy(end - start) and not self._holds_backslash_period(block, start, end):
            return -1
        return block.find(b"\n\\.", start, end) + 1 or -1

    def _uses_numpy(self, size: int) -> bool:
        return size >= _SMALL and (self._marks is not None or "numpy" in sys.modules or self.size_bytes >= _LOADING_PAYS)

    def _holds_backslash_period(self, block: bytes | bytearray, start: int, end: int) -> bool:
        r"""Whether `\.` is anywhere in the block: rare in data, and found by comparing two bytes at once, at both alignments."""
        import numpy as np

        for begin in (start, start + 1):
            pairs = np.frombuffer(block, "<u2", (end - begin) // 2, begin)
            if np.equal(pairs, _BACKSLASH_PERIOD, out=self._marks_of(len(pairs))).any():
                return True
        return False

    def _marks_of(self, size: int) -> Any:
        import numpy as np

        if self._marks is None or len(self._marks) < size:
            self._marks = np.empty(size, bool)
        return self._marks[:size]
