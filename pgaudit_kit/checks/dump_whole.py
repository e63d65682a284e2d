"""Is the dump whole: does it end where pg_dump ends it, and can all of it be read?"""

from __future__ import annotations

from collections.abc import Sequence

from pgaudit_kit.records.manifest import DumpFile
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

MAKE_ANOTHER = "Do not rely on this file: make a new backup, or take the one before it."

_TOLD = 4


def check_complete(*, complete: bool | None, damage: Sequence[Damage], entries: int, remedy: str = "") -> Check:
    """`dump.complete`: the end that pg_dump writes is there and nothing before it is broken. Compares *entries* TOC entries.

    *remedy*: what to do about damage, where another backup is not what helps.
    """
    faulty = bool(damage) or complete is False
    return Check(
        id="dump.complete",
        question="Is the file complete and undamaged?",
        outcome=Outcome.FAILED if faulty else Outcome.PASSED if complete else Outcome.NOT_CHECKED,
        expected="the end that pg_dump writes, nothing broken before it",
        found=_told([_place(d) for d in _causes_first(damage)])
        or ("the end is missing" if faulty else "cannot be told" if not complete else "complete" if entries else "nothing is in it"),
        compared=entries,
        remedy=(remedy or MAKE_ANOTHER) if faulty else "" if entries else "Look whether it is of the database that you meant.",
        evidence=tuple({"what": d.what, "offset": d.offset, "line": d.line, "table": d.table, "member": d.member} for d in damage),
    )


def check_unreadable(reason: str, offset: int | None) -> Check:
    """`dump.complete` of an archive that is broken before the end of its table of contents, so that nothing else can be asked of it."""
    return check_complete(complete=False, damage=(Damage(reason, offset=offset),), entries=1)


def check_rows_readable(tables: Sequence[TableData], unreadable: Sequence[tuple[TableData, str, bool]], *, remedy: str = "") -> Check:
    """`dump.rows_readable`: every row of every table could be read to its end.

    *unreadable* holds the tables that could not be, with the reason and whether the file is to blame
    (True: broken data; False: a form this version does not read, which is no fault of the dump).
    """
    broken = [u for u in unreadable if u[2]]
    outcome = Outcome.FAILED if broken else Outcome.NOT_CHECKED if unreadable else Outcome.PASSED
    lost = {data.name for data, _, _ in unreadable}
    rows = sum(t.rows or 0 for t in tables if t.name not in lost)
    return Check(
        id="dump.rows_readable",
        question="Can every row in it be read?",
        outcome=outcome,
        expected=f"{many(len(tables), 'table')} read to the end",
        found=_told(
            [f"{len(tables) - len(unreadable)} of {many(len(tables), 'table')} with {many(rows, 'row')} read"]
            + [reason if reason.startswith(str(t.name)) else f"{t.name}: {reason}" for t, reason, _ in unreadable]
        ),
        compared=len(tables) - len(unreadable),
        remedy=(remedy or MAKE_ANOTHER) if broken else "Rehearse a restore: it reads what this version cannot." if unreadable else "",
        evidence=tuple({"table": str(t.name), "reason": reason} for t, reason, _ in unreadable),
    )


def check_rows_held(without: Sequence[TableName]) -> Check:
    """`dump.rows_held` of a dump that holds no rows of any table, but defines those *without*: whole, and not what most people want."""
    return Check(
        id="dump.rows_held",
        question="Does it hold rows?",
        outcome=Outcome.WARNED,
        expected="rows, or that a table has none",
        found=f"no rows, only the definitions of {many(len(without), 'table')}",
        compared=len(without),
        remedy="If it was to hold rows, make it without --schema-only; with --require TABLE, or required_tables, their lack is a failure.",
        evidence=tuple({"table": str(name)} for name in without),
    )


def check_digest(recorded: DumpFile, *, sha256: str, size_bytes: int) -> Check:
    """`dump.digest`: the file is, byte for byte, the one that the manifest was written for."""
    same = (recorded.sha256, recorded.size_bytes) == (sha256, size_bytes)
    return Check(
        id="dump.digest",
        question="Is it byte for byte the file that the manifest was written for?",
        outcome=Outcome.PASSED if same else Outcome.FAILED,
        expected=f"{recorded.size_bytes:,} bytes, sha256 {recorded.sha256[:16]}…",
        found=f"{size_bytes:,} bytes, sha256 {sha256[:16]}…",
        compared=1,
        remedy="" if same else "The file changed after it was verified, or the manifest belongs to another file. " + MAKE_ANOTHER,
    )


def check_globals(recorded: DumpFile, found: DumpFile | None) -> Check:
    """`globals.digest`: roles and tablespaces beside the dump are the very script that was written; None: it is not there, a warning."""
    same = found is not None and (recorded.sha256, recorded.size_bytes) == (found.sha256, found.size_bytes)
    remedy = f"Copy {recorded.name} beside the dump again; without it the roles must come from somewhere else."
    if found:
        remedy = f"{recorded.name} was changed: do not run it, and take roles and tablespaces from another backup or from the server."
    return Check(
        id="globals.digest",
        question="Are roles and tablespaces beside it as they were written?",
        outcome=Outcome.PASSED if same else Outcome.FAILED if found else Outcome.WARNED,
        expected=f"{recorded.name}: {recorded.size_bytes:,} bytes, sha256 {recorded.sha256[:16]}…",
        found=f"{found.size_bytes:,} bytes, sha256 {found.sha256[:16]}…" if found else f"{recorded.name} is not there",
        compared=1,
        remedy="" if same else remedy,
    )


def _causes_first(damage: Sequence[Damage]) -> list[Damage]:
    """What is wrong with the file as a whole before what single tables lack, which often follows from it."""
    return sorted(damage, key=lambda d: d.table is not None)


def _told(found: Sequence[str]) -> str:
    """The first findings as one sentence, and how many there are besides; the evidence has all."""
    more = f"; and {len(found) - _TOLD:,} more" if len(found) > _TOLD else ""
    return "; ".join(found[:_TOLD]) + more


def _place(damage: Damage) -> str:
    places = [
        f"table {damage.table}" if damage.table else "",
        f"file {damage.member}" if damage.member else "",
        f"byte {damage.offset:,}" if damage.offset is not None else "",
        f"line {damage.line:,}" if damage.line is not None else "",
    ]
    where = ", ".join(p for p in places if p)
    return f"{damage.what} ({where})" if where else damage.what
