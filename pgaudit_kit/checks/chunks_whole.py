"""Is an incremental backup whole: are all its chunks there, and do they add up to what the manifest recorded?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

_TOLD = 4
_HEAL = "Back up again, incrementally: what is still in the database is written anew. Until then rely on another backup."
_READ_AGAIN = "Check the store's rights and its disk, then verify again; when the disk is failing, delete the packs that it cannot read."
_TAKE_AGAIN = "Back up again with --full-read, which trusts no list of chunks."


def check_chunks(lost: Mapping[str, int], *, compared: int, unread: str = "") -> Check:
    """`chunks.whole`: each of the *compared* chunks is there, byte for byte; *lost*: how many are not, by what they belong to.

    *unread*: why those could not be read, which does not say that they are bad.
    """
    what = "could not be read" if unread else "are lost or broken"
    why = f" ({unread})" if unread else ""
    told = [f"{name} ({count:,})" for name, count in sorted(lost.items())]
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return Check(
        id="chunks.whole",
        question="Is every chunk that it uses there, with the digest it is named by?",
        outcome=Outcome.NOT_CHECKED if unread else Outcome.FAILED if lost else Outcome.PASSED,
        expected=f"{many(compared, 'chunk')}, whole",
        found=f"{sum(lost.values()):,} {what}: of {', '.join(told[:_TOLD])}{more}{why}" if lost else f"{many(compared, 'chunk')}, whole",
        compared=compared,
        remedy=_READ_AGAIN if unread else _HEAL if lost else "",
        evidence=tuple({"table": name, "chunks": count} for name, count in sorted(lost.items())),
    )


def check_sums(sums: Sequence[tuple[str, Fingerprint, Fingerprint | None]], *, skipped: int) -> Check:
    """`chunks.sums`: what the chunks of a table add up to is what the manifest recorded of it; *sums*: name, found, recorded.

    *skipped*: the tables whose chunks are not all there, of which `chunks.whole` tells.
    """
    compared = [(name, found, recorded) for name, found, recorded in sums if recorded is not None]
    wrong = [(name, found, recorded) for name, found, recorded in compared if found != recorded]
    unknown = len(sums) - len(compared)
    told = [f"{name}: {many(found.rows, 'row')}, {recorded.rows:,} recorded" for name, found, recorded in wrong[:_TOLD] if recorded]
    beside = [f"{n} {words}" for n, words in ((unknown, "without a recorded fingerprint"), (skipped, "not whole")) if n]
    return Check(
        id="chunks.sums",
        question="Do the chunks of each table add up to the rows that the manifest recorded?",
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected="counts and fingerprints as recorded",
        found="; ".join(told or [f"{len(compared)} of {many(len(sums) + skipped, 'table')} add up", *beside]),
        compared=len(compared),
        remedy=_TAKE_AGAIN if wrong else "",
        evidence=tuple({"table": name, "rows": f.rows, "recorded": r.rows} for name, f, r in wrong if r),
    )
