"""Cells of small notebooks, and a reader of every byte that a run leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

MakeNotebook = Callable[..., str]

PARAMETERS = 'target: str = "env:NOWHERE"  # a database\nnumber: int = 1  # a number'


def code(source: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": [], "execution_count": None}


def prose(source: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {"tags": list(tags)}, "source": source}


def bytes_under(folder: Path) -> bytes:
    """All bytes of all files under *folder*, names included."""
    files = [f for f in sorted(folder.rglob("*")) if f.is_file()]
    return b"\n".join(str(f).encode() + b"\n" + f.read_bytes() for f in files)
