"""The migration tools that are known: the one list."""

from __future__ import annotations

from pgaudit_kit.errors import UsageError
from pgaudit_kit.migration_tools import (
    alembic,
    dbmate,
    django,
    drizzle,
    ecto,
    flyway,
    golang_migrate,
    goose,
    knex,
    liquibase,
    prisma,
    rails,
    sequelize,
    sqitch,
    typeorm,
)
from pgaudit_kit.migration_tools.tool import Tool

# A table is the ledger of the first one that takes it for its own: the tests hold that no other one would.
TOOLS: tuple[Tool, ...] = tuple(
    module.TOOL
    for module in (
        *(prisma, alembic, django, rails, flyway, liquibase, knex, typeorm, sequelize, drizzle, golang_migrate),
        *(goose, dbmate, ecto, sqitch),
    )
)
NAMES = tuple(tool.name for tool in TOOLS)


def tool_named(name: str) -> Tool:
    """Return the tool of that name. Raises UsageError."""
    for tool in TOOLS:
        if tool.name == name.lower():
            return tool
    raise UsageError(f"no migration tool {name!r} is known", remedy=f"Give one of {', '.join(NAMES)}.")
