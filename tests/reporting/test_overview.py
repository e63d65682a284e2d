from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import pytest

from pgaudit_kit.reporting.overview import HISTORY, overview, write_overview
from pgaudit_kit.reporting.runs import Run, runs_in, subject_of
from tests.reporting.pages import assert_self_contained
from tests.reporting.small_notebooks import MakeNotebook, code

SAID = 'from pgaudit_kit.reporting import conclude\nconclude("{verdict}", "{sentence}", facts={{"Database": "<b>app & co"}})'


def a_run(number: int, *, verdict: str = "passed", subject: str = "app") -> Run:
    return Run("verify", "Is it whole?", verdict, f"run {number}", subject, f"2026-11-{number:02}T01:02:03+00:00", 1.5, f"v {number}.html")


@pytest.mark.slow
def test_each_report_appears_in_the_folders_overview_with_its_verdict_and_history(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    from pgaudit_kit.reporting import run_report

    folder = tmp_path / "reports"
    first = run_report(make_notebook(code(SAID.format(verdict="failed", sentence="12 rows <i>gone</i>"))), output_folder=folder)
    second = run_report(make_notebook(code(SAID.format(verdict="passed", sentence="all there"))), output_folder=folder)
    runs = runs_in(folder)
    assert [(r.verdict, r.subject, r.file) for r in runs] == [
        ("passed", "<b>app & co", second.html_path.name),
        ("failed", "<b>app & co", first.html_path.name),
    ]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert_self_contained(page)
    assert "12 rows &lt;i&gt;gone&lt;/i&gt;" in page
    assert "<b>app" not in page
    assert "2 runs" in page
    assert page.index(f'href="{first.html_path.name}"') < page.index(f'href="{second.html_path.name}"')  # in the history time goes on
    assert (folder / "index.html").stat().st_mode & 0o777 == 0o600
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_a_history_is_of_one_report_about_one_thing_and_shows_the_newest_runs() -> None:
    runs = [a_run(n % 28 + 1, verdict="failed" if n == 3 else "passed") for n in range(HISTORY + 5)]
    page = overview([*runs, a_run(1, subject="other")])
    assert f"{HISTORY + 5} runs, the newest {HISTORY} shown" in page
    assert page.count('class="history"') == 2
    assert "✕" in page


def test_pages_that_are_not_ours_are_neither_listed_nor_replaced(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("<html><head><meta name='pgaudit-run' content='[1]'></head></html>", encoding="utf-8")
    (tmp_path / "broken.html").write_bytes(b"\xff\xfe<meta")
    wrong = html.escape(a_run(1, verdict="nonsense").to_meta())
    (tmp_path / "wrong.html").write_text(f'<meta name="pgaudit-run" content="{wrong}">', encoding="utf-8")
    assert runs_in(tmp_path) == []
    index = tmp_path / "index.html"
    index.write_text("mine", encoding="utf-8")
    assert write_overview(tmp_path) is None
    assert index.read_text(encoding="utf-8") == "mine"


def test_an_overview_of_nothing_says_so(tmp_path: Path) -> None:
    assert write_overview(tmp_path) == tmp_path / "index.html"
    assert "no rows" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_runs_over_ever_new_dumps_of_one_database_stand_together() -> None:
    assert subject_of({"Dumped from": "app, PostgreSQL 18.1"}, {"dump": "app-1.dump"}) == "app"
    assert subject_of({"Live database": "env:X (h/app)", "Dumped from": "app"}, {}) == "env:X (h/app)"
    assert subject_of({}, {"target": "env:Y", "dump": "d"}) == "env:Y"
    assert subject_of({}, {}) == ""


def test_a_report_that_another_run_writes_meanwhile_is_listed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(number: int) -> None:
        (tmp_path / f"{number}.html").write_text(
            f'<meta name="pgaudit-run" content="{html.escape(a_run(number).to_meta())}">', encoding="utf-8"
        )

    def slow(runs: Sequence[Run]) -> str:
        made = overview(runs)
        if len(runs) == 1:
            publish(2)  # by another run, after this one has looked
        return made

    monkeypatch.setattr("pgaudit_kit.reporting.overview.overview", slow)
    publish(1)
    write_overview(tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert ("run 1" in page, "run 2" in page) == (True, True)


def test_two_databases_of_one_name_have_histories_of_their_own() -> None:
    here, there = ({"Recorded of": f"env:A ({host}:5432/app)", "Dumped from": "app, PostgreSQL 18.1"} for host in ("here", "there"))
    assert subject_of(here, {}) != subject_of(there, {})
