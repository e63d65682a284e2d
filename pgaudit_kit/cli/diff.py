"""`pgaudit diff`: what differs between two dumps, databases or manifests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from pgaudit_kit.cli.output import HOW_TO_SEE_ALL, LINES_SHOWN, SHOWN, Json, print_json, print_table, print_verdict
from pgaudit_kit.records.units import many

if TYPE_CHECKING:
    from pgaudit_kit.difference.diff import Difference
    from pgaudit_kit.difference.rows import RowResult
    from pgaudit_kit.records.difference import TableDifference


class Show(Protocol):
    """Prints a table, shortened unless everything was asked for."""

    def __call__(self, title: str, columns: Sequence[str], lines: Sequence[Sequence[Any]], right: Sequence[str] = ()) -> None:
        """Print *lines*; the columns in *right* are numbers."""


EXIT_CODES = {"same": 0, "different": 1, "not_checked": 3}
PATTERN_HELP = "Only these tables (with all that belongs to them) and objects: name, schema.name, schema.*; may be repeated."
SOURCE_HELP = "A dump (path, URL or -), a manifest, postgresql://…, env:NAME, dotenv:PATH[#KEY] or service:NAME."


def diff(
    left: Annotated[str, typer.Argument(metavar="A", help=SOURCE_HELP)],
    right: Annotated[str, typer.Argument(metavar="B", help="The same; usually the live database.")],
    rows: Annotated[bool, typer.Option("--rows", help="List the rows that differ.")] = False,
    schema_only: Annotated[bool, typer.Option("--schema-only", help="Compare objects, not rows.")] = False,
    data_only: Annotated[bool, typer.Option("--data-only", help="Compare rows, not objects.")] = False,
    include: Annotated[list[str] | None, typer.Option("--include", metavar="PATTERN", help=PATTERN_HELP)] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="PATTERN", help="Leave these out.")] = None,
    ignore: Annotated[
        str, typer.Option("--ignore", metavar="ATTRIBUTES", help="Attributes not to compare: owner,comment,column-order …")
    ] = "",
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, metavar="N", help="List up to N differing rows of each table (10,000); all are counted.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=f"Show all differences and all lines of long texts, not the first {SHOWN} and {LINES_SHOWN}.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what differs between two dumps, databases or manifests.

    They are compared object by object and row by row, without restoring anything. A is what should be, B what is:
    what only A has is missing (-), what only B has is extra (+), of what changed (~) both are shown. What could not be
    compared is named with the reason.

    Exit codes: 0 the same · 1 different · 2 wrong usage · 3 something could not be compared · 130 interrupted.

    Example: pgaudit diff backups/app.dump env:DATABASE_URL --rows
    """
    from pgaudit_kit.audits.drift import diff as compare
    from pgaudit_kit.difference.rows import ROWS_LISTED

    with compare(
        left,
        right,
        schema_only=schema_only,
        data_only=data_only,
        include=include or (),
        exclude=exclude or (),
        ignore=[name for name in ignore.split(",") if name.strip()],
        limit=ROWS_LISTED if limit is None else limit,
        progress=False if json else None,
    ) as difference:
        verdict = difference.verdict
        if json:
            print_json(difference.to_dict(rows=rows))
        else:
            _print(difference, rows=rows, everything=everything)
    raise typer.Exit(EXIT_CODES[verdict])


def _print(difference: Difference, *, rows: bool, everything: bool) -> None:
    from pgaudit_kit.cli.object_list import print_objects

    def show(title: str, columns: Sequence[str], lines: Sequence[Sequence[Any]], right: Sequence[str] = ()) -> None:
        print_table(title, columns, lines, right=right, shown=None if everything else SHOWN, how=HOW_TO_SEE_ALL)

    print_objects(difference.object_differences, (difference.left.label, difference.right.label), everything=everything)
    tables = [_table_line(difference, t) for t in difference.table_differences]
    columns = ["table", "rows left", "rows right", "missing", "extra", "changed", "reason"]
    if not any(line[-1] for line in tables):
        columns, tables = columns[:-1], [line[:-1] for line in tables]
    show("Rows", columns, tables, columns[1:6])
    if rows:
        _print_losses(difference, show)
        for t in difference.table_differences:
            show(f"Rows of {t.name}", ["", "key", "column", "left", "right"], _row_lines(difference.row_result(t.name)))
    show("Not compared", ["what", "reason"], [(s.what, s.reason) for s in difference.skipped])
    unmodelled = [(u.kind, u.schema, u.name, u.reason) for u in difference.unmodelled]
    show("Not understood, not compared", ["kind", "schema", "name", "reason"], unmodelled)
    print_verdict(difference.verdict, difference.sentence)


