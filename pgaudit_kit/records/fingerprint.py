"""A table's rows as a multiset, in 128 bits: order does not matter, duplicates do."""

from __future__ import annotations

from dataclasses import dataclass

MODULUS = 1 << 128


@dataclass(frozen=True, slots=True)
class ServerHash:
    """The exact sum of the 64-bit hashes that a server made of `rows` rows (server/row_hashes.py), over the columns of the table.

    `expression`: the SQL that hashed a row. Sums of two servers by the same expression, in databases of one encoding, that are equal prove
    equal rows; others prove nothing.
    """

    rows: int
    total: int
    expression: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`rows` rows whose COPY lines' xxh3_128 values sum to `digest` modulo 2^128."""

    rows: int = 0
    digest: int = 0

    def __add__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint(self.rows + other.rows, (self.digest + other.digest) % MODULUS)

    def __str__(self) -> str:
        return f"{self.digest:032x}"
