from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import matplotlib.image
import pytest
from playwright.sync_api import Browser, expect

from pgaudit_kit.reporting import run_report
from tests.conftest import missing
from tests.reporting.browser import browser_at, chromium, faults, page_of
from tests.reporting.small_notebooks import MakeNotebook, code, prose

pytestmark = pytest.mark.slow

SHOWS_EVERYTHING = (
    "import pandas as pd\n"
    "from pgaudit_kit.reporting import conclude, figures, show\n"
    "frame = pd.DataFrame({'schema': 'public', 'name': ['<b>users', 'lists'], 'rows_left': [5, 900], 'rows_right': [7, 3]})\n"
    "display(figures.rows_per_table(frame), show(frame, 'Tables'), frame)\n"
    "conclude('different', 'Two tables differ.', ['Look at them.'])"
)


@pytest.fixture(scope="module")
def browser() -> str:
    """The path of Chromium, which CI must have."""
    found = chromium()
    if found is None:
        missing("Chromium, which renders the page,")
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_a_real_browser_draws_the_page_and_has_nothing_to_refuse(
    browser: str, make_notebook: MakeNotebook, tmp_path: Path, width: int
) -> None:
    result = run_report(make_notebook(prose("## Evidence"), code(SHOWS_EVERYTHING)), output_folder=tmp_path / "reports")
    picture = tmp_path / "page.png"
    own = [
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path / 'browser'}",
    ]
    look = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", f"--window-size={width},1600"]
    done = subprocess.run(
        [browser, *own, *look, f"--screenshot={picture}", result.html_path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr, "the content security policy refused something that the page asked for"
    pixels = matplotlib.image.imread(str(picture))
    assert pixels.shape[:2] == (1600, width)
    assert pixels.std() > 0.01


LONG = (
    "import pandas as pd\n"
    "from pgaudit_kit.reporting import show\n"
    "frame = pd.DataFrame({'n': [f'row {n}' for n in range(120)], 'said': ['<script>alert(1)</script>'] * 120})\n"
    "display(show(frame, 'Many'), show(frame.head(3), 'Few'))"
)


@pytest.fixture
def driven(browser: str) -> Iterator[Browser]:
    with browser_at(browser) as running:
        yield running


@pytest.fixture
def long_page(make_notebook: MakeNotebook, tmp_path: Path) -> Path:
    return run_report(make_notebook(prose("## Evidence"), code(LONG)), output_folder=tmp_path / "reports").html_path


def test_a_long_table_can_be_searched_the_folded_rows_too_and_a_short_one_needs_none(driven: Browser, long_page: Path) -> None:
    with page_of(driven, long_page) as page:
        box = page.get_by_role("searchbox")
        assert box.count() == 1
        assert page.get_by_label("Search “Many”").count() == 1
        box.fill("row 11 alert")
        assert page.locator("tbody tr:visible").count() == 3 + 11, "row 11 and rows 110 to 119: the last ten were folded"
        expect(page.get_by_role("status")).to_have_text("11 of 120 rows")
        box.fill("nothing like it")
        expect(page.get_by_role("status")).to_have_text("0 of 120 rows")
        box.fill("")
        assert page.locator("tbody tr:visible").count() == 3 + 50
        assert faults_of(driven, long_page) == []


def faults_of(driven: Browser, file: Path) -> list[str]:
    with page_of(driven, file, checked=True) as page:
        return faults(page)


def test_without_scripts_everything_is_there_and_folds_open(driven: Browser, long_page: Path) -> None:
    with page_of(driven, long_page, scripts=False) as page:
        assert page.get_by_role("searchbox").count() == 0
        page.get_by_text("70 more rows").click()
        assert page.locator("tbody tr:visible").count() == 120 + 3
        assert page.get_by_text("<script>alert(1)</script>").count() >= 120


def test_a_script_that_slipped_into_a_page_is_not_run(driven: Browser, long_page: Path) -> None:
    slipped = long_page.with_name("slipped.html")
    text = long_page.read_text(encoding="utf-8")
    slipped.write_text(text.replace("<h1>", "<script>document.title = 'taken'</script><h1>", 1), encoding="utf-8")
    with pytest.raises(AssertionError, match="Content Security Policy"), page_of(driven, slipped) as page:  # noqa: PT012
        assert page.title() != "taken"
        assert page.get_by_role("searchbox").count() == 1


def test_on_paper_all_rows_are_there_in_black_and_the_search_is_not(driven: Browser, long_page: Path) -> None:
    with page_of(driven, long_page) as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert page.locator(".pg-search").is_hidden()
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.pdf(format="A4").startswith(b"%PDF")


WIDE = (
    "import pandas as pd\n"
    "from pgaudit_kit.reporting import show\n"
    "cells = {f'a column of many {n}': ['nothing_broken_here_' * 2] * 3 for n in range(8)}\n"
    "show(pd.DataFrame({**cells, 'said': ['<b> and so on ' * 30] * 3}), 'Wide')"
)


def test_a_long_text_makes_no_row_of_a_phones_height_and_no_column_is_cut_on_paper(
    driven: Browser, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    file = run_report(make_notebook(code(WIDE)), output_folder=tmp_path / "reports").html_path
    with page_of(driven, file) as page:
        page.set_viewport_size({"width": 390, "height": 900})
        assert page.evaluate("document.querySelector('tbody tr').getBoundingClientRect().height") < 900
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 700, "height": 900})  # a sheet of A4 with its margins, in its pixels
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        assert page.evaluate("document.querySelector('table.pg-table').getBoundingClientRect().right") <= 700
