"""What DuckDB says of SQL that it cannot run, as an error of this package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pgaudit_kit.errors import PgAuditError, UsageError

_PREFIX = re.compile(r"^(?:[A-Z]\w+ )+Error: ")
_POINTER = re.compile(r"\n\s*\nLINE .*", re.DOTALL)
# our own names are among its guesses
_GUESS = re.compile(r"\s*(?:Did you mean|Candidate bindings|Candidate Entries|Candidate functions).*", re.DOTALL)


@contextmanager
def duckdb_sql(resource: str, remedy: str = "") -> Iterator[None]:
    """Let DuckDB work inside: what is wrong with the caller's SQL is raised as UsageError with that *remedy*, when it is given.

    A machine that is too small for it raises PgAuditError. Ctrl-C, which DuckDB turns into errors of its own, is KeyboardInterrupt.
    """
    import duckdb

    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        hint = "Make room in the folder for temporary files (TMPDIR)."
        raise PgAuditError(f"DuckDB cannot go on: {_sentence(error)}", resource=resource, remedy=hint) from error
    except duckdb.Error as error:
        if not remedy:
            raise
        raise UsageError(f"DuckDB cannot run this SQL: {_sentence(error)}", resource=resource, remedy=remedy) from error
    except RuntimeError as error:
        if "interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise


def check_text(sql: str, resource: str) -> None:
    """Raise UsageError for SQL that DuckDB cannot take, because it holds bytes that are no UTF-8 (PEP 383)."""
    try:
        sql.encode("utf-8")
    except UnicodeEncodeError as error:
        remedy = r"Where names hold such bytes, write each as \xNN, in double quotes."
        raise UsageError("the SQL holds bytes that are no UTF-8", resource=resource, remedy=remedy) from error


def _sentence(error: Exception) -> str:
    return _GUESS.sub("", _POINTER.sub("", _PREFIX.sub("", str(error)))).strip().rstrip("!")
