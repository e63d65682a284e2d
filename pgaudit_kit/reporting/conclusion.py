"""What a notebook says to its report: the verdict with its sentence, as an output of its own kind; and frames as tables.

    conclude(result.verdict, result.sentence, result.next_steps, sources=[dump])

In Jupyter that output is a banner; in the executed notebook it is also `application/vnd.pgaudit.verdict+json`, which a
report, or any other program, finds without reading the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pgaudit_kit.display import html
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.units import many

VERDICT_MIME: Final = "application/vnd.pgaudit.verdict+json"
ROWS_FOLDED: Final = 950  # with the 50 shown, what a report holds of one table: a page stays light, and the frame has the rest

_BEST_FIRST: Final = ("same", "passed", "warned", "not_checked", "different", "failed")
EXIT_CODES: Final[Mapping[str, int]] = {"same": 0, "passed": 0, "warned": 0, "different": 1, "failed": 1, "not_checked": 3}


@dataclass(frozen=True)
class Conclusion:
    """A verdict, the one sentence that matters, what to do next, and the facts it rests on (name → value, without secrets)."""

    verdict: str
    sentence: str
    next_steps: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        said = {"verdict": self.verdict, "sentence": self.sentence, "next": list(self.next_steps), "facts": dict(self.facts)}
        return {VERDICT_MIME: said, "text/html": self._repr_html_(), "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        return html.fragment(html.banner(self.verdict, self.sentence), html.next_steps(self.next_steps))

    def __repr__(self) -> str:
        return f"{html.look(self.verdict).word}: {self.sentence}"


@dataclass(frozen=True)
class Shown:
    """A frame as an accessible table: its caption, the count of its rows, 50 of them shown and more folded."""

    frame: Any = field(repr=False)
    caption: str
    compare: tuple[str, str] | None = None

    def _repr_html_(self) -> str:
        return html.fragment(html.frame_table(self.frame, caption=self.caption, fold=ROWS_FOLDED, compare=self.compare))

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.frame}"


def conclude(
    verdict: str,
    sentence: str,
    next_steps: Iterable[str] = (),
    *,
    sources: Iterable[Source] = (),
    facts: Mapping[str, object] | None = None,
) -> Conclusion:
    """Return the conclusion of a notebook, to be its cell's value: the report takes its banner, next steps and facts from it.

    *verdict* is one of `passed`, `warned`, `failed`, `not_checked`, `same`, `different`; UsageError for any other word.
    The facts are where each of *sources* comes from, and those given, without the ones that are None.
    """
    if str(verdict) not in EXIT_CODES:
        raise UsageError(f"{verdict} is no verdict", resource=str(verdict), remedy=f"Use one of {', '.join(EXIT_CODES)}.")
    described = {name: value for source in sources for name, value in _described(source).items()}
    kept = described | {name: str(value) for name, value in (facts or {}).items() if value is not None}
    return Conclusion(str(verdict), sentence, tuple(next_steps), kept)


def _described(source: Source) -> dict[str, str]:
    """Where *source* comes from, for people."""
    if isinstance(source, Manifest):
        return {"Recorded of": source.source or source.label, "Snapshot taken": _utc(source.provenance.created_at or source.taken_at) or ""}
    p = source.provenance
    server = f"PostgreSQL {p.server_version}" if p.server_version else None
    facts: dict[str, str | None]
    if p.format == "live":
        facts = {"Live database": source.label, "Live server": server, "Snapshot taken": _utc(p.created_at)}
    else:
        made = (f"{p.format} format", p.compression, f"pg_dump {p.pg_dump_version}" if p.pg_dump_version else None)
        origin = ", ".join(part for part in (p.database, server) if part)
        facts = {"Dump": source.label, "Dump made": p.created_at, "Dumped from": origin, "Written as": ", ".join(m for m in made if m)}
    return {name: value for name, value in {**facts, **_held(source)}.items() if value}


def _held(source: Source) -> dict[str, str | None]:
    """How many rows *source* is known to hold; a live one is not counted for this."""
    tables = tables_alone(source.table_data)
    known = [t.rows for t in tables if t.rows is not None]
    if source.provenance.format == "live" or not known:
        return {}
    unknown = len(tables) - len(known)
    doubt = f"; {unknown} more could not be counted" if unknown else ""
    return {"Holds": f"{many(sum(known), 'row')} in {many(len(known), 'table')}{doubt}"}


def moment_text(at: datetime) -> str:
    """A moment in UTC to the second, and by the clock of this machine when that shows another time."""
    local = at.astimezone()
    day = "" if local.date() == at.astimezone(UTC).date() else f"{local:%Y-%m-%d} "
    here = f" ({day}{local:%H:%M:%S %Z} here)" if local.utcoffset() else ""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{here}"


def _utc(moment: str | None) -> str | None:
    """An ISO 8601 time as people write it."""
    try:
        return moment_text(datetime.fromisoformat(moment)) if moment else None
    except ValueError:
        return moment


def show(frame: Any, caption: str, *, compare: tuple[str, str] | None = None) -> Shown:
    """Return *frame* (a pandas DataFrame) as a table for people, to be its cell's value.

    Columns that hold nothing are left out. *compare* names two columns: of long texts in them the part that differs is shown.
    """
    return Shown(frame, caption, compare)


def conclusion_of(notebook: Mapping[str, Any]) -> Conclusion:
    """Return what an executed notebook (nbformat 4, as a mapping) concluded.

    Of several conclusions the worst counts, of equally bad ones the last; the facts of all are joined. Without any the
    verdict is `not_checked`: a notebook that says nothing has shown nothing.
    """
    found = [_read(output["data"][VERDICT_MIME]) for output in _outputs(notebook) if VERDICT_MIME in output.get("data", {})]
    if not found:
        return Conclusion("not_checked", "The notebook ran to its end but gave no verdict.")
    decisive = max(found, key=lambda c: _BEST_FIRST.index(c.verdict))
    decisive = [c for c in found if c.verdict == decisive.verdict][-1]
    return Conclusion(decisive.verdict, decisive.sentence, decisive.next_steps, {k: v for c in found for k, v in c.facts.items()})


def _outputs(notebook: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [output for cell in notebook.get("cells", ()) for output in cell.get("outputs", ())]


def _read(said: Mapping[str, Any]) -> Conclusion:
    """Read the JSON form; it may come from anywhere, so a word that is no verdict is `not_checked`."""
    verdict = str(said.get("verdict"))
    steps, facts = said.get("next") or (), said.get("facts") or {}
    return Conclusion(
        verdict if verdict in EXIT_CODES else "not_checked",
        str(said.get("sentence") or "The notebook gave a verdict without saying why."),
        tuple(str(s) for s in steps),
        {str(k): str(v) for k, v in facts.items()},
    )
