"""What a rehearsal found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.result import all_passed, check_named, checks_to_list
from pgaudit_kit.display import frames, html
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome, worst

if TYPE_CHECKING:
    from pandas import DataFrame

_SHOWN = 200


@dataclass(frozen=True)
class Rehearsal:
    """A dump, restored into a throwaway database and compared with what it must be.

    `server` judged, `why` it was that one ("" for both: it did not come that far); `left_out` names what was not restored because the
    server lacks something; `settings` are those of the dump that the server does not know. `seconds` in all, `load_seconds` of loading
    alone, `proof_seconds` of reading the file and comparing; `restored_bytes` is the size of the database that came out; `evidence` the
    file beside the backup that says all this.
    """

    label: str
    check_list: tuple[Check, ...]
    server: str = ""
    why: str = ""
    programs: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seconds: float = 0.0
    load_seconds: float = 0.0
    proof_seconds: float = 0.0
    restored_bytes: int = 0
    evidence: str | None = None

    def with_checks(self, more: Sequence[Check]) -> Rehearsal:
        """The same with *more* checks at the end."""
        return replace(self, check_list=(*self.check_list, *more))

    @property
    def verdict(self) -> Outcome:
        """The worst outcome of all checks."""
        return worst(c.outcome for c in self.check_list)

    @property
    def checks(self) -> DataFrame:
        """Frame `checks` (display.frames.SCHEMAS): one row per check."""
        return frames.checks_frame(self.check_list)

    @property
    def megabytes_per_second(self) -> float | None:
        """Size of the restored database by the seconds of loading it; None when nothing was loaded."""
        return self.restored_bytes / 1e6 / self.load_seconds if self.load_seconds else None

    @property
    def sentence(self) -> str:
        """The verdict in one sentence for people."""
        if not self.server:
            where = f"{self.label} was not restored"
        else:
            rate = f", {self.megabytes_per_second:,.0f} MB/s" if self.megabytes_per_second else ""
            where = f"{self.label} was restored into {self.server} in {self.load_seconds:,.1f} s{rate}"
        decisive = [c for c in self.check_list if c.outcome is self.verdict]
        if self.verdict is Outcome.PASSED or not decisive:
            return f"{where}; {all_passed(len(self.check_list))}."
        more = f" (and {len(decisive) - 1} more)" if len(decisive) > 1 else ""
        return f"{where}; {decisive[0].id} {self.verdict.replace('_', ' ')} — {decisive[0].found}{more}."

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do next: the remedies of the checks that did not pass, each once."""
        return tuple(dict.fromkeys(c.remedy for c in self.check_list if c.outcome is not Outcome.PASSED and c.remedy))

    def findings(self, check_id: str) -> DataFrame:
        """The evidence of the check *check_id*: one row per finding, its columns those of its id (`pk.explain`). Raises UsageError."""
        return frames.evidence_frame(check_named(self.check_list, check_id))

    def to_dict(self) -> dict[str, Any]:
        """The rehearsal as `--json` prints it."""
        rate = self.megabytes_per_second
        return {
            "verdict": str(self.verdict),
            "dump": self.label,
            "checks": checks_to_list(self.check_list),
            "server": self.server or None,
            "why": self.why or None,
            "programs": list(self.programs),
            "left_out": list(self.left_out),
            "settings_left_out": list(self.settings),
            "seconds": round(self.seconds, 3),
            "load_seconds": round(self.load_seconds, 3),
            "proof_seconds": round(self.proof_seconds, 3),
            "restored_bytes": self.restored_bytes,
            "megabytes_per_second": None if rate is None else round(rate, 1),
            "evidence": self.evidence,
        }

    def _repr_html_(self) -> str:
        """The rehearsal for a notebook: verdict, what to do next, where it was, every check, what was left out."""
        facts = {
            "server": self.server or None,
            "why": self.why or None,
            "loading took": f"{self.load_seconds:,.1f} s",
            "evidence": self.evidence,
        }
        return html.fragment(
            html.banner(str(self.verdict), self.sentence),
            html.next_steps(self.next_steps),
            html.summary(facts),
            html.frame_table(self.checks, caption="Does it restore to the very same rows?"),
            html.table(["left out"], [(name,) for name in self.left_out[:_SHOWN]], caption="Not compared") if self.left_out else "",
        )

    def __repr__(self) -> str:
        return f"<Rehearsal {self.label}: {self.verdict}, {many(len(self.check_list), 'check')}>"
