"""What a backup asks before it begins: whether all rows can be read, there is room, and nobody is in the way."""

from __future__ import annotations

from collections.abc import Sequence

from pgaudit_kit.records.table_data import TableData
from pgaudit_kit.records.table_locks import TableLock
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

_NAMED = 3
# What a compressed dump needs of the bytes that its tables take on disk, at most, as a rule: they hold dead rows and headers, too
_COMPRESSES_TO = 0.6
_FOR_EVER = "-1"


def check_program(program: str, *, server: str) -> Check:
    """`backup.pg_dump`: a pg_dump that is at least as new as the server was found."""
    return Check(
        id="backup.pg_dump",
        question="Is there a pg_dump that fits the server?",
        outcome=Outcome.PASSED,
        expected=f"pg_dump for PostgreSQL {server}",
        found=program,
        compared=1,
    )


def check_direct(label: str, *, pooled_by_url: bool, pooled: bool) -> Check:
    """`backup.direct`: no pooler stands between. *pooled*: the server's backend is not the one that the connection was told of."""
    why = f"a pooler answers at {label}" if pooled else f"the URL of {label} looks like that of a pooler" if pooled_by_url else ""
    return Check(
        id="backup.direct",
        question="Does it talk to the server itself?",
        outcome=Outcome.WARNED if why else Outcome.PASSED,
        expected="a connection to the server itself",
        found=why or "direct",
        compared=1,
        remedy="Give the direct URL (DIRECT_URL, port 5432): in transaction mode a pooler hands sessions on between statements."
        if why
        else "",
    )


def check_readable(tables: Sequence[TableData]) -> Check:
    """`backup.readable`: the role may read all rows of all tables that are to be dumped; neither privileges nor policies hide any."""
    hidden = [t for t in tables if t.not_readable]
    reasons = [_reason(t) for t in hidden]
    more = f"; and {len(hidden) - _NAMED:,} more tables" if len(hidden) > _NAMED else ""
    return Check(
        id="backup.readable",
        question="May this role read every row?",
        outcome=Outcome.FAILED if hidden else Outcome.PASSED,
        expected=f"{many(len(tables), 'table')} that can be read whole",
        found="; ".join(reasons[:_NAMED]) + more if hidden else "all of them" if tables else "there is no table",
        compared=len(tables),
        remedy=f"{_remedy(hidden)} Or use a role that may read everything." if hidden else "",
        evidence=tuple({"table": str(t.name), "reason": t.not_readable} for t in hidden),
    )


def check_space(*, free_bytes: int, last_bytes: int | None, table_bytes: int, compressed: bool) -> Check:
    """`backup.space`: the store has room. Less than the last backup took is `failed`; less than its tables may need, `warned`."""
    estimate = round(table_bytes * (_COMPRESSES_TO if compressed else 1))
    needed = estimate if last_bytes is None else last_bytes
    short = free_bytes < needed
    outcome = Outcome.PASSED if not short else Outcome.WARNED if last_bytes is None else Outcome.FAILED
    what = f"about {_size(estimate)}, estimated by its tables" if last_bytes is None else f"{_size(last_bytes)}, as the last backup took"
    return Check(
        id="backup.space",
        question="Is there room for it?",
        outcome=outcome,
        expected=what,
        found=f"{_size(free_bytes)} free in the store{f', not {what}' if short else ''}",
        compared=1,
        remedy="Make room in the store (pgaudit prune), or give another one with --store." if short else "",
    )


def check_standby(*, feedback: bool, delay: str) -> Check:
    """`backup.standby`: the replay of WAL on this standby will not cancel pg_dump. *delay*: max_standby_streaming_delay."""
    safe = feedback or delay == _FOR_EVER
    return Check(
        id="backup.standby",
        question="Will this standby let a long query end?",
        outcome=Outcome.PASSED if safe else Outcome.WARNED,
        expected="hot_standby_feedback = on, or max_standby_streaming_delay = -1",
        found=f"hot_standby_feedback = {'on' if feedback else 'off'}, max_standby_streaming_delay = {delay}",
        compared=2,
        remedy="" if safe else f"A backup that takes longer than {delay} may be cancelled: set one of the two, or back up the primary.",
    )


def check_locks(held: Sequence[TableLock], *, tables: int) -> Check:
    """`backup.locks`: nobody kept pg_dump from reading, or it was waited for; asked of a backup that was made."""
    more = f"; and {len(held) - _NAMED:,} more" if len(held) > _NAMED else ""
    return Check(
        id="backup.locks",
        question="Did it get at every table?",
        outcome=Outcome.PASSED,
        expected=f"{many(tables, 'table')} that can be locked for reading",
        found=f"waited: {'; '.join(map(str, held[:_NAMED]))}{more}" if held else "nobody was in the way",
        compared=tables,
    )


def advice_on_locks(held: Sequence[TableLock]) -> str:
    """What to do about sessions that keep a backup waiting."""
    pids = list(dict.fromkeys(lock.pid for lock in held if lock.pid is not None))
    ends = " or ".join(f"SELECT pg_terminate_backend({pid})" for pid in pids[:_NAMED])
    return (
        f"Let that work end, end it ({ends}), or wait longer (--lock-timeout)." if ends else "Try again, or wait longer (--lock-timeout)."
    )


def _reason(table: TableData) -> str:
    cause = table.not_readable.partition(": ")[0]
    return f"{table.name}: {cause}"


def _remedy(tables: Sequence[TableData]) -> str:
    """What would help, of the first few tables: it stands behind the cause (server/snapshot.py)."""
    cures = [table.not_readable.partition(": ")[2] for table in tables]
    each = dict.fromkeys(one.strip() for cure in list(dict.fromkeys(filter(None, cures)))[:_NAMED] for one in cure.split(";"))
    return "; ".join(each) + "."


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.1f} MB"  # noqa: PLR2004  # a gigabyte
