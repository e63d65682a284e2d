"""The whole path walked once on a throwaway server: back up, break, find out, verify, rehearse, restore, roll back; every report once."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.demo.incident import Incident, play_incident
from pgaudit_kit.demo.proof import prove_found
from pgaudit_kit.demo.sample_app import APPLICATION, create_sample_app
from pgaudit_kit.errors import OperationError
from pgaudit_kit.operations.restores.maintenance import maintenance_connection
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.rollback import rollback
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.targets import resolve_target

DATABASE = "app"
VARIABLE = "PGAUDIT_DEMO_URL"
TARGET = f"env:{VARIABLE}"
NOT_CHECKED = "not_checked"


class Report(Protocol):
    """What running a report gives back (reporting.notebooks.ReportResult)."""

    @property
    def verdict(self) -> str:
        """One of `passed`, `failed`, `same`, `different`, `not_checked`."""

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""

    @property
    def html_path(self) -> Path:
        """The report."""

    @property
    def notebook_path(self) -> Path:
        """The executed notebook."""


class RunReport(Protocol):
    """How a report is run (reporting.notebooks.run_report); handed in, because that room is above this one."""

    def __call__(self, name: str, *, parameters: Mapping[str, object], output_folder: Path) -> Report:
        """Run the notebook *name*."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the demo: what it said, and whether that is what it had to say. `html_path` is None for a step without a report."""

    name: str
    verdict: str
    as_expected: bool
    sentence: str
    html_path: Path | None = None


@dataclass(frozen=True)
class DemoResult:
    """All steps in order, and the record of the incident (None when the demo ended before it)."""

    steps: tuple[Step, ...]
    incident: Incident | None
    seconds: float

    @property
    def reports(self) -> tuple[Path, ...]:
        """The HTML reports written."""
        return tuple(step.html_path for step in self.steps if step.html_path)

    @property
    def exit_code(self) -> int:
        """0 when every step was as it must be, 3 when one that was not could not be checked, else 1."""
        wrong = [step for step in self.steps if not step.as_expected]
        if not wrong and [step.name for step in self.steps] == list(_STEPS):
            return 0
        return 3 if any(step.verdict == NOT_CHECKED for step in wrong) else 1


_STEPS = ("backup", "incident", "migrations", "verify", "rehearse", "explore", "restore", "rollback")


def run_demo(*, folder: Path, reports: Path, say: Callable[[str], None], run_report: RunReport) -> DemoResult:
    """Walk the whole path on an embedded server, saying each step through *say*, and return what came of it.

    The application's files go to *folder*/app, its backup to *folder*/backups, the reports to *reports*. The server's data are
    temporary, and it is stopped at the end whatever happens. A step that is not as it must be ends the walk. Raises the errors of
    EmbeddedServer, create_sample_app, play_incident, restore, rollback and *run_report*.
    """
    begun = time.monotonic()
    shutil.copytree(APPLICATION, folder / "app", dirs_exist_ok=True)
    with EmbeddedServer() as server, _variable(VARIABLE, server.url(DATABASE)):
        say(f"server     PostgreSQL {server.version}, embedded, only for this demo")
        walk = _Walk(folder, reports, say, run_report)
        walk.create_application()
        look = (walk.find_out, walk.read_the_ledger, walk.verify, walk.rehearse, walk.explore)
        for step in (walk.back_up, *look, walk.restore, walk.roll_back):
            if not step():
                break
    result = DemoResult(tuple(walk.steps), walk.incident, time.monotonic() - begun)
    say(f"demo       {'passed' if result.exit_code == 0 else 'failed'} in {result.seconds:.0f} s, the server is stopped")
    return result


