"""Does the migration ledger say what it should, and is no migration stuck?"""

from __future__ import annotations

from collections.abc import Mapping

from pgaudit_kit.records.ledger import Ledger, Migration
from pgaudit_kit.records.verdict import Check, Outcome


def check_ledger_match(expected: Ledger, found: Ledger | None) -> Check:
    """`migrations.ledger`: the ledger holds the very same rows as recorded."""
    left = {m.id: m for m in expected.migrations}
    right = {m.id: m for m in found.migrations} if found else {}
    wrong = [f"missing {left[i].name}" for i in left if i not in right]
    wrong += [f"unexpected {right[i].name}" for i in right if i not in left]
    wrong += [f"changed {left[i].name}" for i in left if i in right and left[i] != right[i]]
    if found is None:
        wrong = [f"the table {expected.table} is gone"]
    return Check(
        id="migrations.ledger",
        question="Does the migration ledger say what it said?",
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected=f"{len(left)} migrations of {expected.tool}",
        found="; ".join(wrong) or "the same",
        compared=max(len(left), 1),
        remedy="Bring the ledger back before running any migration command." if wrong else "",
        evidence=tuple({"migration": w} for w in wrong),
    )


def check_ledger_state(ledger: Ledger, checksums: Mapping[str, str] | None = None) -> Check:
    """`migrations.state`: nothing failed or was rolled back last; with *checksums* of the files on disk, none was edited or is missing.

    *checksums* maps the migration's name to the lower-case hex SHA-256 of its file.
    """
    last: dict[str, Migration] = {m.name: m for m in ledger.migrations}
    wrong = [f"{name} {m.state}" for name, m in last.items() if m.state != "applied"]
    if checksums is not None:
        wrong += [f"{name} has no file" for name in last if name not in checksums]
        wrong += [f"{name} was edited after it was applied" for name, m in last.items() if checksums.get(name, m.checksum) != m.checksum]
        wrong += [f"{name} is not applied" for name in sorted(set(checksums) - set(last))]
    return Check(
        id="migrations.state",
        question="Is every migration applied" + (" and its file unchanged?" if checksums is not None else "?"),
        outcome=Outcome.WARNED if wrong else Outcome.PASSED,
        expected=f"{len(last)} migrations applied",
        found="; ".join(wrong) or "all applied",
        compared=len(last),
        remedy="`prisma migrate status` and `prisma migrate resolve` before the next deploy." if wrong else "",
        evidence=tuple({"migration": w} for w in wrong),
    )
