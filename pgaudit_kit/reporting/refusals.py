"""What an operation had asked before it refused: its checks are evidence, and an error alone would lose them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pgaudit_kit.display import frames
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.reporting.conclusion import show


@contextmanager
def showing_refusals() -> Iterator[None]:
    """In a notebook: show the checks of an error that has some (a backup or a restore that was refused), and let it go on."""
    from IPython import display

    show_now: Callable[..., None] = display.display
    try:
        yield
    except PgAuditError as error:
        if checks := getattr(error, "checks", ()):
            show_now(show(frames.checks_frame(checks), "What was asked before it was refused"))
        raise
