"""Is the dump as large as it should be?"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from pgaudit_kit.checks.backup_history import FAR_BELOW, FEW_BYTES
from pgaudit_kit.records.verdict import Check, Outcome


def check_dump_size(size_bytes: int | None, *, smallest: int | None, before: Sequence[int], share: float | None) -> Check:
    """`dump.size`: it is no smaller than *smallest* (failed), and not far smaller than the median of those *before* it (warned).

    *share*: which part of that it must have; without one it is a half, and sizes under 100 kB say nothing. With neither *smallest* nor
    any *before* there is nothing to compare with.
    """
    usual = round(median(before)) if before else None
    least = usual * (FAR_BELOW if share is None else share) if usual is not None else None
    known = size_bytes or 0
    below = smallest is not None and known < smallest
    small = least is not None and known < least and (share is not None or (usual or 0) >= FEW_BYTES)
    wanted = [f"{smallest:,} bytes or more"] if smallest is not None else []
    wanted += [f"about {usual:,} bytes, the median of the last {len(before)}"] if usual is not None else []
    outcome = Outcome.FAILED if below else Outcome.WARNED if small else Outcome.PASSED
    return Check(
        id="dump.size",
        question="Is it as large as it should be?",
        outcome=Outcome.NOT_CHECKED if size_bytes is None else outcome,
        expected="; ".join(wanted),
        found="its size is not known" if size_bytes is None else "" if not wanted else f"{known:,} bytes",
        compared=0 if size_bytes is None else len(before) + (smallest is not None),
        remedy="See what is gone with pgaudit diff. Keep the older backups until you know." if below or small else "",
    )
