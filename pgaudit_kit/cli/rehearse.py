"""`pgaudit rehearse`: does this dump restore, and to the very same rows?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgaudit_kit.cli.config_option import ConfigOption, configured
from pgaudit_kit.cli.output import SHOWN, Json, print_checks, print_json, print_table, print_verdict, say

SERVER_HELP = "auto: a fitting PostgreSQL of this machine; embedded: that of the wheel; or a target, beside whose database one is made."


def rehearse(
    dump: Annotated[str, typer.Argument(metavar="DUMP", help="A dump: a path, a URL, or cluster.sql#DATABASE.")],
    server: Annotated[str, typer.Option("--server", help=SERVER_HELP)] = "auto",
    manifest: Annotated[str | None, typer.Option("--manifest", help="Its manifest; default: the one beside the dump.")] = None,
    skip_missing_extensions: Annotated[
        bool, typer.Option("--skip-missing-extensions", help="Leave out extensions that the server lacks, and what needs them.")
    ] = False,
    amcheck: Annotated[bool, typer.Option("--amcheck", help="Ask also whether heaps and indexes are sound.")] = False,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Connections that load an archive; default: one per CPU.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Where the data of the throwaway server lie.")] = None,
    allow_same_server: Annotated[
        bool, typer.Option("--allow-same-server", help="Let what is restored take its space on the server that the backup came from.")
    ] = False,
    no_evidence: Annotated[bool, typer.Option("--no-evidence", help="Write nothing beside the backup.")] = False,
    rto: Annotated[str | None, typer.Option("--rto", help="How long it may take: 30min, 2h.")] = None,
    config: ConfigOption = None,
    json: Json = False,
) -> None:
    """Restore into a throwaway server, and compare all of it.

    Roles are made first. The result is kept beside the backup as evidence.

    Example: pgaudit rehearse backups/app.dump
    """
    from pgaudit_kit.operations.rehearsals.rehearse import rehearse as play
    from pgaudit_kit.records.verdict import EXIT_CODES

    result = play(
        dump,
        server,
        manifest=manifest,
        skip_missing_extensions=skip_missing_extensions,
        amcheck=amcheck,
        jobs=jobs,
        folder=folder,
        allow_same_server=allow_same_server,
        evidence=not no_evidence,
        config=configured(config, rto=rto),
    )
    if json:
        print_json(result.to_dict())
    else:
        if result.server:
            say(f"Server: {result.server}; {result.why}\n")
        print_checks(result.check_list)
        print_table("Left out", ["what"], [(name,) for name in result.left_out], shown=SHOWN)
        print_verdict(result.verdict, result.sentence, result.next_steps)
        if result.evidence:
            say(f"  evidence: {result.evidence}")
    raise typer.Exit(EXIT_CODES[result.verdict])
