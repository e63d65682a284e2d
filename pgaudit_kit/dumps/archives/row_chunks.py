"""Chunks of an uncompressed archive that hold one row each, as pg_dump writes them: their rows, by whole windows instead of one by one.

A chunk is a sign (0), a length of four bytes, and a row that ends with a line end. So chunks begin behind line ends; those bytes of
lengths that look like one are told by what follows. Only when each chunk begins exactly where the one before ends is the window such.
"""

from __future__ import annotations

_HEAD = 5
_LINE_END = 10


def joined_rows(window: bytes, at: int) -> tuple[bytes, int] | None:
    """Return the rows of all chunks that are whole in *window* from *at* on, joined, and where they end; None when they are not as said."""
    import numpy as np

    data = np.frombuffer(window, np.uint8)[at:]
    begins = np.flatnonzero(data == _LINE_END) + 1
    begins = np.concatenate((np.zeros(1, begins.dtype), begins[begins + _HEAD < len(data)]))
    begins = begins[data[begins] == 0]
    sizes = sum(data[begins + byte].astype(np.int64) << (8 * byte - 8) for byte in range(1, _HEAD))
    ends = begins + _HEAD + sizes
    whole = (ends <= len(data)) & (sizes > 0)
    begins, ends = begins[whole], ends[whole]
    is_row = data[ends - 1] == _LINE_END
    begins, ends = begins[is_row], ends[is_row]
    if not len(begins) or begins[0] or (begins[1:] != ends[:-1]).any():
        return None
    end = int(ends[-1])
    keep = np.ones(end, bool)
    for byte in range(_HEAD):
        keep[begins + byte] = False
    return data[:end][keep].tobytes(), at + end
