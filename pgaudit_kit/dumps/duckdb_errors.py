"""What DuckDB says of SQL that it cannot run, as an error of this package."""

from __future__ import annotations

import re

from pgaudit_kit.errors import PgAuditError, UsageError

_PREFIX = re.compile(r"^(?:[A-Z]\w+ )+Error: ")
_POINTER = re.compile(r"\n\s*\nLINE .*", re.DOTALL)
_GUESS = re.compile(
    r"\s*(?:Did you mean|Candidate bindings|Candidate Entries|Candidate functions).*", re.DOTALL
)  # our own names among them


def usage_error(error: Exception, resource: str, remedy: str) -> PgAuditError:
    """Return the error that tells of *error*: the caller's SQL is wrong, or the machine is too small for it (no UsageError then)."""
    import duckdb

    text = _GUESS.sub("", _POINTER.sub("", _PREFIX.sub("", str(error)))).strip()
    if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
        return PgAuditError(
            f"DuckDB cannot go on: {text}", resource=resource, remedy="Make room in the folder for temporary files (TMPDIR)."
        )
    return UsageError(f"DuckDB cannot run this SQL: {text}", resource=resource, remedy=remedy)
