"""The code blocks of a Markdown page, and what a test does with each.

A fenced block is told by its language. A block indented by four spaces that begins with `pgaudit` or `make` is one of commands.
Hidden blocks, inside of a comment `<!-- setup python … -->` (or sh, sql), make what the page talks about.
A comment `<!-- not run: reason -->` right before a block exempts it; its command lines must be understood all the same.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_PIECE = re.compile(
    r"^<!--\s*setup (?P<setup>python|sh|sql)\n(?P<hidden>.*?)^-->"
    r"|^<!--\s*not run: (?P<reason>.*?)-->"
    r"|^(?P<indent> *)(?P<fence>```+)(?P<language>[\w-]*)[^\n]*\n(?P<fenced>.*?)^(?P=indent)(?P=fence) *$"
    r"|(?<=\n\n)(?P<indented>(?:    (?:pgaudit|make|python|bash) [^\n]*\n)(?:(?:    [^\n]*)?\n)*)",
    re.MULTILINE | re.DOTALL,
)
_PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """One block of a page. `language`: python, sh, console …; `exempt`: why it is not run, "" when it is."""

    language: str
    text: str
    line: int
    exempt: str = ""


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of *page* in order, hidden ones included."""
    text = page.read_text(encoding="utf-8") + "\n"
    exempt, end_of_comment = "", -1
    for match in _PIECE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["setup"]:
            yield Block(match["setup"], match["hidden"], line)
            continue
        if match["reason"] is not None:
            exempt, end_of_comment = " ".join(match["reason"].split()), match.end()
            continue
        reason = exempt if not text[end_of_comment : match.start()].strip() else ""
        exempt = ""
        if match["indented"]:
            yield Block("sh", _dedented(match["indented"], "    "), line, reason)
        else:
            language = match["language"] or ("console" if match["fenced"].lstrip().startswith(_PROMPT) else "text")
            yield Block(language, _dedented(match["fenced"], match["indent"]), line, reason)


def _dedented(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def commands_of(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a block of sh or console, and the lines shown below each."""
    found: list[tuple[str, list[str]]] = []
    going_on = False
    for line in block.text.splitlines():
        if block.language != "console":
            code = line
        elif line.startswith(_PROMPT) or going_on:
            code = line.removeprefix(_PROMPT)
        else:
            found[-1][1].append(line)
            continue
        if going_on:
            found[-1] = (f"{found[-1][0]}\n{code}", found[-1][1])
        elif code.strip() and not code.lstrip().startswith("#"):
            found.append((code, []))
        going_on = code.rstrip().endswith("\\")
    return found


def pgaudit_lines(text: str) -> Iterator[str]:
    """Yield the command lines of pgaudit in *text*, whatever stands around them: a prompt, a crontab's times, ExecStart=, run:, a pipe."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in joined.splitlines():
        for match in re.finditer(r"(?:^|[\s=/;&|(])(pgaudit\s+[a-z-].*)", line):
            if not line[: match.start(1)].lstrip().startswith(("#", "pgaudit")) or line.lstrip().startswith("#"):
                yield match[1]


def parse_command_line(line: str) -> str:
    """What the parser of the commands has against *line*, a command line as in a shell; "" when it understands it."""
    words = []
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    for word in lexer:
        if set(word) <= set(";&|<>"):
            break
        words.append(word)
    command, *arguments = words[1:]
    program = _program()
    if command in {"--version", "--help"} or command.startswith(("--show-completion", "--install-completion")):
        return ""
    if command not in program.commands:
        return f"no command {command}"
    try:
        program.commands[command].make_context(command, arguments, resilient_parsing=False)
    except SystemExit as ended:  # --help
        return "" if not ended.code else f"exit {ended.code}"
    except Exception as error:  # noqa: BLE001  those of click have no common base that typer shows
        if type(error).__name__ == "Exit":
            return ""
        return f"{type(error).__name__}: {getattr(error, 'message', error)}"
    return ""


@cache
def _program() -> Any:
    from typer.main import get_command

    from pgaudit_kit.cli.app import app

    return get_command(app)


def shape(line: str) -> str:
    """A line of output without what differs from run to run: numbers, times, sizes, the width of columns."""
    line = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{12,}\b", "#", line)
    line = re.sub(r"\d[\d,.:+TZ-]*", "#", line)
    line = re.sub(r"\b(?:s|ms|min|kB|MB|GB|h|d)\b", "unit", line)
    return re.sub(r"\s+", " ", line).strip()


def differs(expected: list[str], found: list[str]) -> str:
    """Where *found* has not the shape of *expected*, in which a line `…` stands for any number of lines; "" where it has."""
    want = [shape(line) for line in expected if line.strip()]
    have = [shape(line) for line in found if line.strip()]
    place = 0
    skipping = False
    for line in want:
        if line == "…":
            skipping = True
            continue
        if skipping:
            while place < len(have) and have[place] != line:
                place += 1
            skipping = False
        if place >= len(have) or have[place] != line:
            return f"expected {line!r}, found {have[place] if place < len(have) else 'no more'!r}"
        place += 1
    return "" if skipping or place == len(have) else f"more was printed: {have[place]!r}"
