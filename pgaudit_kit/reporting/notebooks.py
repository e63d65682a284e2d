"""Run a notebook and keep what it found: one HTML report, and beside it the executed notebook, both without secrets."""

from __future__ import annotations

import itertools
import os
import platform
import re
import shlex
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgaudit_kit.display import html as pieces
from pgaudit_kit.errors import OperationError
from pgaudit_kit.reporting.conclusion import EXIT_CODES, Conclusion, conclusion_of, moment_text
from pgaudit_kit.reporting.execution import Failure, execute
from pgaudit_kit.reporting.html import Page, render, title_of
from pgaudit_kit.reporting.overview import write_overview
from pgaudit_kit.reporting.page_script import with_script
from pgaudit_kit.reporting.parameters import check_parameters, load_notebook, notebook_parameters
from pgaudit_kit.reporting.runs import Run, subject_of
from pgaudit_kit.reporting.secrets import Secrets, secrets_of


@dataclass(frozen=True)
class ReportResult:
    """One report: its verdict with the sentence that matters, and its files.

    `verdict` is one of `passed`, `warned`, `failed`, `same`, `different`, `not_checked`; `exit_code` 0, 1 or 3 accordingly.
    `error` says what stopped the notebook ("" when it ran to its end); the report is written all the same.
    """

    name: str
    verdict: str
    exit_code: int
    html_path: Path
    notebook_path: Path
    error: str
    sentence: str
    next_steps: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<ReportResult {self.name}: {self.verdict}, {self.html_path}>"

    def _repr_html_(self) -> str:
        files = {"Report": self.html_path, "Executed notebook": self.notebook_path}
        return pieces.fragment(pieces.banner(self.verdict, self.sentence), pieces.next_steps(self.next_steps), pieces.summary(files))


def run_report(
    name: str, *, parameters: Mapping[str, object] | None = None, output_folder: str | os.PathLike[str] = "reports", label: str = ""
) -> ReportResult:
    """Run the notebook *name* with *parameters* and write its report.

    *name* is one of `parameters.report_names()`, or the path of an `.ipynb` of your own. The files are
    `<name>[-<label>]-<UTC time>.html` and `.ipynb` in *output_folder*; nothing that exists is overwritten. Relative paths
    among the parameters mean the current folder. A cell that fails still gives a report, with verdict `not_checked`.

    Raises UsageError (no such notebook), ParameterError (an unknown parameter, one of the wrong type, one that holds a
    password, a required one missing), OperationError (*output_folder* cannot be written); all before anything runs.
    """
    notebook = load_notebook(name)
    short_name = Path(name).stem
    known = notebook_parameters(notebook)
    checked = check_parameters(short_name, known, parameters or {})
    folder = _writable(Path(output_folder))
    settings = {p.name: checked.get(p.name, p.default_value) for p in known}
    secrets = secrets_of(settings)

    started = datetime.now(UTC)
    executed, failure = execute(notebook, checked)
    finished = datetime.now(UTC)
    facts = _run_facts(started, finished, settings)
    clean = secrets.hide_in_notebook(executed)
    failure = _without_secrets(failure, secrets)
    conclusion = _conclusion(conclusion_of(clean), failure, name, secrets.hide_in_notebook(checked))
    page = _page(clean, short_name, conclusion, facts, failure)
    subject = subject_of(conclusion.facts, secrets.hide_in_notebook(settings))
    page = replace(page, run_meta=_run(page, short_name, subject, started, finished).to_meta())
    stem = "-".join(part for part in (short_name, re.sub(r"[^\w.-]+", "-", label), f"{started:%Y%m%dT%H%M%SZ}") if part)
    try:
        html_path, notebook_path = _write(
            folder, stem, clean, lambda file: with_script(secrets.hide_in_html(render(clean, replace(page, notebook_file=file))))
        )
    except OSError as error:
        raise _unwritten(folder, error, conclusion) from error
    with suppress(OSError):  # the report is there; what it found must not be lost over a list of reports
        write_overview(folder)
    return ReportResult(
        short_name,
        conclusion.verdict,
        EXIT_CODES[conclusion.verdict],
        html_path,
        notebook_path,
        failure.said if failure else "",
        conclusion.sentence,
        conclusion.next_steps,
    )


def _page(notebook: dict[str, Any], name: str, conclusion: Conclusion, facts: Mapping[str, str], failure: Failure | None) -> Page:
    return Page(
        title=title_of(notebook) or name,
        verdict=conclusion.verdict,
        sentence=conclusion.sentence,
        generator=f"pgaudit_kit {_version()}",
        next_steps=conclusion.next_steps,
        facts={**conclusion.facts, **facts},
        failure=failure,
    )


def _run(page: Page, name: str, subject: str, started: datetime, finished: datetime) -> Run:
    return Run(
        report=name,
        title=page.title,
        verdict=page.verdict,
        sentence=page.sentence,
        subject=subject,
        started=started.isoformat(timespec="seconds"),
        seconds=(finished - started).total_seconds(),
    )


