"""What somebody may have meant who named no database: an environment variable, an env file, another key of it. Names, never values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LONGEST: Final = 255  # of what may be the name of a file


def hint_for(text: str, folder: Path) -> str:
    """A sentence with the target that *text* lacks a word to be; "" when it is neither the name of a variable nor an env file."""
    if "://" in os.environ.get(text, ""):
        return f"Write env:{text}."
    if len(text) <= _LONGEST and Path(text).name.startswith(".env") and (folder / text).is_file():
        return f"Write dotenv:{text}."
    return ""


def keys_with_urls(values: Mapping[str, str | None]) -> list[str]:
    """The keys of an env file under which the URL of a PostgreSQL database stands."""
    return [key for key, value in values.items() if (value or "").strip().startswith(("postgresql://", "postgres://"))]
