"""What differs between two things that a person names: `pk.diff`, `pgaudit diff`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from pgaudit_kit.audits.sources import open_source
from pgaudit_kit.difference.diff import Difference


def diff(left: Any, right: Any, *, schema_only: bool = False, data_only: bool = False) -> Difference:
    """Compare two sources, or what names them: dump, manifest, saved snapshot, target.

    The result reads from both as it is asked; what was opened for it is closed with it (`with diff(…) as d:` or `d.close()`).
    With *schema_only* rows are neither read nor judged, with *data_only* objects are not.
    Raises the errors of read_dump, load_manifest and snapshot; UsageError when both are asked for.
    """
    with ExitStack() as opened:
        sources = [opened.enter_context(open_source(given)) for given in (left, right)]
        difference = Difference(*sources, schema_only=schema_only, data_only=data_only)
        difference.closing = opened.pop_all()
    return difference
