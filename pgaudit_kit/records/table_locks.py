"""Who keeps others from reading a table."""

from __future__ import annotations

from dataclasses import dataclass

from pgaudit_kit.records.table_data import TableName


@dataclass(frozen=True, slots=True)
class TableLock:
    """An ACCESS EXCLUSIVE lock on a table, held (or waited for, which keeps later readers waiting, too) by a session.

    `pid` None: a prepared transaction. `user`, `application`, `seconds` (of its transaction so far) are None where the role may not know.
    """

    table: TableName
    pid: int | None
    granted: bool
    user: str | None = None
    application: str | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        who = "a prepared transaction" if self.pid is None else f"process {self.pid}"
        known = ", ".join(filter(None, (self.user, self.application, f"for {self.seconds:.0f} s" if self.seconds is not None else "")))
        does = "is locked by" if self.granted else "is waited for, exclusively, by"
        return f"{self.table} {does} {who}{f' ({known})' if known else ''}"
