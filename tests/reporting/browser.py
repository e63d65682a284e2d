"""A real Chromium, driven by playwright; axe-core runs inside the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]
SERIOUS = ("serious", "critical")


def chromium() -> str | None:
    """The path of the system's Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def browser_at(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(browser: Browser, file: Path, *, scripts: bool = True, checked: bool = False) -> Iterator[Page]:
    """The page in *file*; *checked*: axe, which is a script, may run in it. Whatever the browser has to say of it is an error."""
    context = browser.new_context(java_script_enabled=scripts, bypass_csp=checked)
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(_text(message)))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    page.goto(file.as_uri())
    yield page
    context.close()
    assert not said, said


def _text(message: ConsoleMessage) -> str:
    return message.text


def faults(page: Page) -> list[str]:
    """What axe calls serious or critical, and what does not fit, in light and dark, on a desk and a phone."""
    found: list[str] = []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
        found += [f"{scheme} {width}: {v['id']}: {v['nodes'][0]['html']}" for v in violations if v["impact"] in SERIOUS]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{scheme} {width}: wider than the window")
    return found
