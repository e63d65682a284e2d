"""What two incremental backups share of a table: chunks that are in both lists hold the same rows, so neither side need be read there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgaudit_kit.difference.partitions_as_one import giver
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.records.chunks import Chunk
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

if TYPE_CHECKING:
    from pgaudit_kit.difference.row_matching import Blocks


@dataclass(frozen=True, slots=True)
class Unshared:
    """The rows of each side that do not lie in shared chunks, and the fingerprint of those that do."""

    left: Blocks
    right: Blocks
    shared: Fingerprint


def unshared(left: Source, right: Source, name: TableName, columns: Sequence[str]) -> Unshared | None:
    """What is to be read of *name* on either side; None where a side does not consist of chunks, or may print values otherwise.

    Chunks are taken as multisets, as rows are: what is shared has as many equal rows on both sides. Raises DamagedDump.
    """
    ones, others = giver(left, name), giver(right, name)
    if not (isinstance(ones, Dump) and isinstance(others, Dump)) or ones.told.encoding != others.told.encoding:
        return None
    first, second = ones.chunk_lists(name), others.chunk_lists(name)
    own = ones.table_data[name].columns
    if first is None or second is None or own != others.table_data[name].columns:
        return None
    nodes = _common(first.nodes, second.nodes)
    mine, theirs = (list(side.chunks(_without(side.nodes, nodes))) for side in (first, second))
    chunks = _common(mine, theirs)
    shared = _sum_of(first.nodes, nodes) + _sum_of(mine, chunks)
    left_rest, right_rest = tuple(_without(mine, chunks)), tuple(_without(theirs, chunks))
    wanted = None if tuple(columns) == own else tuple(columns)
    return Unshared(
        lambda: ones.rows_of_chunks(name, left_rest, wanted),
        lambda: others.rows_of_chunks(name, right_rest, wanted),
        shared if wanted is None else Fingerprint(shared.rows),  # over other columns it is another one, the same on both sides
    )


def _common(left: Iterable[Chunk], right: Iterable[Chunk]) -> Counter[bytes]:
    return Counter(c.digest for c in left) & Counter(c.digest for c in right)


def _without(chunks: Iterable[Chunk], common: Counter[bytes]) -> Iterator[Chunk]:
    """*chunks* without as many of each as *common* says."""
    left_out = common.copy()
    for chunk in chunks:
        if left_out[chunk.digest]:
            left_out[chunk.digest] -= 1
        else:
            yield chunk


def _sum_of(chunks: Iterable[Chunk], common: Counter[bytes]) -> Fingerprint:
    """The fingerprint of those of *chunks* that are *common*."""
    by_digest = {chunk.digest: chunk.fingerprint for chunk in chunks}
    total = Fingerprint()
    for digest, times in common.items():
        found = by_digest[digest]
        total += Fingerprint(found.rows * times, found.digest * times)
    return total
