"""`pgaudit migrations`: which migrations has this database had?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli.diff import SOURCE_HELP
from pgaudit_kit.cli.output import HOW_TO_SEE_ALL, SHOWN, Json, console, print_checks, print_json, print_table, print_verdict, visible

if TYPE_CHECKING:
    from pgaudit_kit.records.ledger import MigrationStatus


def migrations(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)],
    folder: Annotated[
        str | None, typer.Option("--folder", metavar="PATH", help="The folder of the migrations, or of the project; nothing in it is run.")
    ] = None,
    tool: Annotated[str | None, typer.Option("--tool", metavar="NAME", help="Only the ledger of this tool: prisma, alembic …")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show all migrations, not the first 50.")] = False,
    json: Json = False,
) -> None:
    """Say which migrations a dump or a database has had.

    What the ledger of the migration tool says, what the files in the folder say, what the catalog holds; which are pending, failed,
    rolled back, edited, missing, out of order; and the commands that mend it.

    Known: Prisma, Alembic, Django, Rails, Flyway, Liquibase, Knex, TypeORM, Sequelize, Drizzle, golang-migrate, goose, dbmate, Ecto,
    Sqitch.

    Exit codes: 0 all is well · 1 something is not · 2 wrong usage · 3 something could not be checked · 130 interrupted.

    Example: pgaudit migrations backups/app.dump --folder prisma/migrations
    """
    from pgaudit_kit.audits.migrations import migrations as ask
    from pgaudit_kit.records.verdict import EXIT_CODES

    result = ask(source, folder, tool=tool)
    if json:
        print_json(result.to_dict())
        raise typer.Exit(EXIT_CODES[result.verdict])
    _print_migrations(result.migrations, shown=None if everything else SHOWN)
    print_checks(result.check_list)
    for says in result.tool_says:
        blind = f"; it does not tell: {says.blind_to}" if says.blind_to else ""
        console().print(visible(f"`{says.command}` would say: {says.says} (exit code {says.exit_code}){blind}"), markup=False)
    for sentence in result.skipped if result.verdict != "passed" else ():  # then the verdict says them
        console().print(visible(sentence), markup=False, style="dim")
    print_verdict(result.verdict, result.sentence, result.next_steps)
    raise typer.Exit(EXIT_CODES[result.verdict])


def _print_migrations(found: Sequence[MigrationStatus], *, shown: int | None) -> None:
    """One line for each; a column that says nothing of any of them is left out."""
    columns = ("migration", "state", "applied at", "ledger", "file", "catalog", "reason")
    rows = [(m.name, _state(m), m.applied_at, m.ledger, m.file, m.catalog, m.reason) for m in found]
    kept = [i for i, column in enumerate(columns) if column in columns[:2] or any(row[i] for row in rows)]
    print_table("Migrations", [columns[i] for i in kept], [[row[i] for i in kept] for row in rows], shown=shown, how=HOW_TO_SEE_ALL)


def _state(migration: MigrationStatus) -> str:
    return migration.state.replace("_", " ") + (", out of order" if migration.out_of_order else "")
