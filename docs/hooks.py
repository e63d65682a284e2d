"""What mkdocs makes when it builds the site: the reference of the commands from their help, that of the functions from their docstrings."""

from __future__ import annotations

import inspect
import re
from typing import Any

PYTHON = """# Python

`import pgaudit_kit as pk` costs nothing: each name is loaded when it is first used. Tables of a dump or a live database are had by name,
`dump["users"]`: `.head()`, `.read()`, `.iter()`; Tab completes them in Jupyter. Every error is a `PgAuditError`; in a notebook it is
three lines, and `%env PGAUDIT_DEBUG=1` with `%tb` shows the whole traceback.

"""


def on_files(files: Any, *, config: Any) -> Any:
    """Add the generated pages."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "commands.md", content=commands_page()))
    files.append(File.generated(config, "python.md", content=python_page()))
    return files


def commands_page() -> str:
    """The reference of the commands: what `pgaudit COMMAND --help` prints."""
    from typer.main import get_command

    from pgaudit_kit.cli.app import app

    program: Any = get_command(app)
    parts = [
        "# Commands\n\nWhat `pgaudit COMMAND --help` prints. `pgaudit --install-completion` makes the shell complete commands, options,",
        "backups, tables and targets.\n",
    ]
    for name, command in program.commands.items():
        with command.make_context(f"pgaudit {name}", ["--help"], resilient_parsing=True) as context:
            text = re.sub(r"\x1b\[[0-9;]*m", "", command.get_help(context)).rstrip()
        parts.append(f"## pgaudit {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def python_page() -> str:
    """The reference of the public names, and of what they give."""
    import pgaudit_kit

    functions, classes = [], []
    for name in pgaudit_kit.__all__:
        thing = getattr(pgaudit_kit, name)
        (classes if inspect.isclass(thing) else functions).append(f"{thing.__module__}.{thing.__name__}")
        gives = None if inspect.isclass(thing) else thing.__globals__.get(str(thing.__annotations__.get("return")))
        if inspect.isclass(gives) and gives.__module__.startswith("pgaudit_kit"):
            classes.append(f"{gives.__module__}.{gives.__name__}")
    classes += ["pgaudit_kit.sql.source_table.SourceTable"]
    said = [f"::: {path}\n" for path in functions]
    members = "    options:\n      members_order: source\n      filters: ['!^_']\n"
    return "\n".join(
        [PYTHON, "## Functions\n", *said, "## What they give\n", *(f"::: {path}\n{members}" for path in dict.fromkeys(classes))]
    )
