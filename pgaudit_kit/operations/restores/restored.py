"""What a restore or a rollback tells: what would be replaced, and what has become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.result import AuditResult, check_named, checks_to_list
from pgaudit_kit.display import frames, html
from pgaudit_kit.operations.restores.swap import Session
from pgaudit_kit.records.verdict import Check, Outcome, worst

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a person confirms: database `live` on `server`, with what it holds now, is kept as `kept` while `incoming` takes its name.

    `size_bytes` and `rows_estimate` (as of its last ANALYZE) are None when they cannot be known. `dropped`: databases that earlier
    restores kept, or `kept` itself, which go afterwards. `force`: whether `sessions` are ended. `loses`: tables, owners and privileges
    that the restored one will not have; "" for none.
    """

    server: str
    live: str
    incoming: str
    kept: str
    size_bytes: int | None
    rows_estimate: int | None
    sessions: tuple[Session, ...] = ()
    dropped: tuple[str, ...] = ()
    force: bool = False
    loses: str = ""

    @property
    def sentence(self) -> str:
        """The replacement in one sentence for people."""
        size = f"{self.size_bytes / 1e6:,.1f} MB" if self.size_bytes is not None else "size unknown"
        rows = f", about {self.rows_estimate:,} rows" if self.rows_estimate is not None else ""
        fate = "will be ended" if self.force else "would stop that: without --force nobody's is ended"
        clients = f" {len(self.sessions)} connected sessions {fate}." if self.sessions else ""
        kept = "dropped" if self.kept in self.dropped else f"kept as {self.kept!r}"
        others = [name for name in self.dropped if name != self.kept]
        also = f" Dropped then: {', '.join(map(repr, others))}." if others else ""
        return f"{self.live!r} ({size}{rows}) will be replaced by {self.incoming!r} and {kept}.{clients}{also}{self.lost}"

    @property
    def lost(self) -> str:
        """What does not come back, as a sentence with a space before it; "" for nothing."""
        return f" Lost: {self.loses}." if self.loses else ""


Confirm = Callable[[Replacement], bool]


@dataclass(frozen=True)
class Restore:
    """What a restore did. `replaced`: `database` now is the restored one; `kept`: where the one before it is, None when there is none.

    `state` says in one sentence how the server stands now. `verification` is the dump's own, `check_list` what was asked of the
    server (or the verification's checks, when that was as far as it came). `programs` loaded the dump; `left_out` are its settings
    that the server does not know, `benign` its entries that every database has from the beginning, `unasked` sentences on what nobody
    could know beforehand.
    """

    database: str
    state: str
    check_list: tuple[Check, ...]
    replaced: bool = False
    kept: str | None = None
    verification: AuditResult | None = None
    programs: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    benign: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def verdict(self) -> Outcome:
        """The worst outcome of all checks asked."""
        return worst(c.outcome for c in self.check_list)

    @property
    def checks(self) -> DataFrame:
        """Frame `checks` (display.frames.SCHEMAS): one row per check."""
        return frames.checks_frame(self.check_list)

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do next: the remedies of the checks that did not pass, each once."""
        return tuple(dict.fromkeys(c.remedy for c in self.check_list if c.outcome is not Outcome.PASSED and c.remedy))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and what could not be asked, one sentence each."""
        settings = [f"Left out, because this server does not know it: {', '.join(self.left_out)}."] if self.left_out else []
        entries = [f"Left out or made room for, because every database has it: {', '.join(self.benign)}."] if self.benign else []
        return (*settings, *entries, *self.unasked)

    def findings(self, check_id: str) -> DataFrame:
        """The evidence of the check *check_id*: one row per finding, its columns those of its id (`pk.explain`). Raises UsageError."""
        return frames.evidence_frame(check_named(self.check_list, check_id))

    def to_dict(self) -> dict[str, Any]:
        """The restore as `--json` prints it."""
        return {
            "verdict": str(self.verdict),
            "database": self.database,
            "replaced": self.replaced,
            "kept": self.kept,
            "state": self.state,
            "checks": checks_to_list(self.check_list),
            "verification": self.verification.to_dict() if self.verification else None,
            "programs": list(self.programs),
            "settings_left_out": list(self.left_out),
            "entries_left_out": list(self.benign),
            "unasked": list(self.unasked),
            "seconds": round(self.seconds, 3),
        }

    def _repr_html_(self) -> str:
        """The restore for a notebook: verdict, how the server stands, what to do next, every check."""
        return html.fragment(
            html.banner(str(self.verdict), self.state),
            html.next_steps(self.next_steps),
            html.frame_table(self.checks, caption="What was asked of the server"),
        )

    def __repr__(self) -> str:
        return f"<Restore {self.database}: {self.verdict}; {self.state}>"


@dataclass(frozen=True, slots=True)
class Rollback:
    """What a rollback did: `database` is again the one kept as `brought_back`; what had the name is `kept` (None: nothing had it).

    `dropped`: what a restore that was killed had left behind.
    """

    database: str
    brought_back: str
    kept: str | None
    dropped: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """How the server stands now, in one sentence."""
        before = f"; the database that had its name is kept as {self.kept!r}" if self.kept else ""
        left = f"; dropped: {', '.join(self.dropped)}, left by a restore that was killed" if self.dropped else ""
        return f"{self.database!r} is again the database that was kept as {self.brought_back!r}{before}{left}."

    def __repr__(self) -> str:
        return f"<Rollback {self.database}: {self.state}>"

    def _repr_html_(self) -> str:
        """The rollback for a notebook: how the server stands now."""
        return html.fragment(html.banner("passed", self.state))

    def to_dict(self) -> dict[str, Any]:
        """The rollback as `--json` prints it."""
        return {
            "database": self.database,
            "brought_back": self.brought_back,
            "kept": self.kept,
            "dropped": list(self.dropped),
            "state": self.state,
        }
