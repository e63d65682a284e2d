"""Asking without losing a check: what stops one question does not stop the others."""

from __future__ import annotations

from collections.abc import Callable

from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.verdict import Check, Outcome


def ask(check_id: str, question: str, answer: Callable[[], Check]) -> Check:
    """Return *answer()*; when it cannot be given, a `not_checked` Check that says why."""
    try:
        return answer()
    except PgAuditError as error:
        return Check(check_id, question, Outcome.NOT_CHECKED, found=error.message, remedy=error.remedy)
