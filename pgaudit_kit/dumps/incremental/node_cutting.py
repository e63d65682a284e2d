"""Lists of chunks cut into nodes where their content says so, as rows are cut into chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

_FEWEST, _MASK, _MOST = 64, 0xFF, 1024


class _Listed(Protocol):
    @property
    def digest(self) -> bytes: ...


Item = TypeVar("Item", bound=_Listed)


def cut_lists(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """Yield *items* in lists of about 300: each ends behind one whose digest says so."""
    held: list[Item] = []
    for item in items:
        held.append(item)
        if len(held) == _MOST or (len(held) >= _FEWEST and not item.digest[-1] & _MASK):
            yield tuple(held)
            held = []
    if held:
        yield tuple(held)
