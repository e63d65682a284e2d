from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import matplotlib.image
import pytest

from pgaudit_kit.reporting import run_report
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
    """The path of Chromium; what it would prove is proven for every page by its text too, so it may be missing."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium to render the page in")
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
