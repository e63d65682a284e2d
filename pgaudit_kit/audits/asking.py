"""Asking without losing a check: what stops one question does not stop the others."""

from __future__ import annotations

from collections.abc import Callable

from pgaudit_kit.errors import PgAuditError, hide_secrets
from pgaudit_kit.records.questions.registry import explain
from pgaudit_kit.records.verdict import Check, Outcome

_REPORT = "Please report it: this was not foreseen."


def ask(check_id: str, answer: Callable[[], Check]) -> Check:
    """Return *answer()*; when it cannot be given, for whatever reason, a `not_checked` Check that says why."""
    (check,) = ask_if_any(check_id, answer)
    return check


def ask_if_any(check_id: str, answer: Callable[[], Check | None]) -> tuple[Check, ...]:
    """As `ask`, of what may turn out to be no question at all: where *answer()* is None there is no check."""
    try:
        check = answer()
    except PgAuditError as error:
        check = not_checked(check_id, error.message, error.remedy)
    except Exception as error:  # noqa: BLE001  # the others are asked all the same, and this one has not passed
        check = not_checked(check_id, hide_secrets(f"it could not be asked: {type(error).__name__}: {error}"), _REPORT)
    return () if check is None else (check,)


def not_checked(check_id: str, why: str, remedy: str = "") -> Check:
    """The check that says *why* nobody knows."""
    return Check(check_id, explain(check_id).sentence, Outcome.NOT_CHECKED, found=why, remedy=remedy)
