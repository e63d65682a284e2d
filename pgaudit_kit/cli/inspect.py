"""`pgaudit inspect`: what is in a dump."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.cli.output import Json, print_json, print_table, print_verdict

if TYPE_CHECKING:
    from pgaudit_kit.dumps.dump import Dump
    from pgaudit_kit.dumps.scripts.cluster import ClusterDump
    from pgaudit_kit.records.cluster import Role

DUMP_KEYS = ("format", "archive_version", "server_version", "pg_dump_version", "compression", "database", "created_at", "complete")


def inspect(
    dump: Annotated[
        str, typer.Argument(metavar="DUMP", help="A dump that pg_dump or pg_dumpall wrote: a path, a URL, or - for standard input.")
    ],
    json: Json = False,
    fingerprints: Annotated[bool, typer.Option("--fingerprints", help="Read every row and add each table's fingerprint.")] = False,
) -> None:
    """List what a dump holds: objects, tables, exact row counts.

    Of a script of pg_dumpall it lists roles, tablespaces, and each database; FILE#DATABASE is one of them.

    Example: pgaudit inspect backups/app.dump
    """
    from pgaudit_kit.audits.sources import open_dump
    from pgaudit_kit.dumps.scripts.cluster import ClusterDump

    opened = open_dump(dump)
    if isinstance(opened, ClusterDump):
        if json:
            print_json(describe_cluster(opened, fingerprints=fingerprints))
        else:
            _print_cluster(opened, fingerprints=fingerprints)
    elif json:
        print_json(describe(opened, fingerprints=fingerprints))
    else:
        _print(opened, fingerprints=fingerprints)
    if opened.damage:
        raise typer.Exit(3)


def describe(dump: Dump, *, fingerprints: bool) -> dict[str, Any]:
    """The dump as `--json` prints it; keys as in the documentation of `pgaudit inspect`."""
    from pgaudit_kit.records.large_objects import tables_alone

    complete = dump.complete  # first, since it takes reading all, and tells which tables are damaged
    provenance = asdict(dump.provenance) | {"complete": complete}
    if fingerprints:
        dump.fingerprints()  # of all tables together, which may use more than one process
    return {
        "dump": {key: provenance[key] for key in DUMP_KEYS},
        "toc": [{"desc": e.desc, "schema": e.schema, "tag": e.tag, "owner": e.owner} for e in dump.listed_entries],
        "objects": [
            {"kind": o.key.kind, "schema": o.key.schema, "name": o.key.name, "parent": o.key.parent, "owner": o.attributes.get("owner")}
            for o in dump.inventory.objects
        ],
        "tables": [_table(dump, data.name, fingerprints=fingerprints) for data in tables_alone(dump.table_data)],
        "large_objects": _large_objects(dump, fingerprints=fingerprints),
        "unmodelled": [{"kind": u.kind, "schema": u.schema, "name": u.name, "reason": u.reason} for u in dump.inventory.unmodelled],
        "damage": [asdict(d) for d in dump.damage],
    }


def describe_cluster(dump: ClusterDump, *, fingerprints: bool) -> dict[str, Any]:
    """A script of several databases as `--json` prints it: what they share, and each as `describe` has it. Of passwords nothing."""
    provenance = asdict(dump.provenance)
    shared = dump.shared
    return {
        "dump": {key: provenance[key] for key in DUMP_KEYS},
        "roles": [asdict(role) for role in shared.roles],
        "memberships": [asdict(membership) for membership in shared.memberships],
        "tablespaces": [asdict(tablespace) for tablespace in shared.tablespaces],
        "settings": [asdict(setting) for setting in shared.settings],
        "grants": [asdict(grant) for grant in shared.grants],
        "databases": [{"name": name, **describe(one, fingerprints=fingerprints)} for name, one in dump.databases.items()],
        "unmodelled": [{"kind": u.kind, "schema": u.schema, "name": u.name, "reason": u.reason} for u in shared.unmodelled],
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


def _large_objects(dump: Dump, *, fingerprints: bool) -> dict[str, Any] | None:
    """How many large objects it holds, and the size of their contents; None without any."""
    from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS

    data = dump.table_data.get(LARGE_OBJECT_ROWS)
    if data is None:
        return None
    entry: dict[str, Any] = {"count": data.rows, "size_bytes": None if data.not_readable else dump.large_object_bytes}
    if data.not_readable:
        entry["not_readable"] = data.not_readable
    if fingerprints:
        entry["fingerprint"] = None if data.not_readable else str(dump.fingerprint(LARGE_OBJECT_ROWS))
    return entry


def _print_cluster(dump: ClusterDump, *, fingerprints: bool) -> None:
    shared = dump.shared
    _print_facts(dump)
    print_table("Roles", ["name", "may", "password", "valid until"], [_role_row(role) for role in shared.roles])
    print_table("Memberships", ["role", "member", "granted by"], [(m.role, m.member, m.grantor) for m in shared.memberships])
    print_table("Tablespaces", ["name", "owner", "location"], [(t.name, t.owner, t.location) for t in shared.tablespaces])
    settings = [(s.role, s.database, s.name, s.value) for s in shared.settings]
    print_table("Settings", ["role", "database", "name", "value"], settings)
    print_table("Not modelled outside of the databases", ["kind", "name"], [(u.kind, u.name) for u in shared.unmodelled])
    for one in dump.databases.values():
        _print(one, fingerprints=fingerprints)
    outside = dump.damage[: len(dump.damage) - sum(len(one.damage) for one in dump.databases.values())]
    print_table("Damage of the whole", ["what", "offset", "line"], [(d.what, d.offset, d.line) for d in outside])
    if outside:
        print_verdict("not_checked", "The script is damaged; what could be read of it is above.", ["pgaudit verify says what is lost."])


def _role_row(role: Role) -> tuple[str, str, str, str | None]:
    flags = ("superuser", "login", "create_db", "create_role", "replication", "bypass_rls")
    may = ", ".join(flag.replace("_", " ") for flag in flags if getattr(role, flag))
    return role.name, may, "yes" if role.has_password else "", role.valid_until


def _print_facts(dump: Dump) -> None:
    facts = asdict(dump.provenance)
    print_table(dump.label, ["", ""], [(key.replace("_", " "), facts[key]) for key in DUMP_KEYS if facts[key] is not None])


def _print(dump: Dump, *, fingerprints: bool) -> None:
    plain = describe(dump, fingerprints=fingerprints)
    _print_facts(dump)
    kinds = Counter(o["kind"] for o in plain["objects"])
    print_table("Objects", ["kind", "count"], sorted(kinds.items()), right=["count"])
    columns = ["schema", "name", "rows", "size_bytes", *(["fingerprint"] if fingerprints else []), "not_readable"]
    columns = [c for c in columns if any(t.get(c) is not None for t in plain["tables"])]
    print_table("Tables", columns, [[t.get(c) for c in columns] for t in plain["tables"]], right=["rows", "size_bytes"])
    if objects := plain["large_objects"]:
        columns = [c for c in ("count", "size_bytes", "fingerprint", "not_readable") if objects.get(c) is not None]
        print_table("Large objects", columns, [[objects[c] for c in columns]], right=["count", "size_bytes"])
    print_table("Not modelled", ["kind", "schema", "name"], [(u["kind"], u["schema"], u["name"]) for u in plain["unmodelled"]])
    places = ["what", "offset", "line", "table", "member"]
    print_table("Damage", places, [tuple(d[place] for place in places) for d in plain["damage"]])
    if dump.damage:
        print_verdict("not_checked", "The dump is damaged; what could be read of it is above.", ["pgaudit verify says what is lost."])
