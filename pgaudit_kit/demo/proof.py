"""A comparison held against the record of an incident: found all of it, and nothing else?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgaudit_kit.demo.incident import Incident
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.records.difference import Change, ObjectDifference, RowDifference, TableDifference
from pgaudit_kit.records.table_data import TableName

_Fact = tuple[str, str, tuple[Change, ...]]


@dataclass(frozen=True)
class Proof:
    """What the record has and the comparison has not (`missed`), and the other way round (`unexpected`): sentences, sorted."""

    played: int
    missed: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether exactly the recorded changes were found."""
        return self.played > 0 and not self.missed and not self.unexpected

    @property
    def sentence(self) -> str:
        """The answer in one sentence for people."""
        if self.holds:
            return f"exactly the {self.played:,} changes played were found"
        first = "; ".join([*(f"missed: {m}" for m in self.missed[:3]), *(f"not played: {u}" for u in self.unexpected[:3])])
        return (
            f"{len(self.missed):,} of {self.played:,} changes were missed and {len(self.unexpected):,} found that were not played: {first}"
        )


def prove_found(difference: Difference, incident: Incident) -> Proof:
    """Hold *difference* (left: before the incident, right: after) against *incident*: every row by key with its columns, every object.

    Anything that was not compared, and is not excused as equivalent, counts as unexpected. Raises the errors of the sources that are read.
    """
    played = {*_objects(incident.objects()), *(fact for name, rows in incident.rows().items() for fact in _rows(name, rows))}
    found = set(_objects(difference.object_differences))
    doubts = [f"not compared: {s.what}, {s.reason}" for s in difference.skipped]
    doubts += [f"not understood: {u.kind} {u.name}" for u in difference.unmodelled]
    for table in difference.table_differences:
        if table.status == "equivalent":
            continue
        result = difference.row_result(table.name)
        counts = result.counts
        if result.why_not or len(result.listed) != counts.missing + counts.extra + counts.changed:
            doubts.append(f"rows of {table.name} are not all listed: {result.why_not or 'too many'}")
        found.update(_rows(table.name, result.listed))
    doubts += _wrong_counts(difference.table_differences, incident)
    return Proof(len(played), _sentences(played - found), tuple(sorted([*doubts, *_sentences(found - played)])))


def _objects(differences: Iterable[ObjectDifference]) -> Iterator[_Fact]:
    return ((d.status, str(d.key), tuple(sorted(d.changes, key=_attribute))) for d in differences if d.status != "equivalent")


def _rows(name: TableName, rows: Iterable[RowDifference]) -> Iterator[_Fact]:
    for row in rows:
        key = ", ".join(f"{column} {value}" for column, value in sorted(row.key.items()))
        yield row.status, f"row {key} of {name}", tuple(sorted(row.columns, key=_attribute))


def _attribute(change: Change) -> str:
    return change.attribute


def _wrong_counts(tables: Iterable[TableDifference], incident: Incident) -> Iterator[str]:
    """The row counts of each table must differ by what was added and taken away."""
    for table in tables:
        rows = incident.rows().get(table.name, ())
        gain = sum(r.status == "only_right" for r in rows) - sum(r.status == "only_left" for r in rows)
        if table.status == "different" and table.rows_left is not None and table.rows_right != table.rows_left + gain:
            yield f"{table.name} has {table.rows_right} rows after {table.rows_left}, which is not {gain:+}"


def _sentences(facts: Iterable[_Fact]) -> tuple[str, ...]:
    return tuple(
        sorted(" ".join([status, what, *(f"({c.attribute}: {c.left!r} → {c.right!r})" for c in cs)]) for status, what, cs in facts)
    )
