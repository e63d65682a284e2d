"""The ledger of a migration tool: which migrations a database says it has had."""

from __future__ import annotations

from dataclasses import dataclass

from pgaudit_kit.records.table_data import TableName


@dataclass(frozen=True, slots=True)
class Migration:
    """One row of the ledger. Times are text as PostgreSQL prints them; None where the row holds NULL."""

    id: str
    name: str
    checksum: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    rolled_back_at: str | None = None
    applied_steps: int | None = None

    @property
    def state(self) -> str:
        """`applied`, `rolled_back` or `failed` (started, neither finished nor rolled back)."""
        if self.rolled_back_at is not None:
            return "rolled_back"
        return "applied" if self.finished_at is not None else "failed"


@dataclass(frozen=True, slots=True)
class Ledger:
    """All rows of the ledger of one tool (`prisma` …), in the order started."""

    tool: str
    table: TableName
    migrations: tuple[Migration, ...] = ()
