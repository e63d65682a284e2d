"""Check → finding → verdict: one question asked, what was found, and how bad it is. The worst outcome wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Listed from best to worst; `failed` outranks `not_checked`, because a proven fault is news whatever else is unknown."""

    PASSED = "passed"
    WARNED = "warned"
    NOT_CHECKED = "not_checked"
    FAILED = "failed"


_ORDER = list(Outcome)
EXIT_CODES = {Outcome.PASSED: 0, Outcome.WARNED: 0, Outcome.FAILED: 1, Outcome.NOT_CHECKED: 3}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of *outcomes*; of none at all, `not_checked`: nothing compared is never green."""
    return max(outcomes, key=_ORDER.index, default=Outcome.NOT_CHECKED)


@dataclass(frozen=True)
class Check:
    """The answer to one question.

    `id` is stable (`rows.fingerprint`), `question` a sentence, `compared` how many things were looked at,
    `found` and `expected` short texts, `evidence` one mapping per finding, `remedy` what to do next.
    """

    id: str
    question: str
    outcome: Outcome
    expected: str = ""
    found: str = ""
    compared: int = 0
    remedy: str = ""
    evidence: tuple[Mapping[str, object], ...] = ()

    def __post_init__(self) -> None:
        if self.outcome in (Outcome.PASSED, Outcome.WARNED) and self.compared == 0:
            object.__setattr__(self, "outcome", Outcome.NOT_CHECKED)
            object.__setattr__(self, "found", self.found or "nothing to compare")
