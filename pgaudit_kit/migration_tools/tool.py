"""What a migration tool is to us: one shape for all of them. `tools.TOOLS` is the list."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgaudit_kit.records.ledger import Ledger, Migration, State, ToolSays
from pgaudit_kit.records.table_data import TableName

Row = Mapping[str, str | None]  # column → value as PostgreSQL prints it


@dataclass(frozen=True, slots=True)
class LedgerTable:
    """A table that may be a ledger: its columns with their types ("" where the source does not say).

    `beside`: the tables of its schema; `parts`: the names of its indexes and constraints.
    """

    name: TableName
    types: Mapping[str, str]
    beside: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    def has(self, *columns: str) -> bool:
        """Whether it has all these columns."""
        return set(columns) <= set(self.types)

    def has_only(self, *columns: str) -> bool:
        """Whether these are its columns, all of them."""
        return set(columns) == set(self.types)


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """A migration in the folder. `name` is the one that the ledger uses, `path` relative to the folder.

    `checksums`: the ledger holds one of these when the file is unedited; `converted`: those it would have with the other line ends.
    Both are empty when the tool records none, or one that is not computed here. `sql` is what it runs forward, None when that is no
    SQL. `depends` are migrations that come before it. `broken` says why it cannot be read. `again`: it runs whenever it has changed.
    """

    name: str
    path: str
    checksums: frozenset[str] = frozenset()
    converted: frozenset[str] = frozenset()
    sql: str | None = None
    depends: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    broken: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class MigrationFiles:
    """The migrations of a folder, in the order in which the tool applies them.

    `faults` are sentences on the folder as a whole, with what to do. `scope`: whether a name of the ledger belongs to this folder; one
    that does not is not looked for in it. `provider`: the database that the folder says it is for, where it does.
    """

    folder: Path
    files: tuple[MigrationFile, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()
    scope: Callable[[str], bool] = field(default=lambda _: True)
    provider: str | None = None

    def by_name(self) -> dict[str, MigrationFile]:
        """The files by the name that the ledger uses."""
        return {file.name: file for file in self.files}


@dataclass(frozen=True, slots=True)
class Settled:
    """The ledger's rows as one per migration, in the order applied; `notes` are sentences on the ledger as a whole, with what to do.

    `squashed`: of those without a file, the one that seems to have taken their place. `doubt`: why a file without a row may be applied
    all the same; "" when it is pending.
    """

    migrations: tuple[Migration, ...]
    notes: tuple[tuple[str, str], ...] = ()
    squashed: Mapping[str, str] = field(default_factory=dict)
    doubt: str = ""


def settle_by_name(ledger: Ledger, files: MigrationFiles | None) -> Settled:  # noqa: ARG001  the shape of Tool.settle
    """One row for each name: one that failed, else the last one applied, else the last one."""
    rank = {"rolled_back": 0, "applied": 1, "failed": 2}
    chosen: dict[str, Migration] = {}
    for row in ledger.migrations:
        if row.name not in chosen or rank[row.state] >= rank[chosen[row.name].state]:
            chosen[row.name] = row
    order = {id(row): place for place, row in enumerate(ledger.migrations)}
    return Settled(tuple(sorted(chosen.values(), key=lambda row: order[id(row)])))


def says_nothing(ledger: Ledger | None, files: MigrationFiles, schema: str | None) -> tuple[ToolSays, ...]:  # noqa: ARG001
    """Of a tool whose own verdict is not foretold."""
    return ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A migration tool. Nothing of a folder is ever imported or run.

    `is_ledger` recognises its table; `read_rows` makes Migrations of its rows, in the order applied; `read_folder` reads the files, None
    when the folder holds none of this tool (raises OSError); `places` are where a project keeps them; `remedies` are what to do for a
    State or `in_catalog`, `half_in_catalog`, `line_ends`, `{name}` filled in; `settle` makes one row per migration; `says` foretells the
    tool's own verdict; `by_order`: applying goes by the order of the files, so that a pending one before an applied one is news.
    """

    name: str
    title: str
    is_ledger: Callable[[LedgerTable], bool]
    read_rows: Callable[[Sequence[Row]], Sequence[Migration]]
    read_folder: Callable[[Path], MigrationFiles | None]
    places: tuple[str, ...]
    remedies: Mapping[str, str]
    settle: Callable[[Ledger, MigrationFiles | None], Settled] = settle_by_name
    says: Callable[[Ledger | None, MigrationFiles, str | None], tuple[ToolSays, ...]] = says_nothing
    by_order: bool = True
    late_ones: str = ""  # what the tool does with a pending one that stands before an applied one
    checksums: str = ""  # what kind of checksum its ledger holds; "": none that is verified here
    lock: tuple[str, str] | None = None  # the table that locks it, and the column that says so
    sql_in_ledger_schema: bool = False  # bare names in its scripts are those of the ledger's schema, not of public

    def remedy(self, what: State | str, name: str) -> str:
        """What to do about the migration *name*, which a shell takes as it stands there; "" when there is nothing."""
        return self.remedies.get(str(what), "").replace("{name}", shlex.quote(name))
