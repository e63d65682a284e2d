"""What is known of a check before it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pgaudit_kit.records.facts_table import facts_table

ColumnType: TypeAlias = Literal["text", "count", "flag"]


@dataclass(frozen=True)
class Question:
    """A check's `id` and its `sentence`; what `passed` proves, and what it does not.

    `looks_at`: where its answer comes from, and when it is asked; `remedy`: what to do, as a rule, when it has not passed;
    `evidence`: the columns of one finding.
    """

    id: str
    sentence: str
    proves: str
    not_proves: str
    looks_at: str
    remedy: str
    evidence: Mapping[str, ColumnType] = field(default_factory=dict)

    @property
    def _told(self) -> dict[str, str]:
        return {
            "proves": self.proves,
            "does not prove": self.not_proves,
            "looks at": self.looks_at,
            "when not passed": self.remedy,
            "evidence": ", ".join(self.evidence) or "none: the check says all itself",
        }

    def __str__(self) -> str:
        """Plain text, one line for each thing."""
        return "\n".join([f"{self.id}: {self.sentence}", *(f"  {word}: {text}" for word, text in self._told.items())])

    def __repr__(self) -> str:
        return f"<Question {self.id}: {self.sentence}>"

    def _repr_html_(self) -> str:
        """For a notebook: all that is known of it."""
        return facts_table({self.id: self.sentence, **self._told})

    def to_markdown(self) -> str:
        """The same as Markdown, with its id as a heading."""
        columns = f"- Evidence, one row per finding: {', '.join(f'`{name}`' for name in self.evidence)}.\n" if self.evidence else ""
        return (
            f"### `{self.id}`\n\n{self.sentence}\n\n- Passed proves: {self.proves}\n- It does not prove: {self.not_proves}\n"
            f"- Looks at: {self.looks_at}\n- When it has not passed: {self.remedy}\n{columns}"
        )

    def _repr_markdown_(self) -> str:
        return self.to_markdown()
