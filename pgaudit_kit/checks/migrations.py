"""Does the migration ledger say what it should: is nothing stuck, are the files those that were applied, does the catalog hold them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pgaudit_kit.records.ledger import Ledger, MigrationStatus, State
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome, worst

NAMED = 5  # findings named in the check's sentence; its evidence has all
Fault = tuple[str, str]  # what is wrong, and what to do


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
        expected=f"{many(len(left), 'migration')} of {expected.tool}",
        found="; ".join(wrong) or "the same",
        compared=max(len(left), 1),
        remedy="Bring the ledger back before running any migration command." if wrong else "",
        evidence=tuple({"migration": w} for w in wrong),
    )


def check_ledger_state(statuses: Sequence[MigrationStatus], faults: Iterable[Fault] = (), *, at_worst: Outcome = Outcome.FAILED) -> Check:
    """`migrations.state`: no migration failed, or was rolled back last, by the ledger alone. *faults* are those of the ledger as a whole.

    *at_worst*: of a dump whose ledger is only as bad as the database's was, a warning is enough.
    """
    rows = [status for status in statuses if status.ledger != "not there"]
    return _check(
        ("state", "Is no migration stuck?"),
        rows,
        passed="all applied" if all(s.state is not State.ROLLED_BACK for s in rows) else "none is stuck",
        nothing="the ledger is empty",
        faults=faults,
        at_worst=at_worst,
    )


def check_files(statuses: Sequence[MigrationStatus], faults: Iterable[Fault], *, checksums: str) -> Check:
    """`migrations.files`: the folder has the files that were applied, unedited, and no others. *faults* are those of the folder as a whole.

    *checksums*: what the ledger records of each file; "" nothing that could be verified, so that only names were compared.
    """
    looked = [status for status in statuses if status.file and status.file != "of another folder"]
    late = sum(status.out_of_order for status in looked)
    passed = f"the same, by {checksums}" if checksums else "the same names; the ledger has no checksum that is verified"
    if late:
        passed += f"; {late} out of order"
    asked = ("files", "Are the files in the folder those that were applied?")
    return _check(asked, looked, passed=passed, nothing="no file to compare", faults=faults)


def check_catalog(statuses: Sequence[MigrationStatus]) -> Check:
    """`migrations.catalog`: what applied migrations make is there, and what the others make is not."""
    looked = [status for status in statuses if status.catalog.startswith(("has ", "lacks "))]
    doubted = [status for status in statuses if status not in looked and "catalog" in status.faults]
    others = len(statuses) - len(looked) - len(doubted)
    nothing_to_see = f"; of {others} more there is nothing to look for, or no script" if others else ""
    return _check(
        ("catalog", "Does the catalog hold what the applied migrations make, and nothing of the others?"),
        [*looked, *doubted],
        passed=f"it does{nothing_to_see}",
        nothing="no script says what it makes",
    )


def check_order(late: Sequence[tuple[str, str, str]], looked: int) -> Check:
    """`migrations.order`: no script needs a table that a later one makes. *late*: migration, the table, the one that makes it."""
    said = [f"{name} needs {table}, which {maker} makes behind it" for name, table, maker in late]
    return Check(
        id="migrations.order",
        question="Would an empty database get through the migrations in the order of their names?",
        outcome=Outcome.WARNED if late else Outcome.PASSED,
        expected=many(looked, "script"),
        found="; ".join(said[:NAMED]) or "it would, as far as tables go",
        compared=looked,
        remedy="Nothing breaks here; a new database would: rename it behind the other, and its row in every ledger." if late else "",
        evidence=tuple({"migration": name, "fault": text} for (name, _, _), text in zip(late, said, strict=True)),
    )


def check_no_ledger(found: str, remedy: str) -> Check:
    """`migrations.state`, when there is no ledger that could be read."""
    return Check("migrations.state", "Is no migration stuck?", Outcome.NOT_CHECKED, found=found, remedy=remedy)


def _check(
    asked: tuple[str, str],
    looked: Sequence[MigrationStatus],
    *,
    passed: str,
    nothing: str,
    faults: Iterable[Fault] = (),
    at_worst: Outcome = Outcome.FAILED,
) -> Check:
    aspect, question = asked
    wrong = [status for status in looked if aspect in status.faults]
    of_all = list(faults)
    outcomes = [Outcome(status.faults[aspect]) for status in wrong] + [Outcome.FAILED] * len(of_all)
    outcome = worst([Outcome.PASSED, *outcomes])
    sentences = [said for said, _ in of_all] + [f"{status.name}: {_said(status, aspect)}" for status in wrong]
    shown = "; ".join(sentences[:NAMED]) + (f"; and {len(sentences) - NAMED} more" if len(sentences) > NAMED else "")
    remedies = dict.fromkeys([remedy for _, remedy in of_all if remedy] + [status.remedy for status in wrong if status.remedy])
    return Check(
        id=f"migrations.{aspect}",
        question=question,
        outcome=at_worst if outcome is Outcome.FAILED else outcome,
        expected=many(len(looked), "migration"),
        found=shown or (passed if looked else nothing),
        compared=len(looked),
        remedy=" ".join(remedies),
        evidence=(
            *({"migration": "", "fault": said, "remedy": remedy} for said, remedy in of_all),
            *({"migration": s.name, "state": str(s.state), "fault": _said(s, aspect), "remedy": s.remedy} for s in wrong),
        ),
    )


def _said(status: MigrationStatus, aspect: str) -> str:
    return f"{status.state.replace('_', ' ')}, the catalog {status.catalog}" if aspect == "catalog" else status.reason
