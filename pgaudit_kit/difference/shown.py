"""A difference for people: the one sentence that matters, and what a notebook shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pgaudit_kit.display import html
from pgaudit_kit.display.object_changes import objects_html
from pgaudit_kit.records.objects import Unmodelled
from pgaudit_kit.records.units import many

if TYPE_CHECKING:
    from pgaudit_kit.difference.diff import Difference


def sentence_of(found: Difference) -> str:
    """The verdict of *found* in one sentence."""
    if found.verdict == "same":
        things = "the one thing" if found.compared == 1 else f"all {many(found.compared, 'thing')}"
        return f"{found.left.label} and {found.right.label} are the same in {things} compared."
    if found.verdict == "not_checked":
        reasons = "; ".join(f"{s.what}: {s.reason}" for s in found.skipped[:3]) or "there was nothing to compare"
        return f"Not everything could be compared ({reasons})."
    tables = sum(t.status in ("different", "only_left", "only_right") for t in found.all_tables)
    objects = sum(d.status != "equivalent" for d in found.object_differences)
    parts = [_count(objects, "{} object"), _count(tables, "the rows of {} table")]
    differs = f"{found.right.label} differs from {found.left.label} in {' and '.join(filter(None, parts))}"
    return f"{differs}, of {many(found.compared, 'thing')} compared."


def difference_html(found: Difference) -> str:
    """Verdict, objects and tables of *found* that differ; rows are asked for by name."""
    return html.fragment(
        html.banner(found.verdict, found.sentence),
        *objects_html(found.object_differences, (found.left.label, found.right.label)),
        *_lost_tables(found),
        html.table(["what", "reason"], [(s.what, s.reason) for s in found.skipped], caption="Not compared"),
        html.table(["kind", "schema", "name", "reason"], _named(found.unmodelled), caption="Not understood, not compared"),
    )


def _lost_tables(found: Difference) -> Iterator[str]:
    """What was lost, and where there is any: when that was touched, what points at nothing, and which sequences are behind."""
    summary = found.summary
    times = ["schema", "name", "touched_column", "first_touched", "last_touched"]
    yield html.frame_table(summary.drop(columns=times[2:]), caption="Tables whose rows differ")
    more = {
        "When the rows that differ were touched": summary[times].dropna(subset="touched_column"),
        "Rows that point at nothing, by foreign key": found.dangling,
        "Sequences behind their column": found.sequences,
    }
    yield from (html.frame_table(frame, caption=caption) for caption, frame in more.items() if len(frame))


def _count(number: int, phrase: str) -> str:
    """*phrase* with the number in it, in the plural when it is one; nothing when there is none."""
    return phrase.format(f"{number:,}") + ("" if number == 1 else "s") if number else ""


def _named(unmodelled: Iterable[Unmodelled]) -> list[tuple[str | None, ...]]:
    return [(u.kind, u.schema, u.name, u.reason) for u in unmodelled]
