"""A bar on standard error while many rows are read."""

from __future__ import annotations

import os
import sys
import warnings
from types import TracebackType
from typing import Any, Self

_SECONDS_OF_PATIENCE = 1.0
UNWATCHED = "PGAUDIT_UNWATCHED"
"""Set in the environment when nobody wants a bar: by --quiet, and for a kernel that runs for a report, in whose page it would stay."""


class Progress:
    """Counts rows of *what*. The bar appears after a second, and only where somebody looks: on a terminal or in a notebook.

    *wanted*: True and False decide otherwise.
    """

    def __init__(self, what: str, *, wanted: bool | None = None) -> None:
        self._what = what
        self._wanted = _somebody_looks() if wanted is None else wanted
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._wanted:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tqdm's, in a notebook without widgets: it takes a bar of text then
                from tqdm.auto import tqdm

                self._bar = tqdm(
                    desc=self._what,
                    unit=" rows",
                    unit_scale=True,
                    delay=_SECONDS_OF_PATIENCE,
                    leave=False,
                    file=sys.stderr,
                    dynamic_ncols=True,
                )
        return self

    def add(self, rows: int) -> None:
        """Say that *rows* more are read."""
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
