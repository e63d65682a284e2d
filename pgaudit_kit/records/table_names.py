"""Which table a text means: one rule for every command, function, check and setting that takes the name of a table.

A name means what SQL reads in it: `public.users` is that table, `users` one of that name in whichever schema, and double quotes keep
capitals, dots and blanks. So every name means itself as we show it (`str(TableName)`), and never another table.

Shells eat double quotes, and Prisma's tables have capitals. So what has capitals and no quotes, or is nothing that SQL could read, is
taken letter by letter as well: `User` is "User" or user, whichever there is. What may be several tables is none of them: where both are
there, or a bare name is in several schemas, the caller refuses it and names them all, since a guess would be another table's rows.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Sequence
from string import ascii_uppercase

from pgaudit_kit.records.identifiers import read_identifier
from pgaudit_kit.records.table_data import TableName

_CLOSE = 0.6


def tables_meant(text: str, tables: Iterable[TableName]) -> list[TableName]:
    """Return all of *tables* that *text* may mean, in order: one when the name is good, several when it has to be more exact."""
    read = name_in_sql(text)
    schema, name = read or (None, None)
    letter_by_letter = read is None or ('"' not in text and not set(ascii_uppercase).isdisjoint(text))
    return sorted(
        table
        for table in set(tables)
        if (table.name == name and schema in (None, table.schema))
        or (letter_by_letter and text in (table.name, f"{table.schema}.{table.name}"))
    )


def name_in_sql(text: str) -> tuple[str | None, str] | None:
    """Return schema (None when not given) and name that SQL reads in *text*, `name` or `schema.name`; None when it is neither."""
    first = read_identifier(text, 0)
    if first is None:
        return None
    rest = text[first[1] :].strip()
    if not rest:
        return None, first[0]
    second = read_identifier(rest, 1) if rest.startswith(".") else None
    return (first[0], second[0]) if second and second[1] == len(rest) else None


def why_refused(found: Sequence[TableName]) -> str:
    """What is wrong with a name that means all of *found*, as the end of a sentence."""
    if len({table.name for table in found}) == 1:
        return "is there more than once, in several schemas"
    return "may be more than one table: capitals count in double quotes alone"


def how_to_choose(found: Sequence[TableName]) -> str:
    """What to do about a name that means all of *found*: their names, and how to get quotes past a shell."""
    quoted = next((str(table) for table in found if '"' in str(table)), "")
    shell = f" In a shell, write {shlex.quote(quoted)}: it eats the double quotes." if quoted else ""
    return f"There is {', '.join(map(str, found))}.{shell}"


def tables_like(text: str, tables: Iterable[TableName], *, cutoff: float = _CLOSE) -> list[TableName]:
    """Return those of *tables* that somebody may have meant by *text*, which means none: without regard to capitals and quotes."""
    spelled = [(_plain(known), table) for table in tables for known in (f"{table.schema}.{table.name}", table.name)]
    close = difflib.get_close_matches(_plain(text), {known for known, _ in spelled}, cutoff=cutoff)
    return sorted({table for known, table in spelled if known in close})


def _plain(text: str) -> str:
    return text.replace('"', "").lower()
