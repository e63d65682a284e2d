"""Python migration files, read with `ast`: nothing of them is ever imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from pgaudit_kit.migration_tools.folders import read_bytes

_WORTH_A_LOOK = re.compile(rb"\brevision\b|\bMigration\b")


def parse(path: Path) -> ast.Module | str:
    """Return the tree of *path*, or why there is none."""
    content = read_bytes(path)
    try:
        return ast.parse(content, filename=str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"no Python that can be read: {type(error).__name__}"


def is_worth_a_look(path: Path) -> bool:
    """Whether *path* can be a migration at all."""
    return bool(_WORTH_A_LOOK.search(read_bytes(path)))


def assigned(body: list[ast.stmt]) -> Mapping[str, ast.expr]:
    """The names that *body* assigns, with what."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            found |= {target.id: statement.value for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
            found[statement.target.id] = statement.value
    return found


def literal(value: ast.expr | None) -> object:
    """The value of a literal; ValueError for all else."""
    if value is None:
        return None
    try:
        return ast.literal_eval(value)
    except (TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from error


def names(value: object) -> tuple[str, ...]:
    """None, a text, or several: as several."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple | set) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise ValueError("no name")
