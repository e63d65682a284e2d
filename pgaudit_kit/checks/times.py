"""Is the backup young enough, and does a restore end soon enough?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pgaudit_kit.records.units import shown_span
from pgaudit_kit.records.verdict import Check, Outcome

# A dump tells the local time of the machine that made it, without its zone: those of the world reach from UTC-12 to UTC+14
_EARLIEST, _LATEST = timedelta(hours=-14), timedelta(hours=12)
_CLOCKS_DIFFER = timedelta(minutes=5)


def check_age(taken_at: datetime | None, *, rpo: timedelta, now: datetime) -> Check:
    """`dump.age`: no more than *rpo* has passed since *taken_at*; without a zone that is known only where every zone gives one answer."""
    if taken_at is None:
        return _age(Outcome.NOT_CHECKED, rpo, "neither a manifest nor the file says when it was taken", compared=0)
    zoned = taken_at.tzinfo is not None
    local = taken_at if zoned else taken_at.replace(tzinfo=UTC)
    youngest, oldest = (now - local, now - local) if zoned else (now - (local + _LATEST), now - (local + _EARLIEST))
    said = f"taken at {taken_at:%Y-%m-%d %H:%M:%S}{' UTC' if zoned else ' local time of an unknown zone'}"
    if oldest < -_CLOCKS_DIFFER:
        return _age(Outcome.NOT_CHECKED, rpo, f"{said}, which is yet to come: a clock is wrong", compared=0)
    if oldest <= rpo:
        return _age(Outcome.PASSED, rpo, f"{_aged(oldest)} old, {said}" if zoned else f"no older than {_aged(oldest)}, {said}")
    if youngest > rpo:
        return _age(Outcome.FAILED, rpo, f"{_aged(youngest)} old, {said}" if zoned else f"at least {_aged(youngest)} old, {said}")
    return _age(Outcome.NOT_CHECKED, rpo, f"{said}: {_aged(youngest)} to {_aged(oldest)} old", compared=0)


def _aged(age: timedelta) -> str:
    return shown_span(max(age.total_seconds(), 0))


def _age(outcome: Outcome, rpo: timedelta, found: str, *, compared: int = 1) -> Check:
    remedies = {
        Outcome.FAILED: "Back up now, and find out why no newer backup is there.",
        Outcome.NOT_CHECKED: "Make backups with pgaudit: the manifest beside them says when.",
    }
    return Check(
        id="dump.age",
        question="Is it young enough?",
        outcome=outcome,
        expected=f"no older than {shown_span(rpo.total_seconds())} (RPO)",
        found=found,
        compared=compared,
        remedy=remedies.get(outcome, ""),
    )


def check_duration(seconds: float | None, *, rto: timedelta, of: str, at_worst: Outcome = Outcome.FAILED) -> Check:
    """`restore.duration`: *of* (a restore, a rehearsal, and where) took no longer than *rto*; None: nobody knows, and *of* says why.

    *at_worst*: of a restore that is done and proven, a warning is enough.
    """
    slow = seconds is not None and seconds > rto.total_seconds()
    return Check(
        id="restore.duration",
        question="Is it restored soon enough?",
        outcome=Outcome.NOT_CHECKED if seconds is None else at_worst if slow else Outcome.PASSED,
        expected=f"no longer than {shown_span(rto.total_seconds())} (RTO)",
        found=of if seconds is None else f"{shown_span(seconds)}, {of}",
        compared=0 if seconds is None else 1,
        remedy="Rehearse it: pgaudit rehearse keeps how long it took beside the backup."
        if seconds is None
        else "Load with more connections (-j), use a faster machine, or a format that loads faster (directory, custom)."
        if slow
        else "",
    )
