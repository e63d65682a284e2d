"""What a plain script consists of, piece after piece: the pieces' texts, joined, are the script again (rows are not held)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pgaudit_kit.dumps.scripts.insert_runs import RunShape


@dataclass(frozen=True, slots=True)
class Between:
    """White space and comments between two statements. Long runs may come in several pieces, cut at line ends."""

    text: bytes
    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class MetaCommand:
    r"""A line for psql, from its backslash to its line end: `\connect`, `\restrict`, `\!` and others."""

    text: bytes
    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """A line that is neither SQL nor a comment nor for psql: a message or a prompt that got into the script."""

    text: bytes
    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its semicolon; a COPY … FROM stdin also with the rest of its line.

    `begins` and `ends` are both True but for a very long INSERT, which comes in parts cut after a row, and for the
    last statement of a script that was cut short (`ends` False). `commands` are the psql commands that stand inside of it.
    With a `shape` it is not one statement but a run of `rows` rows of INSERTs that are all alike, from the beginning of an
    INSERT (`begins`) or from behind a row of one, to behind a row.
    """

    text: bytes
    offset: int
    line: int
    begins: bool = True
    ends: bool = True
    commands: tuple[MetaCommand, ...] = ()
    shape: RunShape | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class CopyData:
    r"""The rows after a COPY … FROM stdin: from `offset`, `size_bytes` bytes of whole lines, then the end mark up to `end`.

    `rows` counts the lines, `tabs` their separators. `ends` is False when the script ends before `\.`; a last line that
    is not whole then is in neither `rows` nor `size_bytes`. `line` is the line of the first row, `crlf` whether lines end in \r\n.
    """

    offset: int
    line: int
    rows: int
    tabs: int
    size_bytes: int
    end: int
    ends: bool = True
    crlf: bool = False


Piece: TypeAlias = Between | MetaCommand | Foreign | Statement | CopyData
