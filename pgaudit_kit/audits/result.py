"""The answer of an audit: its checks, and the verdict that the worst of them gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.display import frames, html
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome, worst

if TYPE_CHECKING:
    from pandas import DataFrame

WITHOUT_MANIFEST = "Without a manifest beside it, nothing says whether it holds all that the database held."


@dataclass(frozen=True)
class AuditResult:
    """What was asked of `subject` (a label without secrets), and every check's answer, in the order asked.

    `skipped` says, one sentence each, what could not be asked at all.
    """

    question: str
    subject: str
    check_list: tuple[Check, ...]
    skipped: tuple[str, ...] = ()

    @property
    def verdict(self) -> Outcome:
        """The worst outcome; `not_checked` when nothing was asked."""
        return worst(c.outcome for c in self.check_list)

    @property
    def checks(self) -> DataFrame:
        """Frame `checks` (display.frames.SCHEMAS): one row per check."""
        return frames.checks_frame(self.check_list)

    def findings(self, check_id: str) -> DataFrame:
        """The evidence of the check *check_id*: one row per finding, its columns those of its id (`pk.explain`). Raises UsageError."""
        return frames.evidence_frame(check_named(self.check_list, check_id))

    @property
    def sentence(self) -> str:
        """The verdict in one sentence for people, naming the check that decided."""
        if self.verdict is Outcome.PASSED:
            return " ".join([f"{self.subject}: {all_passed(len(self.check_list))}.", *self.skipped])
        decisive = [c for c in self.check_list if c.outcome is self.verdict]
        if not decisive:
            return f"{self.subject}: nothing was asked."
        first = decisive[0]
        others = f" (and {len(decisive) - 1} more)" if len(decisive) > 1 else ""
        return f"{self.subject}: {first.id} {first.outcome.replace('_', ' ')} — {first.found}{others}."

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do next: the remedies of the checks that did not pass, each once."""
        return tuple(dict.fromkeys(c.remedy for c in self.check_list if c.outcome is not Outcome.PASSED and c.remedy))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "verdict": str(self.verdict),
            "subject": self.subject,
            "checks": checks_to_list(self.check_list),
            "skipped": list(self.skipped),
        }

    def _repr_html_(self) -> str:
        """The result for a notebook: verdict, what to do next, every check."""
        return html.fragment(
            html.banner(str(self.verdict), self.sentence),
            html.next_steps(self.next_steps),
            html.frame_table(self.checks, caption=self.question),
        )

    def __repr__(self) -> str:
        return f"<AuditResult {self.subject}: {self.verdict}, {many(len(self.check_list), 'check')}>"


def all_passed(checks: int) -> str:
    """That all of so many *checks* passed, in words."""
    return "its one check passed" if checks == 1 else f"all {many(checks, 'check')} passed"


def check_named(checks: Sequence[Check], check_id: str) -> Check:
    """The check with that id. Raises UsageError when it is not among *checks*, with the ids of those that are."""
    for check in checks:
        if check.id == check_id:
            return check
    raise UsageError(f"{check_id} was not asked", resource=check_id, remedy=f"Asked were: {', '.join(c.id for c in checks) or 'none'}.")


def checks_to_list(checks: Sequence[Check]) -> list[Mapping[str, Any]]:
    """Checks as `--json` prints them."""
    return [
        {
            "id": c.id,
            "question": c.question,
            "outcome": str(c.outcome),
            "expected": c.expected,
            "found": c.found,
            "compared": c.compared,
            "remedy": c.remedy,
            "evidence": [dict(e) for e in c.evidence],
        }
        for c in checks
    ]
