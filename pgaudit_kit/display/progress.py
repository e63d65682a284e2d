"""A bar on standard error while many rows or bytes are read: how far, how fast, and, where the end is known, how long it will take."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

_SECONDS_OF_PATIENCE = 1.0
UNWATCHED = "PGAUDIT_UNWATCHED"
"""Set in the environment when nobody wants a bar: by --quiet, and for a kernel that runs for a report, in whose page it would stay."""


bytes_read: ContextVar[Callable[[int], None] | None] = ContextVar("bytes_read", default=None)
"""Whom a stream of a local file tells how many bytes it gives; asked when it is opened."""


@contextmanager
def reading_file(what: str, size_bytes: Callable[[], int]) -> Iterator[None]:
    """A bar for the block, in which a file of about *size_bytes* is read once."""
    with Progress(what, unit="B", total=size_bytes if _somebody_looks() else None) as bar:
        before = bytes_read.set(bar.add if bar.is_shown else None)
        try:
            yield
        finally:
            bytes_read.reset(before)


class Progress:
    """Counts rows of *what*, or another *unit*. The bar appears after a second, where somebody looks: on a terminal, in a notebook.

    *wanted*: True and False decide otherwise. *total*: about how many there are, asked when there is a bar, which then says the time left.
    """

    def __init__(self, what: str, *, wanted: bool | None = None, unit: str = " rows", total: Callable[[], int] | None = None) -> None:
        self._what = what
        self._unit = unit
        self._total = total
        self._wanted = _somebody_looks() if wanted is None else wanted
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._wanted:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tqdm's, in a notebook without widgets: it takes a bar of text then
                from tqdm.auto import tqdm

                self._bar = tqdm(
                    desc=self._what,
                    unit=self._unit,
                    total=self._total() if self._total else None,
                    unit_scale=True,
                    delay=_SECONDS_OF_PATIENCE,
                    leave=False,
                    file=sys.stderr,
                    dynamic_ncols=True,
                )
        return self

    @property
    def is_shown(self) -> bool:
        """Whether anybody may see it."""
        return self._bar is not None

    def add(self, rows: int) -> None:
        """Say that *rows* more (or bytes, by its unit) are read."""
        if self._bar is not None:
            self._bar.update(rows)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()


def _somebody_looks() -> bool:
    return not os.environ.get(UNWATCHED) and (sys.stderr.isatty() or _in_notebook())


def _in_notebook() -> bool:
    """Whether a kernel runs this: that its package was imported (papermill does so in any process) says nothing."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
