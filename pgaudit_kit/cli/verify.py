"""`pgaudit verify`: is this backup whole?"""

from __future__ import annotations

from typing import Annotated

import typer

from pgaudit_kit.cli.output import Json, print_checks, print_json, print_verdict


def verify(
    dump: Annotated[str, typer.Argument(metavar="DUMP", help="A dump: a path, a URL, or - for standard input.")],
    manifest: Annotated[str | None, typer.Option("--manifest", help="Its manifest; default: the one beside the dump.")] = None,
    require: Annotated[list[str] | None, typer.Option("--require", help="A table that must be there; may be repeated.")] = None,
    json: Json = False,
) -> None:
    """Is this backup whole, and does it hold what it should?

    The file and every row in it are read, and held against what the database held when the backup was made.

    Example: pgaudit verify backups/app.dump --require users --require messages
    """
    from pgaudit_kit.audits.verify import verify as ask
    from pgaudit_kit.records.verdict import EXIT_CODES

    result = ask(dump, manifest=manifest, require=require or ())
    if json:
        print_json(result.to_dict())
    else:
        print_checks(result.check_list)
        print_verdict(result.verdict, result.sentence, result.next_steps)
    raise typer.Exit(EXIT_CODES[result.verdict])