def _print_losses(difference: Difference, show: Show) -> None:
    """What was lost: only the columns that hold something, for most tables are small and most keys point at something."""
    from pgaudit_kit.display.shares import percent

    losses = [
        {
            "table": str(loss.name),
            "lost": loss.missing,
            "of its rows": percent(loss.missing_share),
            "changed": loss.changed,
            "added": loss.extra,
            "first touched": loss.times and loss.times.first,
            "last touched": loss.times and loss.times.last,
            "by column": loss.times and loss.times.column,
            "point at nothing": _known(loss.dangling),
            "its rows missed": _known(loss.dangling_to),
            "sequences behind": _known(loss.sequences_behind),
        }
        for loss in difference.losses
    ]
    held = [name for name in (losses[0] if losses else ()) if any(loss[name] for loss in losses)]
    losses = losses if len(held) > 1 else []  # of tables whose loss is not known nothing but names would stand there
    numbers = ("lost", "of its rows", "changed", "added", "point at nothing", "its rows missed", "sequences behind")
    looked_at = difference.looked_at
    keys, fed = many(looked_at["foreign_keys"], "foreign key"), many(looked_at["sequences"], "column")
    title = f"What was lost ({keys} and {fed} fed by sequences looked at)"
    show(title, held, [[loss[name] for name in held] for loss in losses], numbers)
    dangling: list[tuple[object, ...]] = [
        (str(k.table), ", ".join(k.columns), f"{k.parent} ({', '.join(k.parent_columns)})", k.name, k.state, k.rows, k.reason)
        for k in difference.dangling_keys
        if k.rows
    ]
    unknown = Counter(k.reason for k in difference.dangling_keys if k.rows is None)
    dangling += [(many(times, "foreign key"), "", "", "", "", None, why) for why, times in unknown.items()]
    columns = ["table", "columns", "at", "foreign key", "state", "rows", "not known because"]
    show("Rows that point at nothing", columns, dangling, ["rows"])
    behind = [(u.sequence, u.column, u.next_value, u.in_use, u.reason) for u in difference.sequence_uses if u.behind is not False]
    columns = ["sequence", "column", "next value", "in use up to", "not known because"]
    show("Sequences behind their column", columns, behind, columns[2:4])


def _known(count: int | None) -> int | str:
    return "not known" if count is None else count


def _table_line(difference: Difference, table: TableDifference) -> tuple[str | int | None, ...]:
    from pgaudit_kit.display.object_changes import STATUS_WORDS

    result = difference.row_result(table.name)
    known = not result.why_not or table.status in STATUS_WORDS  # of a table on one side only the counts are known
    counts = (result.counts.missing, result.counts.extra, result.counts.changed) if known else (None, None, None)
    return (str(table.name), table.rows_left, table.rows_right, *counts, result.why_not or table.reason)


def _row_lines(result: RowResult) -> list[tuple[str, ...]]:
    from pgaudit_kit.display.frames import key_text
    from pgaudit_kit.display.object_changes import status_word

    return [
        (status_word(r.status), key_text(r.key), *((c.attribute, _value(c.left), _value(c.right)) if c else ("", "", "")))
        for r in result.listed
        for c in (r.columns or (None,))
    ]


def _value(text: str | None) -> str:
    """A value of a row: NULL, an empty text and the word NULL must not look the same."""
    if text is None:
        return "NULL"
    return f"'{text}'" if text in {"", "NULL"} or text != text.strip() else text
