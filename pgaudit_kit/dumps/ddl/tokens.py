r"""Lexing of one SQL statement as pg_dump writes it, with offsets, so that text can be taken verbatim.

The rules are those of src/backend/parser/scan.l, as far as pg_dump's own output and the server's deparsed text use them:
strings ('…', E'…', b'…', x'…', $tag$…$tag$), quoted and bare identifiers, numbers, operators, punctuation, comments.
With standard_conforming_strings off a backslash escapes in plain strings too: `split_statements` takes such text apart and
gives it back as it would be with the setting on, so that nothing after it has to know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

# scan.l: ident_start and ident_cont; high-bit bytes are letters, undecodable ones come as surrogates. Written as what is not in
# them: that is ASCII alone, and compiles ten times faster than a range up to U+10FFFF does.
_FIRST = r"[^\x00-@\[-^`{-\x7f]"  # A-Z a-z _ and above ASCII
_LETTER_OR_DIGIT = r"[^\x00-/:-@\[-^`{-\x7f]"
_FURTHER = r"[^\x00-#%-/:-@\[-^`{-\x7f]"  # $ too
_WORD = rf"{_FIRST}{_FURTHER}*+"
_BEFORE_LITERAL = rf"(?<!{_FURTHER})"
_PLAIN = r"'[^']*+(?:''[^']*+)*+'"
_ESCAPED = r"'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'"
_QUOTED = r'"[^"]*+(?:""[^"]*+)*+"'
_DOLLAR = rf"\$(?P<tag>(?:{_FIRST}{_LETTER_OR_DIGIT}*+)?)\$.*?\$(?P=tag)\$"
_COMMENT = r"--[^\n]*+|/\*.*?\*/"
_OPERATOR = r"::|(?:(?!--|/\*)[-+*/<>=~!@#%^&|`?])+|:="

_KINDS = ("string", "word", "quoted", "number", "operator", "punctuation", "other")


def _token_pattern() -> re.Pattern[str]:
    kinds = {
        "string": rf"[eE]{_ESCAPED}|[bBxXnN]?{_PLAIN}|{_DOLLAR}",
        "word": _WORD,
        "quoted": _QUOTED,
        "number": r"(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?|\$\d++",
        "operator": _OPERATOR,
        "punctuation": r"[(),;.:\[\]]",
        "other": r".",
    }
    named = "|".join(f"(?P<{kind}>{kinds[kind]})" for kind in _KINDS)
    return re.compile(rf"(?:\s++|{_COMMENT})*+(?:{named})", re.DOTALL)


def _landmark_pattern(plain: str) -> re.Pattern[str]:
    """What can end, nest or hide the end of a statement; everything between is skipped at the speed of a search."""
    return re.compile(
        rf"{_BEFORE_LITERAL}[eE]{_ESCAPED}|{plain}|{_QUOTED}|{_BEFORE_LITERAL}{_DOLLAR}|{_COMMENT}"
        rf"|(?P<mark>[();]|\bBEGIN\s+ATOMIC\b|\b(?:CASE|END)\b)",
        re.DOTALL | re.IGNORECASE,
    )


_TOKEN = _token_pattern()
_LANDMARK = {False: _landmark_pattern(_PLAIN), True: _landmark_pattern(_ESCAPED)}
_BLANK = re.compile(rf"(?:\s++|{_COMMENT}|\\[^\n]*+)*+", re.DOTALL)  # \connect, \restrict … are whole lines of psql
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)|''", re.DOTALL)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HIGHEST_OCTAL = "7"
_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)  # scansup.c: only ASCII letters, in multi-byte encodings


class NotUnderstood(Exception):
    """A statement has not the shape that its first words promise. Not an error: the builder keeps it as unmodelled."""


class Token(NamedTuple):
    """One token: kind (`word`, `quoted`, `string`, `number`, `operator`, `punctuation`, `other`, `end`), its text, where it stands."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these bare words (given in upper case); a quoted identifier never is."""
        return self.kind == "word" and self.text.upper() in words


@dataclass(frozen=True, slots=True)
class Name:
    """A possibly qualified name: schema and name raw, `sql` as it was written."""

    schema: str | None
    name: str
    sql: str


