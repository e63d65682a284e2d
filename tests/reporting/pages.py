"""What a page must be whatever it shows: one file, nothing loaded, nothing run but its own script, sound for a screen reader."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from pgaudit_kit.reporting import page_script


class Outline(HTMLParser):
    """What a reader, a screen reader and a browser's loader make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.headings: list[int] = []
        self.loads: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.setdefault(tag, dict(attrs))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.loads += [v for k, v in attrs if k in ("src", "href", "xlink:href", "srcset", "data", "action", "poster") and v]
        assert not [k for k, _ in attrs if k.startswith("on")]


def assert_self_contained(page: str) -> Outline:
    outline = Outline(page)
    (script,) = re.findall(r"<script\b(.*?)</script>", page, re.IGNORECASE | re.DOTALL)
    assert script == f">{page_script.script()}"
    assert page.lower().count("<script") == 1
    assert re.findall(r"script-src ([^;]*);", page) == [_hash(script[1:])], "the policy lets no other script run"
    assert not {"iframe", "link", "object", "embed"} & set(outline.tags)
    assert not [u for u in outline.loads if not u.startswith(("#", "data:")) and (":" in u or u.startswith("//"))]
    for loaded in re.findall(r"url\(([^)]*)\)|@import", page):
        assert loaded.startswith("#")
    assert "default-src 'none'" in page
    assert outline.attributes["html"]["lang"] == "en"
    assert outline.attributes["meta"] is not None
    assert 'name="viewport"' in page
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    return outline


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
