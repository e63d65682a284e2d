"""The catalog queries as text: one file each, whose lines may be for some versions of the server only, or stand for another file."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

# `-- [>=14]` or `-- [<14]` at the end of a line, perhaps with words after it: the line is for those servers only
_FOR_SERVERS = re.compile(r"--\s*((?:\[(?:>=|<)\d+\]\s*)+)")
# `-- [name]` alone: what catalog query *name*, a condition that several have, says
_INCLUDED = re.compile(r"-- \[(\w+)\]")
_ONE_MARK = re.compile(r"\[(>=|<)(\d+)\]")


@cache
def query(name: str, major: int) -> str:
    """Return catalog query *name* as it is for a server of *major* version."""
    text = resources.files("pgaudit_kit.server").joinpath("catalog_queries", f"{name}.sql").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if _is_for(line, major))
    return "\n".join(query(included[1], major) if (included := _INCLUDED.fullmatch(line)) else line for line in lines)


def _is_for(line: str, major: int) -> bool:
    marks = _FOR_SERVERS.search(line)
    if not marks:
        return True
    return all(major >= int(bound) if sign == ">=" else major < int(bound) for sign, bound in _ONE_MARK.findall(marks[1]))
