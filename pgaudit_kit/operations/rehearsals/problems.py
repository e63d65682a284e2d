"""What went wrong while a dump was loaded, and who is to blame. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pgaudit_kit.errors import OperationError, hide_secrets
from pgaudit_kit.operations.restores.load_errors import Party, judge
from pgaudit_kit.records.identifiers import read_name


class Blame(StrEnum):
    """Who is to blame for a problem."""

    SETTING = "setting"
    """The server does not know a setting that the dump makes for its own session; nothing is lost."""
    BENIGN = "benign"
    """What was to be made is there already."""
    VERSIONS = "versions"
    """The server is newer than the one that was dumped, and does not take this any more."""
    ENVIRONMENT = "environment"
    """The server lacks something that the dump needs, or what needed that."""
    BACKUP = "backup"
    """Nothing but the dump."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One statement or entry that was not carried out.

    `place`: the dump id of its TOC entry, or the byte where its statement begins in a script; `what`: the entry or the beginning of the
    statement; `message` and `sqlstate` (None: not told) are the server's.
    """

    place: int
    what: str
    message: str
    sqlstate: str | None = None
    blame: Blame = Blame.BACKUP


_SHOWN = 100
_VALUE = re.compile(r"'|\$\w*\$")
_SETTING = re.compile(r'unrecognized configuration parameter "(.*?)"')
_BENIGN = re.compile(r'schema "public" already exists|language "plpgsql" already exists|extension "plpgsql" already exists')
_UNDEFINED = re.compile(
    r"(?:type|relation|function|procedure|aggregate|operator class|operator family|operator|schema|access method|text search \w+|collation"
    r'|extension|server|conversion|data type|domain) "?(?P<name>[^"]+|[^(]+\(.*\)?)"? (?:does not exist|has no default operator class)'
)
_GONE = re.compile(r"syntax error|no longer supported|is not supported|is ambiguous")
# No such row of a partitioned table, or a CHECK that depends on how text is compared
_OF_LOCALE = re.compile(r"no partition of relation|violates (?:check|partition) constraint")
_MADE = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:UNLOGGED\s+|GLOBAL\s+|LOCAL\s+|TEMP(?:ORARY)?\s+|RECURSIVE\s+|MATERIALIZED\s+|FOREIGN\s+|UNIQUE\s+)*"
    r"(?:TABLE|VIEW|FUNCTION|PROCEDURE|AGGREGATE|TYPE|DOMAIN|SEQUENCE|SCHEMA|OPERATOR\s+CLASS|OPERATOR\s+FAMILY|COLLATION|CONVERSION"
    r"|TEXT\s+SEARCH\s+\w+|INDEX|ACCESS\s+METHOD|SERVER|EXTENSION)\s+(?:IF\s+NOT\s+EXISTS\s+)?",
    re.IGNORECASE,
)


def shown_statement(statement: str) -> str:
    """Return the beginning of *statement* for people, which ends before the first value or password; names stay whole."""
    text = " ".join(statement[: 20 * _SHOWN].split())
    if not text[:5].upper().startswith("COPY "):  # its rows are not in it
        at = text.find(" VALUES") if text[:6].upper() == "INSERT" else -1
        cut = text[:at] if at > 0 else _VALUE.split(text, maxsplit=1)[0]
        text = text if cut == text else f"{cut.rstrip()} …"
    return text[:_SHOWN]


def made_by(statement: str) -> str | None:
    """Return the bare name of what *statement* creates; None when it creates nothing that others could name."""
    match = _MADE.match(statement)
    found = read_name(statement, match.end()) if match else None
    return found[1] if found else None


def blamed(
    problems: Iterable[Problem], made: Iterable[str], *, lacking: bool = False, other_locale: bool = False, newer: bool = False
) -> tuple[Problem, ...]:
    """Say of each of *problems* who is to blame.

    *made*: the bare names of what was created. Where the environment lacks something, what names a thing that neither was created nor
    lies in the dump's own hands is taken for a consequence: an extension's types and functions are in no dump. *lacking*: it was known to
    lack something before. *other_locale*: text is not compared as it was. *newer*: the server is newer than the one that was dumped.
    """
    there, all_of_them = set(made), tuple(problems)
    lacking = lacking or any(map(_is_of_the_server, all_of_them))
    return tuple(replace(p, blame=_blame(p, there, lacking=lacking, other_locale=other_locale, newer=newer)) for p in all_of_them)


def _is_of_the_server(problem: Problem) -> bool:
    """Whether the server or its machine lacks something that no dump can bring along, as a restore in earnest would say too."""
    return judge(problem.sqlstate or "", problem.message).party is Party.ENVIRONMENT


def is_interrupted(problem: Problem) -> bool:
    """Whether the session was ended, or what it did; then nobody knows how the dump would have restored."""
    return judge(problem.sqlstate or "", problem.message).party is Party.INTERRUPTED


def went_away(where: str) -> OperationError:
    """The error for a load that was interrupted *where* (`at TABLE DATA users: …`)."""
    what = f"the server went away, or ended what it did, {hide_secrets(where)}"
    return OperationError(what, resource="the rehearsal's server", remedy="Look whether its disk is full (--folder), and try again.")


def _blame(problem: Problem, made: set[str], *, lacking: bool, other_locale: bool, newer: bool) -> Blame:
    message = problem.message
    if _SETTING.search(message):
        return Blame.SETTING
    if _BENIGN.search(message):
        return Blame.BENIGN
    if _is_of_the_server(problem) or (other_locale and _OF_LOCALE.search(message)):
        return Blame.ENVIRONMENT
    undefined = _UNDEFINED.search(message)
    unknown = bool(undefined) and _bare(undefined["name"] if undefined else "") not in made
    if lacking and unknown:
        return Blame.ENVIRONMENT
    return Blame.VERSIONS if newer and (unknown or _GONE.search(message)) else Blame.BACKUP


def _bare(name: str) -> str:
    return name.partition("(")[0].rpartition(".")[2].strip('" ')


def settings_in(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Return the names of the settings that the server does not know, each once."""
    found = (_SETTING.search(p.message) for p in problems if p.blame is Blame.SETTING)
    return tuple(dict.fromkeys(match[1] for match in found if match))


def of(problems: Sequence[Problem], blame: Blame) -> tuple[Problem, ...]:
    """Return those of *problems* that *blame* says."""
    return tuple(p for p in problems if p.blame is blame)
