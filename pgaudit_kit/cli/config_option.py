"""The settings of a project as the commands take them; what stands on the command line wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgaudit_kit.records.config import Config

DEFAULT_STORE = "backups"
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config", help="A file with settings, or none. [default: the nearest pgaudit.toml, or pyproject.toml with [tool.pgaudit]]"
    ),
]


def configured(config: str | None, *, rpo: str | None = None, rto: str | None = None, prisma_schema: Path | None = None) -> Config:
    """Return the settings of the project with those of the command line in their place. Raises UsageError."""
    from pgaudit_kit.records.config import load_config
    from pgaudit_kit.records.units import as_span

    found = load_config(config)
    return replace(
        found,
        rpo=as_span(rpo, named="--rpo") if rpo else found.rpo,
        rto=as_span(rto, named="--rto") if rto else found.rto,
        prisma_schema=prisma_schema or found.prisma_schema,
    )
