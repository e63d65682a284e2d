"""What is printed where the terminal or pipe does not speak UTF-8: words and signs that it has, never an error; data stay exact."""

from __future__ import annotations

import codecs
import io
import sys

_HANDLER = "pgaudit"
_SIGNS = {"✓": "+", "✗": "x", "≠": "!=", "≈": "~", "→": "->", "↔": "<->", "…": "...", "·": "-", "•": "*", "—": "-"}


def speak_any_encoding() -> None:
    """Let standard output and error print signs that their encoding lacks as ASCII, or as escapes."""
    codecs.register_error(_HANDLER, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _is_utf8(stream):
            stream.reconfigure(errors=_HANDLER)


def json_is_ascii() -> bool:
    """Whether JSON has to escape what is not ASCII, since standard output does not speak UTF-8."""
    return isinstance(sys.stdout, io.TextIOWrapper) and not _is_utf8(sys.stdout)


def print_in_utf8() -> None:
    """From here on standard output is UTF-8: rows are data, and are not changed for a terminal."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not _is_utf8(sys.stdout):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")


def _is_utf8(stream: io.TextIOWrapper) -> bool:
    return codecs.lookup(stream.encoding).name == "utf-8"


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_SIGNS.get(sign) or sign.encode("ascii", "backslashreplace").decode("ascii") for sign in signs), error.end
