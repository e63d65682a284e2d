"""What differs between two things that a person names: `pk.diff`, `pgaudit diff`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pgaudit_kit.audits.sources import open_source
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.diff import diff as diff_sources


def diff(left: Any, right: Any, *, schema_only: bool = False) -> Difference:
    """Compare two sources, or what names them: dump, manifest, saved snapshot, target.

    The result reads from both as it is asked; a live one stays connected, read-only, until it is garbage
    collected or closed. Use `open_diff` to close for certain.
    """
    return diff_sources(open_source(left).__enter__(), open_source(right).__enter__(), schema_only=schema_only)


@contextmanager
def open_diff(left: Any, right: Any, *, schema_only: bool = False) -> Iterator[Difference]:
    """As `diff`, closing at the end of the block whatever was opened for it."""
    with ExitStack() as opened:
        yield diff_sources(opened.enter_context(open_source(left)), opened.enter_context(open_source(right)), schema_only=schema_only)
