"""Run a notebook with papermill, to its end or to the cell that fails; either way the notebook comes back."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from pgaudit_kit import errors
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.reporting.parameters import parse_notebook

_START_SECONDS: Final = 180  # a kernel on a busy machine; papermill's 60 are not always enough
_OUTPUT_SECONDS: Final = 180  # how far outputs may lag behind the end of a cell, for the same reason
_TRACEBACK_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Failure:
    """The cell that stopped a notebook: the heading it stands under, its source, and the error."""

    heading: str
    source: str
    error_type: str
    message: str
    traceback: str = ""

    @property
    def is_ours(self) -> bool:
        """True for an error that this package raised on purpose: its message says what is wrong and what to do."""
        return self._kind is not None

    @property
    def is_a_finding(self) -> bool:
        """True for an error of ours that is the answer to what was asked: the backup itself is bad."""
        return self._kind is not None and self._kind.exit_code == 1

    @property
    def _kind(self) -> type[PgAuditError] | None:
        kind = getattr(errors, self.error_type, None)
        return kind if isinstance(kind, type) and issubclass(kind, PgAuditError) else None

    @property
    def said(self) -> str:
        """Type and message on one line."""
        return f"{self.error_type}: {self.message}" if self.message else self.error_type


def execute(notebook: Any, parameters: Mapping[str, Any]) -> tuple[Any, Failure | None]:
    """Run *notebook* (an nbformat node) in a kernel of this interpreter, in the current folder.

    Returns the executed notebook and what stopped it, None when it ran to its end. papermill writes its notebook cell by
    cell; that goes to a private folder that is gone at the end, because it may hold what is still to be hidden.
    """
    from papermill import PapermillExecutionError, execute_notebook

    from pgaudit_kit.reporting.kernel import own_kernel_manager

    logging.getLogger("papermill").addHandler(logging.NullHandler())  # what goes wrong is returned; Python would print it too
    with TemporaryDirectory(prefix="pgaudit-report-", ignore_cleanup_errors=True) as folder:
        private = Path(folder)
        written = private / "executed.ipynb"
        try:
            executed = execute_notebook(
                notebook,
                str(written).replace("{", "{{").replace("}", "}}"),  # papermill formats its paths with the parameters
                parameters=dict(parameters),
                progress_bar=False,
                start_timeout=_START_SECONDS,
                kernel_manager_class=own_kernel_manager(private),
                iopub_timeout=_OUTPUT_SECONDS,
            )
        except PapermillExecutionError as error:
            executed = parse_notebook(written.read_text(encoding="utf-8"))
            return executed, _failure(executed, error)
        except (RuntimeError, TimeoutError) as error:  # nbclient's: the kernel died, or never answered
            executed = parse_notebook(written.read_text(encoding="utf-8")) if written.exists() else notebook
            return executed, _interrupted(executed, error)
    return executed, None


def _failure(executed: Any, error: Any) -> Failure:
    index = _last(executed.cells, lambda cell: cell.metadata.get("papermill", {}).get("exception") is True)
    traceback = _TRACEBACK_COLOURS.sub("", "\n".join(error.traceback))
    return Failure(_heading_above(executed.cells, index), error.source, error.ename, error.evalue, traceback)


def _interrupted(executed: Any, error: Exception) -> Failure:
    """The kernel is gone and told nothing: the cell is the last that was begun."""
    index = _last(executed.cells, lambda cell: cell.cell_type == "code" and cell.metadata.get("papermill", {}).get("start_time"))
    source = executed.cells[index].source if index < len(executed.cells) else ""
    return Failure(_heading_above(executed.cells, index), source, type(error).__name__, str(error))


def _last(cells: Any, wanted: Callable[[Any], Any]) -> int:
    return max((i for i, cell in enumerate(cells) if wanted(cell)), default=len(cells))


def _heading_above(cells: Any, index: int) -> str:
    for cell in reversed(cells[:index]):
        found = re.findall(r"^#+\s+(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
        if found:
            return str(found[-1])
    return ""
