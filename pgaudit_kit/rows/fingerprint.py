"""Fingerprint of COPY text: the sum modulo 2^128 of xxh3_128 over each row's line, line end excluded."""

from __future__ import annotations

from collections.abc import Iterable

from xxhash import xxh3_128_intdigest

from pgaudit_kit.records.fingerprint import MODULUS, Fingerprint


def fingerprint_of(blocks: Iterable[bytes]) -> Fingerprint:
    r"""Return count and fingerprint of *blocks*: whole lines, each ended by \n, in any division and any order."""
    rows = 0
    digest = 0
    for block in blocks:
        lines = block.split(b"\n")
        lines.pop()
        rows += len(lines)
        digest += sum(map(xxh3_128_intdigest, lines))
    return Fingerprint(rows, digest % MODULUS)