def split_statements(sql: str, *, escapes: bool = False) -> list[str]:
    """Return the statements of *sql* without their semicolons, leading comments, psql commands and outer blanks.

    *escapes*: standard_conforming_strings is off in *sql*; the statements returned are as if it were on.
    """
    if escapes and "\\" in sql:
        sql = _LANDMARK[True].sub(_standardise, sql)
    body = sql.rstrip()
    start = _end_of_blanks(body, 0)
    semicolon = body.find(";", start)
    ends = [semicolon] if semicolon == len(body) - 1 else _ends_of_statements(body, start) if semicolon >= 0 else []
    found = []
    for end in (*ends, len(body)):
        found.append(body[start:end].rstrip())
        start = _end_of_blanks(body, end + 1)
    return [text for text in found if text]


def _ends_of_statements(sql: str, start: int) -> list[int]:
    """Return where the semicolons stand that end a statement (src/fe_utils/psqlscan.l).

    None inside literals, parentheses (rules with several actions) and BEGIN ATOMIC … END (bodies of 14 and later) does.
    """
    ends = []
    depth = blocks = 0
    for landmark in _LANDMARK[False].finditer(sql, start):
        mark = (landmark["mark"] or "").upper()
        if mark == ";" and depth <= 0 and blocks == 0:
            ends.append(landmark.start())
            depth = 0
        elif mark in ("(", ")"):
            depth += 1 if mark == "(" else -1
        elif mark.startswith("BEGIN") or (mark == "CASE" and blocks):
            blocks += 1
        elif mark == "END" and blocks:
            blocks -= 1
    return ends


def _end_of_blanks(sql: str, start: int) -> int:
    blank = _BLANK.match(sql, start)
    return blank.end() if blank else start


def unquote(text: str) -> str:
    """Return the raw name that an identifier stands for: quotes removed, bare ones folded to lower case."""
    if text.startswith('"'):
        return text[1:-1].replace('""', '"')
    return text.translate(_FOLDED)


def _standardise(match: re.Match[str]) -> str:
    text = match[0]
    return quote_string(_ESCAPE.sub(_unescape, text[1:-1])) if text[0] == "'" and "\\" in text else text


def decode_string(text: str) -> str:
    """Return the value of a string literal, whatever way it is quoted."""
    if text.startswith("$"):
        delimiter = text.index("$", 1) + 1
        return text[delimiter:-delimiter]
    start = text.index("'")
    inner = text[start + 1 : -1]
    if text[:start] in ("e", "E"):
        return _ESCAPE.sub(_unescape, inner)
    return inner.replace("''", "'")


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code is None:
        return "'"
    if code[0] in "xuU" and len(code) > 1:
        return chr(min(int(code[1:], 16), 0x10FFFF))
    if "0" <= code[0] <= _HIGHEST_OCTAL:
        return chr(int(code, 8) & 0xFF)
    return _CONTROL.get(code, code)


def quote_string(value: str) -> str:
    """Return *value* as a string literal under standard_conforming_strings."""
    return "'" + value.replace("'", "''") + "'"


_OPENING = frozenset("([")
_CLOSING = frozenset(")]")
_new_tuple = tuple.__new__


