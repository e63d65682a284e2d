"""No secret leaves: what must not be seen is found first, then hidden in every string of an executed notebook.

papermill records parameters in two places (the injected cell, `metadata.papermill.parameters`), a traceback shows code
and values, a driver may put a URL into its message. All of it is text in one JSON document; so every string of that
document is searched, whatever it is for: for passwords in URLs and `key=value` form by pattern, and for the known
secrets of the targets in play by value, in each form in which text may carry them.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pgaudit_kit.errors import HIDDEN, PgAuditError, hide_secrets

_HIDDEN_ANYWHERE: Final = 6  # a shorter secret is hidden only where it stands alone: "1234" is a part of many numbers
_HIDDEN_BY_NAME: Final = 8  # a variable called USE_TOKEN may hold "true"
_SECRET_NAME: Final = re.compile(r"(SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|ACCESS_?KEY|CREDENTIALS?)", re.IGNORECASE)
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TAGS: Final = re.compile(r"(<[^>]*>)")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")


@dataclass(frozen=True)
class Secrets:
    """The known secrets of a run. `repr` does not show them."""

    _values: frozenset[str]

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        forms = sorted({f for s in self._values for f in _forms(s)}, key=len, reverse=True)
        escaped = [re.escape(f) if len(f) >= _HIDDEN_ANYWHERE else rf"(?<!\w){re.escape(f)}(?!\w)" for f in forms]
        return re.compile("|".join(escaped)) if escaped else None

    def __repr__(self) -> str:
        return f"<Secrets: {len(self._values)} known>"

    def hide(self, text: str) -> str:
        """Return *text* without any password: the known ones, and what looks like one in a URL or `key=value`."""
        return hide_secrets(self._pattern.sub(HIDDEN, text) if self._pattern else text)

    def hide_in_html(self, text: str) -> str:
        """Return HTML *text* without any password, its tags kept whole: words between tags and attribute values are searched."""
        pieces = _TAGS.split(text)
        return "".join(_QUOTED.sub(self._hide_quoted, p) if p.startswith("<") else self.hide(p) for p in pieces)

    def _hide_quoted(self, quoted: re.Match[str]) -> str:
        value = quoted[0]
        return value[0] + self.hide(value[1:-1]) + value[-1]

    def hide_in_notebook(self, node: Any, *, mime: str = "") -> Any:
        """Return a copy of *node* (a notebook, or any part of one) in which every string, keys included, is free of secrets.

        Terminal colours go too: they would cut a secret into pieces, and nothing that reads a saved traceback needs them.
        """
        if isinstance(node, str):
            return self.hide_in_html(node) if mime == "text/html" else self.hide(_ANSI.sub("", node))
        if isinstance(node, Mapping):
            return {self.hide(k): self.hide_in_notebook(v, mime=k if "/" in k else mime) for k, v in node.items()}
        if isinstance(node, (list, tuple)):
            return [self.hide_in_notebook(v, mime=mime) for v in node]
        return node


def secrets_of(parameters: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Secrets:
    """Return the secrets that a run with *parameters* can come across.

    Those of every target that a parameter names (`env:`, `dotenv:`, `service:`, a URL), what a URL carries behind its `?` (where
    stores put their signatures), the passwords of all URLs in the environment, PGPASSWORD, and every variable whose name says that
    it is a secret (AWS_SECRET_ACCESS_KEY). A password that is also a public word of its own URL (user, host or database:
    postgres/postgres) is left alone: hiding that word everywhere would say what the password is, and hide nothing.
    """
    environment = os.environ if environment is None else environment
    found = {environment["PGPASSWORD"]} if environment.get("PGPASSWORD") else set()
    for name, value in environment.items():
        found |= _url_passwords(value) | ({value} if _is_secret(name, value) else set())
    for value in parameters.values():
        if isinstance(value, str):
            found |= _target_secrets(value) | _signatures(value)
    return Secrets(frozenset(found))


def _target_secrets(text: str) -> set[str]:
    from pgaudit_kit.server.targets import resolve_target

    if not (re.match(r"(env|dotenv|service):", text) or "://" in text):
        return set()
    try:
        target = resolve_target(text)
    except PgAuditError:
        return set()  # the notebook will say what is wrong with it
    public = {target.user, target.database, target.parameters.get("host")}
    return {s for s in target.secrets if s not in public}


def _is_secret(name: str, value: str) -> bool:
    """Whether an environment variable says by its name, or its value, that it is a secret; a path to one is none."""
    named = _SECRET_NAME.search(name) and not name.upper().endswith("_FILE") and len(value) >= _HIDDEN_BY_NAME
    return bool(named) or value.startswith("AGE-SECRET-KEY-")


def _signatures(text: str) -> set[str]:
    """What stands behind the `?` of a URL that is none of PostgreSQL: nobody can tell which part of it is the key."""
    if "://" not in text or text.lower().startswith("postgres"):
        return set()
    query = text.partition("?")[2]
    values = {part.partition("=")[2] for part in query.split("&")}
    return {query, *(form for v in values if len(v) >= _HIDDEN_BY_NAME for form in (v, unquote(v)))} if query else set()


def _url_passwords(text: str) -> set[str]:
    """The password of *text* if it is a URL with one, as written and decoded."""
    if "://" not in text:
        return set()
    try:
        parts = urlsplit(text.strip())
        public = {parts.username, parts.hostname, parts.path.strip("/")}
        in_query = [part.partition("=")[2] for part in parts.query.split("&") if "password=" in part.lower()]
        written = [parts.password or "", *in_query]
    except ValueError:  # brackets that are no address
        return set()
    return {form for s in written for form in (s, unquote(s)) if form and form not in public}


def _forms(secret: str) -> set[str]:
    """A secret as it is, and as URLs, HTML, JSON and Python's repr write it."""
    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret, safe="!$&'()*+,;=-._~:")}
    lower = {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), e) for e in encoded}
    written = {repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    marked = {html.escape(secret), html.escape(secret, quote=False)}
    return {f for f in {secret} | encoded | lower | written | marked if f}
