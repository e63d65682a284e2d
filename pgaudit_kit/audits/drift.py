"""What differs between two things that a person names: `pk.diff`, `pgaudit diff`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from pgaudit_kit.audits.sources import open_source
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.objects import checked_ignore
from pgaudit_kit.difference.rows import ROWS_LISTED
from pgaudit_kit.difference.selection import Selection


def diff(
    left: Any,
    right: Any,
    *,
    schema_only: bool = False,
    data_only: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    ignore: Sequence[str] = (),
    limit: int = ROWS_LISTED,
    progress: bool | None = None,
) -> Difference:
    """Compare two sources, or what names them: dump, manifest, saved snapshot, target.

    The result reads from both as it is asked; what was opened for it is closed with it (`with diff(…) as d:` or `d.close()`).
    With *schema_only* rows are neither read nor judged, with *data_only* objects are not. *include* and *exclude* are patterns
    as pg_dump's (`name`, `schema.name`, `schema.*`): tables with all that belongs to them, and other objects. *ignore* names
    attributes that are not compared (owner, acl, comment, tablespace, column-order …).
    All rows that differ are counted, and up to *limit* of each table listed. *progress*: a bar on standard error while rows are read for
    more than a second; None: on a terminal and in a notebook.
    Raises the errors of read_dump, load_manifest and snapshot; UsageError for options that cannot be meant.
    """
    selection, ignored = Selection.of(include, exclude), checked_ignore(ignore)
    with ExitStack() as opened:
        sources = [opened.enter_context(open_source(given)) for given in (left, right)]
        difference = Difference(
            *sources,
            schema_only=schema_only,
            data_only=data_only,
            selection=selection,
            ignore=ignored,
            limit=limit,
            progress=progress,
        )
        difference.closing = opened.pop_all()
    return difference
