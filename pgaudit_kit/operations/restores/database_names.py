"""Names of the databases that a restore makes and keeps: `NAME__restore_…`, `NAME__before_…`, `NAME__rolledback_…`. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Literal

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.store.names import TIME_FORMAT

Part = Literal["restore", "before", "rolledback"]
LONGEST_BYTES = 63  # NAMEDATALEN - 1 (src/include/pg_config_manual.h); PostgreSQL cuts longer names silently
_MADE = re.compile(r"(?P<name>.+)__(?P<part>restore|before|rolledback)_(?P<time>\d{8}T\d{6}Z)\Z", re.DOTALL)


def made_name(database: str, part: Part, at: datetime, *, taken: Collection[str] = ()) -> str:
    """Return the name for *part* of *database* at *at* (UTC), or at the first second after it that is not *taken*.

    Raises RestoreFailed when PostgreSQL would cut it.
    """
    name = f"{database}__{part}_{at.strftime(TIME_FORMAT)}"
    if name in taken:
        return made_name(database, part, at + timedelta(seconds=1), taken=taken)
    over = len(name.encode()) - LONGEST_BYTES
    if over > 0:
        raise RestoreFailed(
            f"the database name {database!r} is {over} bytes too long to keep another one beside it as {name!r}",
            resource=database,
            remedy="Rename the database, or restore under a shorter name and rename that.",
        )
    return name


def made_of(database: str, part: Part, names: Iterable[str]) -> list[str]:
    """Return those of *names* that `made_name` gave for *part* of *database*, newest first."""
    found = []
    for name in names:
        match = _MADE.match(name)
        if match and (match["name"], match["part"]) == (database, part):
            found.append((match["time"], name))
    return [name for _, name in sorted(found, reverse=True)]