def _writable(folder: Path) -> Path:
    """Make *folder* and try it, before a notebook that may restore a database runs only to find no place for its report."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        reason = error.strerror or str(error)
        raise OperationError(
            f"no report can be written to {folder}: {reason}", resource=str(folder), remedy="Name another folder with output_folder (-o)."
        ) from error


def _unwritten(folder: Path, error: OSError, conclusion: Conclusion) -> OperationError:
    """The notebook may have restored a database: what came of it is said, although its report could not be kept."""
    return OperationError(
        f"the notebook ran ({pieces.look(conclusion.verdict).word}: {conclusion.sentence.rstrip('.')}),"
        f" but its report could not be written: {error.strerror or error}",
        resource=str(folder),
        remedy="What it did is done; see to the folder before it runs again.",
    )


def _without_secrets(failure: Failure | None, secrets: Secrets) -> Failure | None:
    if failure is None:
        return None
    return Failure(**{name: secrets.hide(getattr(failure, name)) for name in ("heading", "source", "error_type", "message", "traceback")})


def _conclusion(concluded: Conclusion, failure: Failure | None, name: str, parameters: Mapping[str, Any]) -> Conclusion:
    """What the report says in all. A notebook that was stopped is `not_checked`: being unable to look is no finding; a bad dump is one."""
    if failure is None:
        return concluded
    sentence = f"This report could not be finished: {failure.message or failure.error_type}"
    if concluded.facts or concluded.next_steps:
        sentence = f"{sentence.rstrip('.')}. Before that it had found: {pieces.look(concluded.verdict).word}, {concluded.sentence}"
    again = " ".join(["pgaudit report", shlex.quote(name), *(f"-p {shlex.quote(f'{k}={v}')}" for k, v in parameters.items())])
    if failure.is_ours:
        steps = ["Put right what the message names.", f"Then run it again, each parameter as it has to be: {again}"]
    elif failure.error_type == "DeadKernelError":
        cause = "The process that ran the notebook ended without a word, most often for lack of memory: look at the system's log."
        steps = [cause, f"Run it again: {again}"]
    else:
        unforeseen = "This error was not foreseen: keep the executed notebook beside this report, its traceback says where it happened."
        steps = [unforeseen, f"Run it again: {again}"]
    verdict = "failed" if failure.is_a_finding else "not_checked"
    return Conclusion(verdict, sentence, (*steps, *concluded.next_steps), concluded.facts)


def _version() -> str:
    from importlib.metadata import version

    return version("pgaudit-kit")


def _run_facts(started: datetime, finished: datetime, settings: Mapping[str, Any]) -> dict[str, str]:
    facts = {
        "Run at": moment_text(started),
        "Duration": f"{(finished - started).total_seconds():.1f} s",
        "Tool": f"pgaudit_kit {_version()}, Python {platform.python_version()}",
    }
    # the defaults too: a report must say what it was made with
    made_with = "\n".join(f"{name} = {'(empty)' if value == '' else value}" for name, value in settings.items())
    return facts | ({"Parameters": made_with} if made_with else {})


def _write(folder: Path, stem: str, notebook: dict[str, Any], page_for: Callable[[str], str]) -> tuple[Path, Path]:
    """Write both files under a free name. Each appears whole or not at all; the notebook, written first, takes the name."""
    for number in itertools.count(1):
        unique = stem if number == 1 else f"{stem}-{number}"
        html_path, notebook_path = folder / f"{unique}.html", folder / f"{unique}.ipynb"
        if not html_path.exists() and _publish(_notebook_text(notebook, notebook_path.name), notebook_path):
            _publish(page_for(notebook_path.name), html_path)
            return html_path, notebook_path
    raise AssertionError  # count() does not end


def _notebook_text(notebook: dict[str, Any], file_name: str) -> str:
    """The notebook as JSON. What papermill records of its input and output, a whole notebook and a folder that is gone, is put right."""
    import nbformat

    from_dict: Callable[..., Any] = nbformat.from_dict
    writes: Callable[..., str] = nbformat.writes
    papermill = {**notebook["metadata"].get("papermill", {}), "input_path": file_name, "output_path": file_name}
    return writes(from_dict({**notebook, "metadata": {**notebook["metadata"], "papermill": papermill}})) + "\n"


def _publish(text: str, path: Path) -> bool:
    """Put *text* at *path* at once, unless something is there already; says which."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.touch(mode=0o600)  # a report shows rows: readable by its owner only, as a backup is
        part.write_text(text, encoding="utf-8", newline="\n")
        return _named(part, path)
    finally:
        part.unlink(missing_ok=True)


def _named(part: Path, path: Path) -> bool:
    try:
        os.link(part, path)  # the one call that both is atomic and refuses to replace
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        part.replace(path)
    return True
