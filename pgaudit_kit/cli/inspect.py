"""`pgaudit inspect`: what is in a dump."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.cli.output import Json, print_json, print_table, print_verdict

if TYPE_CHECKING:
    from pgaudit_kit.dumps.dump import Dump

DUMP_KEYS = ("format", "archive_version", "server_version", "pg_dump_version", "compression", "database", "created_at", "complete")


def inspect(
    dump: Annotated[str, typer.Argument(metavar="DUMP", help="Path of a dump that pg_dump wrote.")],
    json: Json = False,
    fingerprints: Annotated[bool, typer.Option("--fingerprints", help="Read every row and add each table's fingerprint.")] = False,
) -> None:
    """List what a dump holds: objects, tables, exact row counts.

    Example: pgaudit inspect backups/app.dump
    """
    from pgaudit_kit.dumps.read_dump import read_dump

    opened = read_dump(dump)
    if json:
        print_json(describe(opened, fingerprints=fingerprints))
    else:
        _print(opened, fingerprints=fingerprints)
    if opened.damage:
        raise typer.Exit(3)


def describe(dump: Dump, *, fingerprints: bool) -> dict[str, Any]:
    """The dump as `--json` prints it; keys as in the documentation of `pgaudit inspect`."""
    provenance = asdict(dump.provenance)
    return {
        "dump": {key: provenance[key] for key in DUMP_KEYS},
        "toc": [{"desc": e.desc, "schema": e.schema, "tag": e.tag, "owner": e.owner} for e in dump.listed_entries],
        "objects": [
            {"kind": o.key.kind, "schema": o.key.schema, "name": o.key.name, "parent": o.key.parent, "owner": o.attributes.get("owner")}
            for o in dump.inventory.objects
        ],
        "tables": [_table(dump, name, fingerprints=fingerprints) for name in dump.table_data],
        "unmodelled": [{"kind": u.kind, "schema": u.schema, "name": u.name, "reason": u.reason} for u in dump.inventory.unmodelled],
        "damage": [asdict(d) for d in dump.damage],
    }


def _table(dump: Dump, name: Any, *, fingerprints: bool) -> dict[str, Any]:
    data = dump.table_data[name]
    entry: dict[str, Any] = {"schema": name.schema, "name": name.name, "rows": data.rows, "size_bytes": data.size_bytes}
    if data.not_readable:
        entry["not_readable"] = data.not_readable
    if fingerprints:
        entry["fingerprint"] = None if data.not_readable else str(dump.fingerprint(name))
    return entry


def _print(dump: Dump, *, fingerprints: bool) -> None:
    plain = describe(dump, fingerprints=fingerprints)
    print_table(dump.label, ["", ""], [(key.replace("_", " "), value) for key, value in plain["dump"].items() if value is not None])
    kinds = Counter(o["kind"] for o in plain["objects"])
    print_table("Objects", ["kind", "count"], sorted(kinds.items()), right=["count"])
    columns = ["schema", "name", "rows", "size_bytes", *(["fingerprint"] if fingerprints else []), "not_readable"]
    columns = [c for c in columns if any(t.get(c) is not None for t in plain["tables"])]
    print_table("Tables", columns, [[t.get(c) for c in columns] for t in plain["tables"]], right=["rows", "size_bytes"])
    print_table("Not modelled", ["kind", "schema", "name"], [(u["kind"], u["schema"], u["name"]) for u in plain["unmodelled"]])
    print_table("Damage", ["what", "offset", "line", "table"], [(d["what"], d["offset"], d["line"], d["table"]) for d in plain["damage"]])
    if dump.damage:
        print_verdict("not_checked", "The dump is damaged; what could be read of it is above.", ["pgaudit verify says what is lost."])
