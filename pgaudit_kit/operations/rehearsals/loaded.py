"""How a dump was loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgaudit_kit.operations.rehearsals.problems import Problem
from pgaudit_kit.records.table_data import TableName


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading: `problems` in the order in which they came, of `carried_out` statements or entries.

    `made`: bare names of what was created; `tables_without`: those whose rows did not get in; `programs` that did it.
    """

    problems: tuple[Problem, ...]
    carried_out: int
    made: frozenset[str] = field(default_factory=frozenset)
    tables_without: frozenset[TableName] = field(default_factory=frozenset)
    programs: tuple[str, ...] = ()
