r"""Rows as an archive stores them, as blocks of COPY lines: with an end mark when they were copied, as statements with --inserts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pgaudit_kit.dumps.files.decompression import PieceStream
from pgaudit_kit.dumps.scripts.insert_rows import InsertReader
from pgaudit_kit.dumps.scripts.insert_runs import RunShape
from pgaudit_kit.dumps.scripts.script_pieces import Statement
from pgaudit_kit.dumps.scripts.sql_script import ScriptSplitter
from pgaudit_kit.dumps.text_encoding import to_utf8
from pgaudit_kit.errors import DamagedDump

_END_MARK = b"\\.\n\n\n"
# Two empty lines end the INSERT statements, too, of which each ends its line (dumpTableData_insert in pg_dump.c)
_INSERTS_END = b"\n\n"


def without_end_mark(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield the rows of COPY data as an archive stores them, without the `\.` and the empty lines that end them.

    Pieces are given as they came, and are not copied. Raises DamagedDump, after the last good piece, when they do not end so.
    """
    held = b""  # what may hold the end mark: the last piece
    last = b"\n"
    try:
        for piece in pieces:
            if len(piece) < len(_END_MARK):
                held, piece = held[: -len(_END_MARK)], held[-len(_END_MARK) :] + piece  # noqa: PLW2901  # the mark never lies across two
            if held:
                yield held
                last = held[-1:]
            held = piece
    except DamagedDump:
        if held := held.removesuffix(_END_MARK):
            yield held
        raise
    rows, mark = held[: -len(_END_MARK)], held[-len(_END_MARK) :]
    if rows:
        yield rows
        last = rows[-1:]
    if mark != _END_MARK or last != b"\n":
        raise DamagedDump(r"the rows do not end with the end mark \.")


def with_inserts_end(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *pieces*, INSERT statements as an archive stores them. Raises DamagedDump, behind them, when they do not end so."""
    last = b""
    for piece in pieces:
        yield piece
        last = (last + piece[-len(_INSERTS_END) - 2 :])[-len(_INSERTS_END) - 2 :]
    if last not in (_INSERTS_END, b";\n" + _INSERTS_END):
        raise DamagedDump("the INSERT statements do not end as pg_dump ends them")


def inserted_lines(pieces: Iterable[bytes], reader: InsertReader, encoding: str) -> Iterator[bytes]:
    r"""Yield the rows of INSERT statements as COPY lines in UTF-8, one or many at a time; `reader.rows` counts them.

    Raises NotCopyable, and DamagedDump for a statement without end.
    """
    splitter = ScriptSplitter(PieceStream(pieces), standard_strings=reader.standard_strings, encoding=encoding)
    for piece in splitter:
        if not isinstance(piece, Statement):
            continue
        if piece.shape:
            shape, text = run_text(piece, encoding, crlf=reader.crlf)
            reader.skip(piece.rows, width=shape.width, defaults=shape.defaults)
            yield shape.lines(text, is_open=not piece.begins)
        else:
            yield from reader.lines(to_utf8(piece.text, encoding))
    if splitter.broken:
        raise splitter.broken
    if reader.is_open:
        raise DamagedDump("the last INSERT does not end")


def run_text(run: Statement, encoding: str, *, crlf: bool) -> tuple[RunShape, bytes]:
    """Return the shape and the text of a run of INSERT rows, both in UTF-8. Raises DamagedDump for bytes that are not of *encoding*."""
    if not run.shape:
        raise ValueError("not a run")
    text = to_utf8(run.text, encoding)
    return run.shape.with_head(to_utf8(run.shape.head, encoding)), text.replace(b"\r\n", b"\n") if crlf else text


def located(
    blocks: Iterable[bytes], *, table: str, resource: str, offset: int | None, line: int | None = None, member: str = "", remedy: str = ""
) -> Iterator[bytes]:
    """Yield *blocks*; a DamagedDump on the way is raised again with the table and the place."""
    try:
        yield from blocks
    except DamagedDump as error:
        where = error.offset if error.offset is not None else offset
        raise damaged_table(error.message, table=table, resource=resource, offset=where, line=line, member=member, remedy=remedy) from error


def damaged_table(
    what: str, *, table: str, resource: str, offset: int | None, line: int | None, member: str | None = None, remedy: str = ""
) -> DamagedDump:
    """The error of rows that cannot be had because the dump is broken there; *member*: in that file of a folder."""
    place = f"line {line:,}" if line else f"byte {offset:,}" if offset is not None else ""
    where = " of ".join(p for p in (place, member) if p)
    remedy = remedy or "Take these rows from another dump; the other tables of this one can still be read."
    return DamagedDump(
        f"{table} is damaged{f' near {where}' if where else ''}: {what}",
        resource=resource,
        remedy=remedy,
        offset=offset,
        line=line,
        table=table,
    )


def shape_problem(rows: int, tabs: int, columns: tuple[str, ...]) -> str:
    """Say what is wrong with counted *rows* of *columns*; "" when nothing is. A raw tab is always a separator, so counting is enough."""
    expected = rows * max(len(columns) - 1, 0)
    if tabs == expected:
        return ""
    return f"{rows:,} rows of {len(columns)} columns have {tabs:,} field separators instead of {expected:,}"
