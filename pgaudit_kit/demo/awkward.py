r"""Values that have broken real backup and comparison tools, as text that PostgreSQL takes as input.

Every pool is placed in full into the sample rows, whatever the seed. The texts are chosen against COPY's escapes
(src/backend/commands/copyto.c, CopyAttributeOutText), against line-wise readers of plain dumps, and against terminals.
"""

from __future__ import annotations

import json

TEXTS: tuple[str, ...] = (
    "",
    " ",
    "trailing space ",
    "tab\there",
    "two\nlines",
    "Windows\r\nline ends\r\n",
    "a lone \r carriage return",
    "\n",
    "C:\\new\\table\\x41\\101\\",
    "\\",
    "\\.",
    "\n\\.\n",
    "\\.\nCOPY public.users (id) FROM stdin;\n1\n\\.\n",
    "\\N",
    "\\\\N",
    "NULL",
    "it's \"quoted\" 'twice''",
    "--\n-- PostgreSQL database dump complete\n--\n",
    "$$ $body$ ; DROP TABLE users; --",
    "🦆 👩‍👩‍👧‍👦 🇺🇦 \U0001d4b3",
    "é and e\u0301 look the same",
    "日本語、العربية、हिन्दी",
    "\u202eright to left\u202c \u00a0no-break\u2028line separator",
    "\ufeffbyte order mark",
    "\x01\x07\x08\x0b\x0c\x1b[31m\x7f control characters",
    "<b>bold</b> &amp; <script>alert(1)</script>",
    "{curly} %s %(name)s ${HOME} `ls`",
    "long enough for TOAST, " * 400,
)
"""For any text column."""

VERY_LONG_TEXT = "".join(f"{n:07d} the quick brown fox\tjumps over\\ the lazy dog\n" for n in range(40_000))
"""2.2 MB in one field, more than a reader's block."""

FLOATS: tuple[str, ...] = ("NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1", "0.30000000000000004")
REALS: tuple[str, ...] = ("NaN", "Infinity", "-Infinity", "-0", "1e-45", "3.4028235e38", "0.1", "16777217")

NUMERICS: tuple[str, ...] = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1234567890123456789012345678901234567890",
    "0.0000000000000000000000000000000000000001",
    "-99999999999999999999.99999999999999999999",
    "1.10",
    "1.1",
    "0.000",
    "1e300",
)
"""Unconstrained numeric; infinities need PostgreSQL 14."""

DATES: tuple[str, ...] = (
    "infinity",
    "-infinity",
    "0044-03-15 BC",
    "4713-01-01 BC",
    "0001-01-01",
    "1582-10-10",
    "1970-01-01",
    "2024-02-29",
    "9999-12-31",
    "5874897-12-31",
)

TIMESTAMPS: tuple[str, ...] = (
    "infinity",
    "-infinity",
    "4713-11-24 00:00:00+00 BC",
    "0001-01-01 00:00:00+00",
    "1969-12-31 23:59:59.999+00",
    "2024-03-31 01:59:59.5 Europe/Berlin",
    "2024-10-27 02:30:00+02",
    "2024-10-27 02:30:00+01",
    "2024-07-01 12:00:00+05:45",
    "2024-07-01 12:00:00-09:30",
    "2024-07-01 12:00:00 America/St_Johns",
    "2024-12-31 23:59:59.999+14",
    "294276-12-31 23:59:59.999+00",
)
"""Points in time, each with a zone, so that the session's zone does not change what is stored."""

INTERVALS: tuple[str, ...] = (
    "0",
    "1 year 2 mons 3 days 04:05:06.789",
    "-1 mons +25 days",
    "-00:00:00.000001",
    "178000000 years",
    "1 mon -1 day",
)

TEXT_ARRAYS: tuple[str, ...] = (
    "{}",
    "{NULL}",
    '{NULL,"NULL",null,""}',
    '{"comma, inside","quote \\" inside","back\\\\slash","{brace}"}',
    '{"tab\tinside","line\ninside"," spaces "}',
    "{{a,b},{c,NULL}}",
    '[0:1]={"starts at","zero"}',
    '[-2:-1][5:5]={{"two"},{"dimensions"}}',
    "{🦆,\\\\N,\\\\.}",
)

FLOAT_ARRAYS: tuple[str, ...] = ("{}", "{NULL}", "{NaN,Infinity,-Infinity,-0}", "{{1,2},{3,4}}", "[0:1]={0.1,5e-324}")

ALL_BYTES = "\\x" + bytes(range(256)).hex()
BYTES: tuple[str, ...] = ("\\x", ALL_BYTES, "\\x00", "\\x5c2e0a", "\\x0a5c2e0a", "\\x89504e470d0a1a0a", "\\x" + "deadbeef" * 1_000)


def _nested(depth: int) -> str:
    return '{"a":[' * depth + "null" + "]}" * depth


JSON_OBJECTS: tuple[str, ...] = (
    "{}",
    '{"": "", " ": " "}',
    _nested(60),
    '{"escapes": "\\u00e9 \\ud83e\\udd86 \\u0009 \\n \\\\ \\" \\/"}',
    '{"big": 123456789012345678901234567890.123456789012345678901234567890, "tiny": 1e-30, "huge": 1e300}',
    '{"zero": -0, "trailing": 1.10, "integer": 9007199254740993}',
    '{"null": null, "text": "null", "NULL": "\\\\N", "end": "\\\\."}',
    '{"twice": 1, "twice": 2}',
    '{"mixed": [1, "1", true, null, [], {}, [[["deep"]]]]}',
    '{"html": "<script>alert(1)</script>", "path": "C:\\\\temp", "lines": "one\\ntwo\\tthree"}',
    json.dumps({f"key {n}": "🦆" * (n % 7) for n in range(400)}, ensure_ascii=False),
)
"""Objects that both json and jsonb take."""

JSON_TEXTS: tuple[str, ...] = (
    *JSON_OBJECTS,
    '{"nul": "\\u0000", "lone surrogate": "\\ud800"}',
    " [1 ,\n\t2 ]  ",
    '"just a text"',
    "null",
    "1e400",
)
"""json keeps its text, so it also holds what jsonb refuses."""
