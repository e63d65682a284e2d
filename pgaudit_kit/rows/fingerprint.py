"""Fingerprint of COPY text: the sum modulo 2^128 of xxh3_128 over each row's line, line end excluded.

Of many rows, the digests are joined and summed by numpy: that takes half the time of adding integers of 128 bits in Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from xxhash import xxh3_128_digest, xxh3_128_intdigest

from pgaudit_kit.records.fingerprint import MODULUS, Fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Digests: TypeAlias = NDArray[np.uint32]
    Hashes: TypeAlias = NDArray[np.uint64]

_FEW_ROWS = 100  # as long as there are never more, numpy need not be loaded


def fingerprint_of(blocks: Iterable[bytes]) -> Fingerprint:
    r"""Return count and fingerprint of *blocks*: whole lines, each ended by \n, in any division and any order."""
    rows = 0
    total = 0
    for block in blocks:
        lines = lines_in(block)
        rows += len(lines)
        total += sum_of(digests_of(lines)) if len(lines) > _FEW_ROWS else sum(map(xxh3_128_intdigest, lines))
    return Fingerprint(rows, total % MODULUS)


def lines_in(block: bytes) -> list[bytes]:
    r"""Return the lines of *block*, each ended by \n, without their ends."""
    lines = block.split(b"\n")
    lines.pop()
    return lines


def digests_of(lines: Sequence[bytes]) -> Digests:
    """Return xxh3_128 of each line as four big-endian numbers of 32 bits, the highest first: shape (lines, 4)."""
    import numpy as np

    return np.frombuffer(b"".join(map(xxh3_128_digest, lines)), ">u4").reshape(-1, 4)


def sum_of(digests: Digests) -> int:
    """Return the sum of *digests* as one number. Exact for up to 2^32 of them: the four parts are added in 64 bits each."""
    import numpy as np

    first, second, third, fourth = map(int, digests.sum(axis=0, dtype=np.uint64))
    return (((first << 32) + second << 32) + third << 32) + fourth


def hashes_of(digests: Digests) -> Hashes:
    """Return the lower 64 bits of each digest: enough to tell the rows of a table apart."""
    import numpy as np

    return np.ascontiguousarray(digests).view(">u8")[:, 1].astype(np.uint64)
