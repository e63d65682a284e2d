"""Whose fault it is that a dump could not be loaded: the backup's, the environment's, the versions', nobody's. Pure.

psql prints the SQLSTATE of an error; pg_restore does not, so what it says is told by its words, which our sessions have in English
where the role may ask for that. Codes: src/backend/utils/errcodes.txt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from pgaudit_kit.errors import BadBackup, LoadFailed, PgAuditError, RestoreFailed, hide_secrets

_STATEMENT_LENGTH = 120
# psql:<stdin>:12: ERROR:  42P07: relation "t" already exists | pg_restore: error: could not execute query: ERROR:  relation …
_PSQL = re.compile(r"^psql:[^\n]*?:(?P<line>\d+): (?:ERROR|FATAL|PANIC):  (?:(?P<sqlstate>[0-9A-Z]{5}): )?(?P<message>.*)$", re.MULTILINE)
_PG_RESTORE = re.compile(r"^pg_restore: error: (?:[^\n]*?(?:ERROR|FATAL|PANIC):  )?(?P<message>.*)$", re.MULTILINE)
_ENTRY = re.compile(r"^pg_restore: from TOC entry \d+; \d+ \d+ (?P<entry>.*) (?P<owner>\S*)$", re.MULTILINE)
_COMMAND = re.compile(r"^Command was: (?P<command>.*)$", re.MULTILINE)
_COPY_PLACE = re.compile(r"^CONTEXT:  (?P<place>COPY [^:\n]*)", re.MULTILINE)
_COPY_FAILED = re.compile(r'COPY failed for table "(?P<table>[^"]*)"')
_IN_FUNCTION = re.compile(r"^(?:CONTEXT:  )?(?:PL/pgSQL|SQL) function \"?(?P<name>[^\n\" ]+)", re.MULTILINE)


class Party(StrEnum):
    """Whose fault it is."""

    BACKUP = "backup"
    ENVIRONMENT = "environment"
    VERSIONS = "versions"
    BENIGN = "benign"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"


_BLAME = {
    Party.BACKUP: "the backup is bad",
    Party.ENVIRONMENT: "the environment lacks something",
    Party.VERSIONS: "the versions do not fit",
    Party.BENIGN: "benign",
    Party.INTERRUPTED: "the connection was ended",
    Party.UNKNOWN: "the cause is not known",
}


@dataclass(frozen=True, slots=True)
class LoadError:
    """Why a load stopped: what the server said (`message`, with its `sqlstate` where known), about which `object`, and what to do.

    `line`: of a script, where the statement ends.
    """

    party: Party
    message: str
    cause: str
    remedy: str
    sqlstate: str = ""
    object: str = ""
    statement: str = ""
    line: int | None = None

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        code = f" (SQLSTATE {self.sqlstate})" if self.sqlstate else ""
        where = f" at {self.object}" if self.object else ""
        return f"{_BLAME[self.party]}: {self.message}{code}{where}; {self.cause}"


@dataclass(frozen=True, slots=True)
class _Rule:
    party: Party
    sqlstates: tuple[str, ...]  # prefixes
    words: str  # a pattern; with a SQLSTATE both must fit where both are given
    cause: str
    remedy: str
    newer_dump: bool = False  # only of a dump of a newer server
    by_code: bool = False  # the SQLSTATE alone says it, in whatever language the server speaks

    def fits(self, sqlstate: str, message: str, *, newer_dump: bool) -> bool:
        if self.newer_dump and not newer_dump:
            return False
        said = not self.words or re.search(self.words, message, re.IGNORECASE) is not None
        if sqlstate and self.sqlstates:
            return (said or self.by_code) and sqlstate.startswith(self.sqlstates)
        return said and bool(self.words)


_AGAIN = "then restore again."
_RULES = (
    _Rule(
        Party.INTERRUPTED,
        ("57P", "08", "57014"),
        r"terminating connection|server closed the connection|(?:no|the) connection (?:to the server|is lost|is closed)"
        r"|connection to server .* (?:failed|was lost)|could not (?:send|receive) |canceling statement"
        r"|database system is (?:shutting down|in recovery|starting up)",
        "the server or somebody ended the session",
        "Find out who or what ended it (the server's log says), " + _AGAIN,
        by_code=True,
    ),
    _Rule(
        Party.BENIGN,
        ("42P06",),
        r'schema "public" already exists',
        "every database has this schema from the beginning",
        "Drop the schema public of an empty database first, or make the dump without --schema=public.",
    ),
    _Rule(
        Party.BENIGN,
        ("42501",),
        r"must be owner of (?:extension plpgsql|schema public|language plpgsql)",
        "every database has it from the beginning, and a superuser owns it",
        "Restore as a superuser, or make the dump with --no-comments.",
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("0A000", "58P01"),
        r"extension .+ is not available|could not open extension control file|could not access file"
        r"|extension .+ has no installation script|required extension",
        "the server does not have this extension installed",
        "Install it on the server (most are in the package postgresql-contrib), " + _AGAIN,
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("42704",),
        r'\brole ".*" does not exist',
        "the server has no such role",
        "Create it (pg_dumpall --roles-only of the old server), or leave owners and privileges out with --no-owner, " + _AGAIN,
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("42704",),
        r'\btablespace ".*" does not exist',
        "the server has no such tablespace",
        "Create it, or leave tablespaces out with --no-tablespaces, " + _AGAIN,
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("42704", "22023", "0A000", "42P22"),
        r"could not create locale|invalid (?:locale|LC_\w+ locale) name|collation .* (?:does not exist|for encoding)"
        r"|could not open collator|ICU is not supported|locale .* not (?:found|available)",
        "the server's system does not know this locale or collation",
        "Install the locale on the server's machine, or restore into a server that has it.",
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("42704", "22023", "0A000", "55000", "58P01", "XX000"),
        r"(?:language|foreign-data wrapper) .+ does not exist|security label provider|could not load library"
        r"|must be loaded via shared_preload_libraries|not built with|compression method \S+ not supported|unsupported XML feature"
        r"|invalid value for parameter \"default_(?:tablespace|table_access_method)\"",
        "the server was built or set up without it",
        "Install or load it on the server, or restore into a server that has it.",
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("42501",),
        r"permission denied|must be (?:superuser|owner|member|able to SET ROLE)|only superusers|must have",
        "the role lacks a privilege",
        "Use the owner of the database or a superuser, or leave owners and privileges out with --no-owner.",
        by_code=True,
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("53", "54"),
        r"No space left on device|could not extend file|out of (?:shared )?memory|too many (?:connections|clients)"
        r"|connection slots are reserved|disk full|could not write",
        "the server ran out of something",
        "Give the server more of it (space, memory, connections), " + _AGAIN,
        by_code=True,
    ),
    _Rule(
        Party.ENVIRONMENT,
        ("22P05",),
        r"character with byte sequence .* has no equivalent in encoding",
        "the encoding of the database cannot hold this text",
        "Restore into a database with the encoding of the dump.",
        by_code=True,
    ),
    _Rule(
        Party.VERSIONS,
        (),
        r"unsupported version \([\d.]+\) in file header|invalid command \\(?:un)?restrict|server version mismatch"
        r"|does not support compression|compression is not supported|not built with",
        "the client programs are older than what wrote the dump, or built without what it needs",
        "Install newer PostgreSQL client programs, or set PGBIN to them.",
    ),
    _Rule(
        Party.VERSIONS, ("42704",), r"unrecognized configuration parameter", "this server does not know the setting", "Use a newer server."
    ),
    _Rule(
        Party.VERSIONS,
        ("42601", "42704", "42883", "0A000", "22023", "42P01", "42703", "42P17"),
        r"syntax error|unrecognized|does not exist|not supported",
        "the dump is of a newer PostgreSQL, and this server does not know what it uses",
        "Restore into a server that is at least as new as the one that was dumped.",
        newer_dump=True,
    ),
    _Rule(
        Party.BACKUP,
        ("23",),
        r"violates|is violated by|could not create unique index|Key .* is (?:duplicated|not present)|contains null values",
        "its rows break a rule that its own objects set",
        "See which rows with `pgaudit query` on the dump; restore an older backup, or correct the rows at their origin and back up again.",
        by_code=True,
    ),
    _Rule(
        Party.BACKUP,
        ("22", "08P01"),
        r"invalid input syntax|invalid byte sequence|missing data for column|extra data after last expected column|end-of-copy marker"
        r"|unexpected EOF|literal (?:newline|carriage return)|out of range|value too long|malformed|COPY terminated",
        "a row of it cannot be read as the type of its column",
        "The file was damaged or edited: restore another copy or an older backup.",
        by_code=True,
    ),
    _Rule(
        Party.BACKUP,
        (),
        r"could not (?:read from input file|uncompress|decompress|find block ID|seek|open input file)|unexpected end of file|end of file"
        r"|magic string|appears to be|corrupt|invalid (?:compressed|dump|entry)|did not find|bad length|unexpected data offset|checksum",
        "the file is cut short or damaged",
        "Restore another copy or an older backup; `pgaudit verify` says where it is broken.",
    ),
    _Rule(
        Party.BACKUP,
        ("42P07", "42710", "42723", "42701", "42P06", "42P16"),
        r"already exists|multiple primary keys|specified more than once",
        "it holds this twice",
        "Make a new backup; two dumps were joined into one file, or it was edited.",
        by_code=True,
    ),
    _Rule(
        Party.BACKUP,
        ("42P01", "42704", "42883", "42703", "3F000"),
        r"does not exist",
        "it uses what it does not hold, as a dump made with --table, --schema or --exclude does",
        "Make a whole backup, or bring the missing object first and restore the rest beside it with `pgaudit extract`.",
    ),
    _Rule(
        Party.BACKUP,
        ("42601",),
        r"syntax error",
        "it is not SQL that pg_dump writes",
        "The file was damaged or edited: restore another copy.",
    ),
)
_UNQUALIFIED = (
    "a function of the database uses names without their schema, and a dump restores with an empty search path",
    "Give the function a search path where the backup came from (ALTER FUNCTION … SET search_path), and back up again.",
)


def load_failed(words: str, *, program: str, newer_dump: bool = False, secrets: tuple[str, ...] = ()) -> LoadFailed:
    """Return the error for a *program* (its name) that stopped loading a dump with these *words* on standard error."""
    return stopped(read_load_error(hide_secrets(words, secrets=secrets), newer_dump=newer_dump), what=program)


def stopped(found: LoadError, *, what: str) -> LoadFailed:
    """Return the error for *what* (a program, a script) that stopped for the reason *found*."""
    error = LoadFailed(f"{what} stopped: {found.sentence}", resource=what, remedy=found.remedy)
    error.party, error.sqlstate, error.object_name, error.line = found.party, found.sqlstate, found.object, found.line
    return error


def restore_failed(error: PgAuditError, message: str, *, resource: str, remedy: str) -> RestoreFailed:
    """Return the error of a restore that *error* stopped: a BadBackup when the dump is to blame."""
    party = error.party if isinstance(error, LoadFailed | RestoreFailed) else ""
    failed = (BadBackup if party == Party.BACKUP else RestoreFailed)(message, resource=resource, remedy=remedy)
    failed.party = party
    return failed


def read_load_error(words: str, *, newer_dump: bool = False) -> LoadError:
    """Return what the first error in *words*, of psql (VERBOSITY verbose) or pg_restore (--verbose), means.

    *newer_dump*: the server that was dumped is newer than this one.
    """
    found = _explained(words, newer_dump=newer_dump)
    line = _PSQL.search(words)
    return replace(found, line=int(line["line"])) if line else found


def _explained(words: str, *, newer_dump: bool) -> LoadError:
    sqlstate, message = _first_error(words)
    found = judge(sqlstate, message, place=_place(words), context=words, newer_dump=newer_dump)
    return replace(found, statement=_statement(words))


def judge(sqlstate: str, message: str, *, place: str = "", context: str = "", newer_dump: bool = False) -> LoadError:
    """Return what an error of the server means: its code ("" where not known), its words, about what, and what it says of the context."""
    function = _IN_FUNCTION.search(context)
    if function and re.search(r"(?:relation|function|type|operator) .* does not exist", message):
        name = f"function {function['name']}"
        return LoadError(Party.BACKUP, message, *_UNQUALIFIED, sqlstate, ", ".join(filter(None, [place, name])))
    for rule in _RULES:
        if rule.fits(sqlstate, message, newer_dump=newer_dump):
            return LoadError(rule.party, message, rule.cause, rule.remedy, sqlstate, place)
    return LoadError(Party.UNKNOWN, message, "its own words are all there is", "Its own words above say why.", sqlstate, place)


def _first_error(words: str) -> tuple[str, str]:
    if match := _PSQL.search(words):
        return match["sqlstate"] or "", match["message"].strip()
    if match := _PG_RESTORE.search(words):
        return "", match["message"].strip()
    lines = [line for line in words.strip().splitlines() if line.strip()]
    return "", lines[-1].strip() if lines else "it said nothing"


def _place(words: str) -> str:
    return ", ".join(dict.fromkeys(_places(words)))


def _places(words: str) -> Iterator[str]:
    """The TOC entry, the table and row of COPY, or the line of a script: never a value of a row."""
    if match := _ENTRY.search(words):
        yield match["entry"]
    if match := _PSQL.search(words):
        yield f"line {match['line']} of the script"
    if match := _COPY_PLACE.search(words):
        yield match["place"].strip().rstrip(",")
    elif match := _COPY_FAILED.search(words):
        yield f"COPY {match['table']}"


def _statement(words: str) -> str:
    match = _COMMAND.search(words)
    return match["command"][:_STATEMENT_LENGTH] if match else ""
