"""The runs whose reports lie in a folder: each page carries a few facts about its run, and the overview is made of those alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from pgaudit_kit.reporting.conclusion import EXIT_CODES

META: Final = "pgaudit-run"
_HEAD_CHARACTERS: Final = 8_192  # the facts stand before the styles
_SENTENCE_CHARACTERS: Final = 400


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a notebook. `started`: ISO 8601, UTC; `subject`: the database or dump that it was about; `file`: the page's name."""

    report: str
    title: str
    verdict: str
    sentence: str
    subject: str
    started: str
    seconds: float
    file: str = ""

    def to_meta(self) -> str:
        """The facts as the page carries them: JSON, without the page's own name."""
        facts = asdict(self)
        del facts["file"]
        return json.dumps({**facts, "sentence": self.sentence[:_SENTENCE_CHARACTERS]}, ensure_ascii=False)


def subject_of(facts: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    """What a run was about: the database that its facts name, so that nightly runs over ever new files stand together."""
    dumped = facts.get("Dumped from", "").partition(",")[0]
    named = (
        facts.get("Live database"),
        facts.get("Recorded of"),
        facts.get("Database"),
        dumped,
        settings.get("target"),
        settings.get("source"),
        settings.get("dump"),
    )
    return str(next(filter(None, named), ""))


def runs_in(folder: Path) -> list[Run]:
    """Return the runs whose pages lie in *folder*, the newest first; pages that are not ours are passed over."""
    runs = (_run_of(path) for path in folder.glob("*.html"))
    return sorted((run for run in runs if run), key=lambda run: (run.started, run.file), reverse=True)


def _run_of(path: Path) -> Run | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as page:
            facts = json.loads(meta_of(page.read(_HEAD_CHARACTERS), META) or "null")
        run = Run(**{**facts, "file": path.name})
    except (OSError, ValueError, TypeError):
        return None
    return run if run.verdict in EXIT_CODES else None


def meta_of(page: str, name: str) -> str | None:
    """Return the content of the `<meta>` called *name* in the beginning of a *page*."""
    reader = _Meta(name)
    reader.feed(page)
    return reader.content


class _Meta(HTMLParser):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.content: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "meta" and found.get("name") == self.name:
            self.content = found.get("content")
