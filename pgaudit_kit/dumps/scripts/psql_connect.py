r"""The database that a `\connect` line of pg_dump or pg_dumpall names (src/fe_utils/string_utils.c, appendPsqlMetaConnect).

Three forms: a bare name, a name in double quotes, and `-reuse-previous=on "dbname='…'"`, where a libpq connection string stands
inside of the quotes.
"""

from __future__ import annotations

import re

_CONNECT = re.compile(r"\\c(?:onnect)?\s+(.*)", re.DOTALL)
_ARGUMENT = re.compile(r'\s*((?:[^\s"]|"(?:[^"]|"")*")+)')
_PIECE = re.compile(r'"((?:[^"]|"")*)"|([^"]+)')
_DBNAME = re.compile(r"(?:^|\s)dbname\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)+))", re.DOTALL)
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def connected_database(command: str) -> str | None:
    r"""Return the database that the psql *command* connects to; None for any other command."""
    connect = _CONNECT.match(command)
    arguments = [_unquoted(text) for text in _ARGUMENT.findall(connect[1])] if connect else []
    names = [text for text in arguments if not text.startswith("-reuse-previous=")]
    if not names or names[0] == "-":
        return None
    if "=" in names[0] and (given := _DBNAME.search(names[0])):
        return re.sub(r"\\(.)", r"\1", given[1] if given[1] is not None else given[2], flags=re.DOTALL)
    return names[0]


def _unquoted(argument: str) -> str:
    return "".join(quoted.replace('""', '"') if not bare else bare.translate(_FOLD) for quoted, bare in _PIECE.findall(argument))
