"""A sequence and the column that it feeds."""

from __future__ import annotations

from dataclasses import dataclass

from pgaudit_kit.records.objects import ObjectKey


@dataclass(frozen=True, slots=True)
class SequenceUse:
    """A sequence that feeds a column: the next value it will give, and the highest (with a negative increment: lowest) one in use.

    `in_use` is None when the table is empty, `next_value` when the state of the sequence, or the column, could not be read, and `reason`
    then says why. `key` is that of the sequence in the inventory.
    """

    sequence: str
    column: str
    increment: int
    next_value: int | None
    in_use: int | None
    key: ObjectKey | None = None
    reason: str = ""

    @property
    def behind(self) -> bool | None:
        """Whether the next value is not beyond those in use; None where that is not known."""
        if self.next_value is None:
            return None
        return self.in_use is not None and (self.next_value - self.in_use) * self.increment <= 0