class _Walk:
    """The steps; each takes what the ones before it left, and says whether the walk can go on."""

    def __init__(self, folder: Path, reports: Path, say: Callable[[str], None], run_report: RunReport) -> None:
        self.steps: list[Step] = []
        self.incident: Incident | None = None
        self._dump = Path()
        self._app = folder / "app"
        self._store = folder / "backups"
        self._reports = reports
        self._say = say
        self._run_report = run_report

    def create_application(self) -> None:
        """Create the database and the sample application in it."""
        with maintenance_connection(resolve_target(TARGET)) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        rows = create_sample_app(TARGET)
        self._say(f"app        {sum(rows.values()):,} rows in {len(rows)} tables: {', '.join(sorted(rows))}")

    def back_up(self) -> bool:
        """Back up through the notebook, and find the dump that it wrote."""
        there = set(self._store.glob("*.dump"))
        done = self._report("backup", {"target": TARGET, "store": str(self._store)}, expected="passed")
        written = set(self._store.glob("*.dump")) - there
        if done and len(written) != 1:
            raise OperationError(
                f"the backup report passed, but wrote {len(written)} dumps", resource=str(self._store), remedy="Give another --folder."
            )
        self._dump = next(iter(written), Path())
        return done

    def find_out(self) -> bool:
        """Play the incident, compare dump and live database through the notebook, and hold what is found against the record."""
        incident = self.incident = play_incident(TARGET)
        deleted, edited, added = len(incident.deleted), len(incident.edited), len(incident.added)
        self._say(
            f"played     {deleted} rows deleted, {edited} edited, {added} added, {incident.emptied.table} emptied,"
            " an index and a foreign key dropped, a default changed, a sequence rewound, a migration forgotten"
        )
        with diff(self._dump, TARGET) as difference:
            proof = prove_found(difference, incident)
        parameters = {"dump": str(self._dump), "target": TARGET}
        return self._report("incident", parameters, expected="different", besides=proof.holds, sentence=proof.sentence)

    def verify(self) -> bool:
        """Verify the dump against its manifest through the notebook."""
        return self._report("verify", {"dump": str(self._dump), "manifest": ""}, expected="passed")

    def read_the_ledger(self) -> bool:
        """Hold the ledger of the live database against the application's migrations, one of which the incident made it forget."""
        return self._report("migrations", {"source": TARGET, "folder": str(self._app)}, expected="failed")

    def rehearse(self) -> bool:
        """Restore the dump into another throwaway server, and compare."""
        return self._report("rehearse", {"dump": str(self._dump)}, expected="passed")

    def explore(self) -> bool:
        """Look into the dump, and ask it something with SQL."""
        query = "SELECT role, count(*) AS users FROM users GROUP BY role ORDER BY users DESC"
        return self._report("explore", {"dump": str(self._dump), "query": query}, expected="passed")

    def restore(self) -> bool:
        """Restore through the notebook; the database must then equal the dump."""
        parameters = {"dump": str(self._dump), "target": TARGET, "force": False, "confirm": DATABASE}
        if not self._report("restore", parameters, expected="passed"):
            return False
        same = self._is_restored()
        if not same:
            self._add(Step("restore", "different", False, "the restored database does not equal the dump"))  # noqa: FBT003
        return same

    def roll_back(self) -> bool:
        """Bring the broken database back, which must be exactly what it was, and then restore once more."""
        rollback(TARGET, confirm=lambda _: True)
        broken = self._is_broken()
        again = restore(self._dump, TARGET, confirm=lambda _: True)
        restored = again.replaced and again.verdict is Outcome.PASSED and self._is_restored()
        if broken and restored:
            sentence = "the broken database came back exactly as it was, and was then restored once more"
        else:
            sentence = f"the {'restored' if broken else 'broken'} database did not come back as it was"
        return self._add(Step("rollback", "passed" if broken and restored else "failed", broken and restored, sentence))

    def _is_broken(self) -> bool:
        with diff(self._dump, TARGET) as difference:
            return self.incident is not None and prove_found(difference, self.incident).holds

    def _is_restored(self) -> bool:
        with diff(self._dump, TARGET) as difference:
            return difference.verdict == "same"

    def _report(self, name: str, parameters: Mapping[str, object], *, expected: str, besides: bool = True, sentence: str = "") -> bool:
        report = self._run_report(name, parameters=parameters, output_folder=self._reports)
        as_expected = report.verdict == expected and besides
        return self._add(Step(name, report.verdict, as_expected, sentence or report.sentence, report.html_path))

    def _add(self, step: Step) -> bool:
        self.steps.append(step)
        surprise = "" if step.as_expected else " (this is not what it had to be)"
        where = f"  {step.html_path}" if step.html_path else ""
        self._say(f"{step.name:<10} {step.verdict}{surprise}: {step.sentence}{where}")
        return step.as_expected


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for the block: notebooks inherit it, and no address has to be written into one."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