class Cursor:
    """Reads a statement from left to right, one token at a time; what is not reached is not tokenised."""

    __slots__ = ("behind", "sql", "token")

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.behind = 0  # end of the token before the current one
        self.token = self._read(0)

    def _read(self, start: int) -> Token:
        found = _TOKEN.match(self.sql, start)
        if found is None:
            return Token("end", "", len(self.sql), len(self.sql))
        kind = found.lastgroup or "other"
        text = found[kind]
        end = found.end()
        return _new_tuple(Token, (kind, text, end - len(text), end))  # as Token(…), without the call in between: it is made for every word

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.token.kind == "end"

    @property
    def following(self) -> Token:
        """The token after the current one."""
        return self._read(self.token.end)

    def advance(self) -> Token:
        """Return the current token and step over it."""
        token = self.token
        self.behind = token.end
        self.token = self._read(token.end)
        return token

    def take(self, *words: str) -> bool:
        """Step over these bare words (upper case) if they come next, all of them; say whether they did."""
        here = self.token, self.behind
        for word in words:
            if self.token.kind != "word" or self.token.text.upper() != word:
                self.token, self.behind = here
                return False
            self.advance()
        return True

    def expect(self, *words: str) -> None:
        """Step over these bare words. Raises NotUnderstood."""
        if not self.take(*words):
            raise NotUnderstood(f"{' '.join(words)} expected at {self.token.text!r}")

    def take_text(self, text: str) -> bool:
        """Step over this punctuation or operator if it comes next; say whether it did."""
        if self.token.text != text or self.token.kind not in ("punctuation", "operator"):
            return False
        self.advance()
        return True

    def expect_text(self, text: str) -> None:
        """Step over this punctuation. Raises NotUnderstood."""
        if not self.take_text(text):
            raise NotUnderstood(f"{text} expected at {self.token.text!r}")

    def identifier(self) -> str:
        """Step over one identifier and return it raw. Raises NotUnderstood."""
        if self.token.kind not in ("word", "quoted"):
            raise NotUnderstood(f"a name expected at {self.token.text!r}")
        return unquote(self.advance().text)

    def parts(self) -> tuple[list[str], str]:
        """Step over a dotted name; return its raw parts and its text. Raises NotUnderstood."""
        start = self.token.start
        parts = []
        while True:
            end = self.token.end
            parts.append(self.identifier())
            if not self.take_text("."):
                return parts, self.sql[start:end]

    def name(self) -> Name:
        """Step over a name with at most a schema before it. Raises NotUnderstood."""
        parts, sql = self.parts()
        if len(parts) > 2:  # noqa: PLR2004  # schema, name
            raise NotUnderstood(f"{sql} has too many parts")
        return Name(parts[0] if len(parts) > 1 else None, parts[-1], sql)

    def string(self) -> str:
        """Step over a string literal and return its value. Raises NotUnderstood."""
        if self.token.kind != "string":
            raise NotUnderstood(f"a string expected at {self.token.text!r}")
        return decode_string(self.advance().text)

    def group(self) -> str:
        """Step over a parenthesised text and return what is inside, verbatim. Raises NotUnderstood when it does not close."""
        start = self.token.end
        self.expect_text("(")
        end = self._to_closing()
        self.expect_text(")")
        return self.sql[start:end]

    def text_until(self, *words: str) -> str:
        """Return the text up to one of these bare words, a comma, a closing parenthesis or the end; outside nested ones. Stops there.

        NOT stops only before NULL, WITH before OPTIONS or a parenthesis, and a word after a dot is part of a name.
        """
        start = self.token.start
        end = start
        after_dot = False
        while not self.at_end:
            token = self.token
            if token.kind == "punctuation":
                if token.text in _CLOSING or token.text in (",", ";"):
                    break
                if token.text in _OPENING:
                    self.advance()
                    self._to_closing()
                    if self.at_end:
                        raise NotUnderstood("a parenthesis is not closed")
            elif words and not after_dot and token.is_word(*words) and self._really_stops(token):
                break
            after_dot = token.text == "."
            end = self.advance().end
        return self.sql[start:end]

    def expression(self, *words: str) -> str:
        """Like `text_until`, with the line end that the server prints before CASE (ruleutils.c, appendContextKeyword)."""
        start = self.behind
        text = self.text_until(*words)
        before = self.sql[start : self.behind - len(text)].removeprefix(" ")
        return text if before.strip() else before + text

    def _really_stops(self, token: Token) -> bool:
        word = token.text.upper()
        if word == "NOT":
            return self.following.is_word("NULL")
        if word == "WITH":
            return self.following.is_word("OPTIONS") or self.following.text == "("
        return True

    def _to_closing(self) -> int:
        """Step to the bracket that closes the one just stepped over; return where it starts."""
        depth = 1
        while not self.at_end:
            token = self.token
            if token.kind == "punctuation":
                if token.text in _OPENING:
                    depth += 1
                elif token.text in _CLOSING:
                    depth -= 1
                    if depth == 0:
                        return token.start
            self.advance()
        return self.token.start

    def rest(self) -> str:
        """Return the text from here to the end, verbatim but without outer blanks."""
        return self.sql[self.token.start :].rstrip()

    def finish(self) -> None:
        """Step to the end, without reading what is between."""
        self.token = Token("end", "", len(self.sql), len(self.sql))
