from __future__ import annotations

import datetime as dt
import html
import json
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pytest

from pgaudit_kit.errors import OperationError, ParameterError
from pgaudit_kit.reporting import ReportResult, run_report
from pgaudit_kit.reporting.conclusion import moment_text
from tests.reporting.pages import assert_self_contained
from tests.reporting.small_notebooks import MakeNotebook, bytes_under, code, prose

pytestmark = pytest.mark.slow

CONCLUDE = "from pgaudit_kit.reporting import conclude, show, figures\n"
SECRET = "Tr0ub4dor&3 <x>/@'\"\\é"  # every character that some format writes in another way


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the reports; the current folder is another, empty one."""
    elsewhere = tmp_path / "caller's folder"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return tmp_path / "reports"


def run(notebook: str, out: Path, **parameters: Any) -> tuple[ReportResult, str, dict[str, Any]]:
    result = run_report(notebook, parameters=parameters, output_folder=out)
    page = result.html_path.read_text(encoding="utf-8")
    return result, page, json.loads(result.notebook_path.read_text(encoding="utf-8"))


def test_the_verdict_its_sentence_and_the_next_step_stand_above_everything_else(make_notebook: MakeNotebook, out: Path) -> None:
    cell = code(CONCLUDE + 'conclude("failed", "12 rows are missing.", ["Restore it."], facts={"Dump": "app.dump", "Nothing": None})')
    result, page, executed = run(make_notebook(cell, prose("## Evidence\n\nIt is here."), name="sample"), out, number=7)
    assert (result.name, result.verdict, result.exit_code, result.error) == ("sample", "failed", 1, "")
    assert (result.sentence, result.next_steps) == ("12 rows are missing.", ("Restore it.",))
    page = page.partition("<body>")[2]  # the head has the facts of the run for the overview
    order = [page.index(s) for s in ("<h1", "12 rows are missing.", "Restore it.", "app.dump", "number = 7", "Evidence", "It is here.")]
    assert order == sorted(order)
    assert page.count("12 rows are missing.") == 1
    assert "Nothing" not in page
    assert "UTC" in page
    assert_self_contained(result.html_path.read_text(encoding="utf-8"))
    assert executed["metadata"]["papermill"]["output_path"] == result.notebook_path.name
    assert result.notebook_path.name in page


def test_no_code_and_no_prompt_is_in_the_page_and_cells_for_jupyter_are_left_out(make_notebook: MakeNotebook, out: Path) -> None:
    cells = (prose("How to run it by hand", "notebook-only"), code("secret_of_the_cell = 41 + 1\nprint('shown', secret_of_the_cell)"))
    _, page, _ = run(make_notebook(*cells), out)
    assert "secret_of_the_cell" not in page
    assert "shown 42" in page
    assert "How to run it by hand" not in page
    assert "In [" not in page


@pytest.mark.parametrize(
    ("said", "verdict", "exit_code"),
    [
        (["passed"], "passed", 0),
        (["same"], "same", 0),
        (["warned", "passed"], "warned", 0),
        (["different", "same"], "different", 1),
        (["not_checked", "passed"], "not_checked", 3),
        (["failed", "not_checked"], "failed", 1),
        ([], "not_checked", 3),
    ],
)
def test_the_worst_verdict_counts_and_none_at_all_is_not_checked(
    make_notebook: MakeNotebook, out: Path, said: list[str], verdict: str, exit_code: int
) -> None:
    cells = [code(CONCLUDE + f'conclude("{word}", "Said {word}.")') for word in said]
    result, page, _ = run(make_notebook(*cells), out)
    assert (result.verdict, result.exit_code) == (verdict, exit_code)
    assert (f"Said {verdict}." in page) == bool(said)


def test_a_report_is_readable_by_its_owner_only_because_it_shows_rows(make_notebook: MakeNotebook, out: Path) -> None:
    done, _, _ = run(make_notebook(code("1 + 1")), out)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (done.html_path, done.notebook_path)] == [0o600, 0o600]


def test_a_word_that_is_no_verdict_in_the_output_is_not_checked(make_notebook: MakeNotebook, out: Path) -> None:
    cell = code('display({"application/vnd.pgaudit.verdict+json": {"verdict": "splendid"}, "text/plain": "x"}, raw=True)')
    result, _, _ = run(make_notebook(cell), out)
    assert (result.verdict, result.exit_code) == ("not_checked", 3)


def test_a_failing_cell_still_gives_a_report_with_the_failure_and_what_to_do_next(make_notebook: MakeNotebook, out: Path) -> None:
    failing = code(
        "from pgaudit_kit.errors import DumpNotFound\n"
        "raise DumpNotFound('no such file', resource='a.dump', remedy='Give the path of a <dump>.')"
    )
    notebook = make_notebook(prose("## Read the dump"), failing, prose("## Never reached"), code("print('nor this')"))
    result, page, executed = run(notebook, out, number=5)
    assert (result.verdict, result.exit_code) == ("not_checked", 3)
    assert result.error == "DumpNotFound: a.dump: no such file. Give the path of a <dump>."
    assert "could not be finished: a.dump: no such file. Give the path of a &lt;dump&gt;." in page
    assert "Read the dump" in page
    assert "-p number=5" in page
    assert "Traceback" in page[page.index("<details>") :]
    assert "Never reached" not in page
    assert_self_contained(page)
    assert [c for c in executed["cells"] if any(o["output_type"] == "error" for o in c.get("outputs", ()))]


def test_what_was_found_before_a_later_cell_failed_is_still_said(make_notebook: MakeNotebook, out: Path) -> None:
    cells = code(CONCLUDE + 'conclude("different", "12 rows are missing.", ["Restore it."])'), code("1 / 0")
    result, page, _ = run(make_notebook(*cells), out)
    assert result.exit_code == 3
    assert "12 rows are missing." in result.sentence
    assert "Restore it." in page
    assert result.error == "ZeroDivisionError: division by zero"


def test_a_kernel_that_dies_gives_a_report_too(make_notebook: MakeNotebook, out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result, page, _ = run(make_notebook(prose("## The end"), code("import os\nos._exit(1)")), out)
    assert (result.verdict, result.exit_code) == ("not_checked", 3)
    assert "DeadKernelError" in result.error
    assert "memory" in page
    assert "The end" in page
    assert capfd.readouterr() == ("", "")


def test_a_run_prints_nothing_runs_in_this_interpreter_and_in_the_callers_folder(
    make_notebook: MakeNotebook, out: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"  # of this run alone: another process of the suite may be running a report, too
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    _, page, _ = run(make_notebook(code("import os, sys\nprint(sys.executable, os.getcwd(), sep='\\n')")), out)
    assert html.escape(sys.executable) in page
    assert "caller's folder" in html.unescape(page)
    assert capfd.readouterr() == ("", "")
    assert list(scratch.iterdir()) == []


def test_another_kernel_called_python3_in_the_accounts_folder_is_not_taken(
    make_notebook: MakeNotebook, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    result, _, _ = run(make_notebook(code("print(1)")), out)
    assert result.error == ""


def test_a_wrong_parameter_is_refused_before_anything_runs_or_is_written(make_notebook: MakeNotebook, out: Path, tmp_path: Path) -> None:
    notebook = make_notebook(code("open('ran', 'w')"))
    for wrong in ({"numbr": 1}, {"number": "x"}, {"target": f"postgresql://app:{quote(SECRET, safe='')}@db/app"}):
        with pytest.raises(ParameterError):
            run(notebook, out, **wrong)
    assert not out.exists()
    assert not Path("ran").exists()


def test_an_output_folder_that_cannot_be_written_is_refused_before_anything_runs(make_notebook: MakeNotebook, out: Path) -> None:
    out.write_text("a file is here already")
    with pytest.raises(OperationError, match="no report can be written"):
        run(make_notebook(code("open('ran', 'w')")), out)
    assert not Path("ran").exists()


def test_two_runs_in_one_second_get_two_names_and_leave_no_other_file(
    make_notebook: MakeNotebook, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            return cls(2025, 1, 2, 3, 4, 5, tzinfo=tz)

    monkeypatch.setattr("pgaudit_kit.reporting.notebooks.datetime", Stopped)
    notebook = make_notebook(code("1"))
    for _ in range(2):
        run_report(notebook, output_folder=out, label="customer a/b")
    stem = "small-customer-a-b-20250102T030405Z"
    reports = [f"{stem}{n}.{kind}" for n in ("", "-2") for kind in ("html", "ipynb")]
    assert sorted(f.name for f in out.iterdir()) == sorted([*reports, "index.html"])


PLANTED = (
    (
        "import html, os, sys, urllib.parse\n"
        "from IPython.display import HTML, Markdown\n"
        "from pgaudit_kit.reporting import conclude\n"
        "secret = os.environ['DATABASE_URL']\n"
        "plain = urllib.parse.unquote(secret.split('app:')[1].split('@db')[0])"
    ),
    "print(secret); print(plain); print(repr(plain)); display({'text/plain': plain, 'application/json': {plain: [plain]}}, raw=True)",
    "marked = html.escape(plain)\ndisplay(Markdown(f'it is `{plain}`'), HTML(f'<b title=\"{marked}\">{marked}</b>'))",
    "sys.stderr.write(f'connection to {secret} failed, password={plain}')",
    "conclude('failed', f'It is {plain}.', [plain], facts={plain: plain})",
    "raise RuntimeError(f'could not connect with {secret} and {plain}')",
)


@pytest.mark.parametrize("named", ["env:DATABASE_URL", "dotenv:.env"])
def test_a_secret_planted_everywhere_is_in_no_byte_of_any_file(
    make_notebook: MakeNotebook, out: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    url = f"postgresql://app:{quote(SECRET, safe='')}@db/app"
    monkeypatch.setenv("DATABASE_URL", url)
    Path(".env").write_text(f"DATABASE_URL={url}\n")
    result, page, _ = run(make_notebook(*map(code, PLANTED)), out, target=named)
    assert "RuntimeError" in result.error
    written = bytes_under(out) + f"{result!r}{result.error}{result.sentence}{result.next_steps}".encode()
    for form in (
        SECRET,
        quote(SECRET, safe=""),
        html.escape(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
    ):
        assert form.encode() not in written, form
    for piece in (b"Tr0ub4dor", "Tr0ub4dor".encode("utf-16-le"), b"Tr0ub4d"):
        assert piece not in written
    assert "•••" in page
    assert_self_contained(page)


def test_a_secret_of_a_target_that_is_only_the_notebooks_default_is_hidden_too(make_notebook: MakeNotebook, out: Path) -> None:
    Path(".env").write_text("DATABASE_URL=postgresql://app:planted-in-a-file@db/app\n")
    notebook = make_notebook(
        code("print(open('.env').read().split(':')[2].split('@')[0])"), parameters='target: str = "dotenv:.env"  # a database'
    )
    _, page, _ = run(notebook, out)
    assert b"planted" not in bytes_under(out)
    assert "•••" in page


def test_a_password_that_is_also_the_users_name_leaves_that_name_readable(
    make_notebook: MakeNotebook, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres:postgres@localhost/postgres")
    result, page, _ = run(
        make_notebook(code("import os\nprint('owner postgres'); print(os.environ['DATABASE_URL'])")), out, target="env:DATABASE_URL"
    )
    assert "owner postgres" in page
    assert "postgres:postgres@" not in page + result.notebook_path.read_text(encoding="utf-8")


def test_hostile_names_and_outputs_can_neither_run_nor_load_anything(make_notebook: MakeNotebook, out: Path) -> None:
    hostile = (
        CONCLUDE + "import pandas as pd\n"
        "name = '<script>alert(1)</script>'\n"
        "frame = pd.DataFrame({'schema': 'public', 'name': [name], 'rows_left': 1, 'rows_right': 2, name: name})\n"
        "display(figures.rows_per_table(frame), show(frame, name), frame)\n"
        "from IPython.display import HTML, Javascript\n"
        "display(HTML('<p>before</p><script src=\"https://evil.example/x.js\">alert(2)</script><p>after</p>'), Javascript('alert(3)'))\n"
        "conclude('failed', name, [name], facts={name: name})"
    )
    _, page, _ = run(make_notebook(code(hostile)), out)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "alert(2)" not in page
    assert "alert(3)" not in page
    assert "<p>after</p>" in page
    assert_self_contained(page)


def test_every_table_of_the_page_has_scopes_and_long_ones_are_folded_with_their_count(make_notebook: MakeNotebook, out: Path) -> None:
    cell = code(CONCLUDE + "import pandas as pd\nframe = pd.DataFrame({'n': range(1234)})\ndisplay(show(frame, 'Numbers'), frame.head(3))")
    _, page, _ = run(make_notebook(cell), out)
    assert "1,234 rows, 50 shown, 950 folded below, 234 left out" in page
    assert page.count("<th>") == 0
    assert page.count('<th scope="row">') == 3
    assert_self_contained(page)


def test_importing_the_reports_loads_nothing_heavy() -> None:
    program = "import sys, pgaudit_kit.reporting; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"pandas", "matplotlib", "papermill", "nbconvert", "nbformat", "IPython", "sqlalchemy"} & set(done.stdout.split())


def test_a_bar_of_progress_leaves_nothing_in_the_page(make_notebook: MakeNotebook, out: Path) -> None:
    cell = code(
        "import time\nfrom pgaudit_kit.display import progress\nprogress._SECONDS_OF_PATIENCE = 0\n"
        "with progress.Progress('reading') as bar:\n    bar.add(1)\n    time.sleep(0.2)\n    bar.add(10)\n"
        + CONCLUDE
        + 'conclude("same", "x")'
    )
    _, page, executed = run(make_notebook(cell), out)
    assert "Messages" not in page
    assert not [o for c in executed["cells"] for o in c.get("outputs", ()) if o["output_type"] == "stream"]


def test_what_was_found_is_said_also_when_its_report_cannot_be_written(make_notebook: MakeNotebook, out: Path) -> None:
    cells = code(CONCLUDE + 'conclude("passed", "It is restored.")'), code(f"import shutil\nshutil.rmtree({str(out)!r})")
    with pytest.raises(OperationError, match=r"the notebook ran \(passed: It is restored\), but its report could not be written") as caught:
        run_report(make_notebook(*cells), output_folder=out)
    assert "is done" in caught.value.remedy


def test_an_overview_that_cannot_be_written_takes_no_report_away(make_notebook: MakeNotebook, out: Path) -> None:
    (out / "index.html").mkdir(parents=True)
    result, page, _ = run(make_notebook(code(CONCLUDE + 'conclude("passed", "All there.")')), out)
    assert (result.verdict, "All there." in page) == ("passed", True)


def test_an_error_that_is_the_answer_is_a_finding_and_its_checks_are_shown(make_notebook: MakeNotebook, out: Path) -> None:
    cell = code(
        "from pgaudit_kit.errors import BadBackup\n"
        "from pgaudit_kit.records.verdict import Check, Outcome\n"
        "from pgaudit_kit.reporting import showing_refusals\n"
        "with showing_refusals():\n"
        "    error = BadBackup('the server refused the dump', resource='a.dump')\n"
        "    error.checks = (Check('restore.load', 'Could it be loaded?', Outcome.FAILED, 'no error', 'table app.odd'),)\n"
        "    raise error"
    )
    result, page, _ = run(make_notebook(cell, name="with a space"), out, number=5)
    assert (result.verdict, result.exit_code) == ("failed", 1)
    assert "table app.odd" in page.partition("<main")[2]
    assert any("pgaudit report '" in step and "-p number=5" in step for step in result.next_steps), "it can be pasted"


def test_what_a_url_carries_behind_its_question_mark_is_in_no_byte(
    make_notebook: MakeNotebook, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted/in+the=environment")
    monkeypatch.setenv("REPLICA", "postgresql://app@db/app?sslpassword=planted%2Fquery")
    cell = code(
        "import os\nprint(target, target.split('=')[2], os.environ['AWS_SECRET_ACCESS_KEY'], os.environ['REPLICA'], 'planted/query')\n1 / 0"
    )
    result, page, _ = run(make_notebook(cell), out, target="https://files/app.dump?X-Amz-Expires=60&X-Amz-Signature=plantedsignature0")
    assert "ZeroDivisionError" in result.error
    assert b"planted" not in bytes_under(out)
    assert "https://files/app.dump?•••" in page


def test_a_moment_has_its_day_by_this_machines_clock_when_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        monkeypatch.setenv("TZ", "EAST-5")
        time.tzset()
        assert moment_text(dt.datetime(2026, 11, 30, 22, 30, tzinfo=dt.UTC)) == "2026-11-30 22:30:00 UTC (2026-12-01 03:30:00 EAST here)"
        assert moment_text(dt.datetime(2026, 11, 30, 2, 30, tzinfo=dt.UTC)) == "2026-11-30 02:30:00 UTC (07:30:00 EAST here)"
    finally:
        monkeypatch.undo()
        time.tzset()
