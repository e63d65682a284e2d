"""Floats that an older server printed with more digits are the same values all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.float_text import with_plain_floats

_SHORTEST_FLOATS = 12  # the first version that prints floats with as few digits as tell them apart


def same_but_for_floats(
    server_version: str | None, sent: Callable[[], Iterable[bytes]], types: Sequence[str]
) -> Callable[[Iterator[bytes]], bool]:
    """Return what judges rows that were read back: whether they are those *sent*, by a server of *server_version*, but for floats.

    *types* are those of their columns.
    """

    def is_same(read_back: Iterator[bytes]) -> bool:
        if int((server_version or "0").split(".")[0]) >= _SHORTEST_FLOATS:
            return False
        return fingerprint_of(with_plain_floats(read_back, types)) == fingerprint_of(with_plain_floats(sent(), types))

    return is_same
