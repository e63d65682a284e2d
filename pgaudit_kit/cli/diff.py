"""`pgaudit diff`: what differs between two dumps, databases or manifests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli.output import Json, print_json, print_table, print_verdict

if TYPE_CHECKING:
    from pgaudit_kit.difference.diff import Difference

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
    json: Json = False,
) -> None:
    """Say what differs between two dumps, databases or manifests.

    They are compared object by object and row by row, without restoring anything; A is what should be, B what is. What could not be
    compared is named with the reason: when that is all there is to say, the exit code is 3.

    Example: pgaudit diff backups/app.dump env:DATABASE_URL --rows
    """
    from pgaudit_kit.audits.drift import diff as compare

    chosen = {"include": include or (), "exclude": exclude or (), "ignore": [name for name in ignore.split(",") if name.strip()]}
    with compare(left, right, schema_only=schema_only, data_only=data_only, **chosen) as difference:
        verdict = difference.verdict
        if json:
            print_json(difference.to_dict(rows=rows))
        else:
            _print(difference, rows=rows)
    raise typer.Exit(EXIT_CODES[verdict])


def _print(difference: Difference, *, rows: bool) -> None:
    words = {"only_left": "missing", "only_right": "extra"}
    objects = [
        (words.get(d.status, d.status), str(d.key), c.attribute if c else d.hint, c and c.left, c and c.right)
        for d in difference.object_differences
        for c in (d.changes or (None,))
    ]
    print_table("Objects", ["", "object", "attribute", difference.left.label, difference.right.label], objects)
    tables = []
    for t in difference.table_differences:
        result = difference.row_result(t.name)
        known = not result.why_not or t.status in words  # of a table on one side only the counts are known
        counts = (result.counts.missing, result.counts.extra, result.counts.changed) if known else (None, None, None)
        tables.append((str(t.name), t.rows_left, t.rows_right, *counts, result.why_not or t.reason))
    columns = ["table", "rows left", "rows right", "missing", "extra", "changed", "reason"]
    print_table("Rows", columns, tables, right=columns[1:6])
    if rows:
        from pgaudit_kit.display.frames import key_text

        _print_losses(difference)
        for t in difference.table_differences:
            listed = [
                (words.get(r.status, r.status), key_text(r.key), *((c.attribute, _value(c.left), _value(c.right)) if c else ("", "", "")))
                for r in difference.row_result(t.name).listed
                for c in (r.columns or (None,))
            ]
            print_table(f"Rows of {t.name}", ["", "key", "column", "left", "right"], listed)
    print_table("Not compared", ["what", "reason"], [(s.what, s.reason) for s in difference.skipped])
    unmodelled = [(u.kind, u.schema, u.name) for u in difference.unmodelled]
    print_table("Not modelled, not compared", ["kind", "schema", "name"], unmodelled)
    print_verdict(difference.verdict, difference.sentence)


def _print_losses(difference: Difference) -> None:
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
    numbers = ("lost", "of its rows", "changed", "added", "point at nothing", "its rows missed", "sequences behind")
    looked_at = difference.looked_at
    title = f"What was lost ({looked_at['foreign_keys']:,} foreign keys and {looked_at['sequences']:,} columns fed by sequences looked at)"
    print_table(title, held, [[loss[name] for name in held] for loss in losses], right=numbers)
    dangling: list[tuple[object, ...]] = [
        (str(k.table), ", ".join(k.columns), f"{k.parent} ({', '.join(k.parent_columns)})", k.name, k.state, k.rows, k.reason)
        for k in difference.dangling_keys
        if k.rows
    ]
    unknown = Counter(k.reason for k in difference.dangling_keys if k.rows is None)
    dangling += [(f"{times:,} foreign key{'' if times == 1 else 's'}", "", "", "", "", None, why) for why, times in unknown.items()]
    columns = ["table", "columns", "at", "foreign key", "state", "rows", "not known because"]
    print_table("Rows that point at nothing", columns, dangling, right=["rows"])
    behind = [(u.sequence, u.column, u.next_value, u.in_use, u.reason) for u in difference.sequence_uses if u.behind is not False]
    columns = ["sequence", "column", "next value", "in use up to", "not known because"]
    print_table("Sequences behind their column", columns, behind, right=columns[2:4])


def _known(count: int | None) -> int | str:
    return "not known" if count is None else count


def _value(text: str | None) -> str:
    """A value of a row: NULL, an empty text and the word NULL must not look the same."""
    if text is None:
        return "NULL"
    return f"'{text}'" if text in {"", "NULL"} or text != text.strip() else text
