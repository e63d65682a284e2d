"""The ledger of a migration tool: which migrations a database says it has had, and what became of each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from pgaudit_kit.records.table_data import TableName


class State(StrEnum):
    """What a migration is, when the ledger and the folder are looked at together.

    `unknown`: the ledger has it and the folder does not. `edited`: applied, and its file is another one now.
    """

    APPLIED = "applied"
    PENDING = "pending"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Migration:
    """One row of the ledger. Times are text as PostgreSQL prints them; None where the row holds NULL.

    `said` is the state that the row itself says, of tools whose rows do not say it by times. `logs`: what went wrong, without secrets.
    """

    id: str
    name: str
    checksum: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    rolled_back_at: str | None = None
    applied_steps: int | None = None
    said: str = ""
    logs: str | None = field(default=None, compare=False)  # manifests of earlier releases do not have it

    @property
    def state(self) -> str:
        """`applied`, `rolled_back` or `failed` (started, neither finished nor rolled back)."""
        if self.said:
            return self.said
        if self.rolled_back_at is not None:
            return "rolled_back"
        return "applied" if self.finished_at is not None else "failed"


@dataclass(frozen=True, slots=True)
class Ledger:
    """All rows of the ledger of one tool (`prisma` …), in the order started."""

    tool: str
    table: TableName
    migrations: tuple[Migration, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration, three ways: what the ledger says, what its file says, what the catalog holds; and what follows.

    `out_of_order`: it stands before one that was applied earlier, or is applied already. `faults` are the questions that it
    fails (`state`, `files`, `catalog`), each with how badly: `failed`, `warned` or `not_checked`.
    """

    tool: str
    table: str
    name: str
    state: State
    applied_at: str | None = None
    out_of_order: bool = False
    ledger: str = ""
    file: str = ""
    catalog: str = ""
    reason: str = ""
    remedy: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The status as `--json` prints it."""
        plain = asdict(self)
        return {**plain, "state": str(self.state), "faults": dict(self.faults)}


@dataclass(frozen=True, slots=True)
class ToolSays:
    """What the tool's own command would say of a ledger and a folder: its words in short, its exit code, and where it is blind."""

    command: str
    exit_code: int
    says: str
    blind_to: str = ""
