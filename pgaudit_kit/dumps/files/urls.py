"""URLs: whether a text is one, and what may be shown of it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|[A-Za-z][A-Za-z0-9+.-]+::")


def is_url(text: str) -> bool:
    """Whether *text* is a URL rather than a path."""
    return bool(_URL.match(text))


def shown_url(url: str) -> str:
    """*url* as messages may show it: without user, password, query (where stores put their signatures) and fragment."""
    shown = []
    for part in url.split("::"):
        try:
            split = urlsplit(part)
        except ValueError:
            return url.partition("://")[0] + "://…"  # no telling where in it a password is
        host = split.netloc.rpartition("@")[2]
        shown.append(urlunsplit((split.scheme, host, split.path, "", "")) if split.scheme else part)
    return "::".join(shown)
