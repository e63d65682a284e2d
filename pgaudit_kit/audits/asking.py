"""Asking without losing a check: what stops one question does not stop the others."""

from __future__ import annotations

from collections.abc import Callable

from pgaudit_kit.errors import PgAuditError, hide_secrets
from pgaudit_kit.records.questions.registry import explain
from pgaudit_kit.records.verdict import Check, Outcome

_REPORT = "Please report it: this was not foreseen."


def ask(check_id: str, answer: Callable[[], Check]) -> Check:
    """Return *answer()*; when it cannot be given, for whatever reason, a `not_checked` Check that says why."""
    try:
        return answer()
    except PgAuditError as error:
        return not_checked(check_id, error.message, error.remedy)
    except Exception as error:  # noqa: BLE001  # the others are asked all the same, and this one has not passed
        return not_checked(check_id, hide_secrets(f"it could not be asked: {type(error).__name__}: {error}"), _REPORT)


def not_checked(check_id: str, why: str, remedy: str = "") -> Check:
    """The check that says *why* nobody knows."""
    return Check(check_id, explain(check_id).sentence, Outcome.NOT_CHECKED, found=why, remedy=remedy)
