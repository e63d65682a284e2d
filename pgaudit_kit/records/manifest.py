"""What was recorded of a database at one snapshot: JSON beside a backup, or a saved snapshot.

A Manifest is a Source without rows: it knows objects, row counts and fingerprints.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path, PurePath
from typing import Any

from pgaudit_kit.errors import ManifestError, RowsNotAvailable, hide_secrets
from pgaudit_kit.records.chunks import INCREMENTAL
from pgaudit_kit.records.facts_table import facts_table
from pgaudit_kit.records.fingerprint import Fingerprint, ServerHash
from pgaudit_kit.records.inventory import Inventory, Unread
from pgaudit_kit.records.ledger import Ledger, Migration
from pgaudit_kit.records.objects import Attributes, Column, DatabaseObject, ObjectKey, Unmodelled
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.server_facts import ServerFacts
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.units import many

MARK = "pgaudit_kit manifest"
VERSION = 3
READABLE = (2, 3)  # 1 did not record privileges, policies, publications and other kinds of objects; 2 nothing of what `_since_3` reads
SUFFIX = ".manifest.json"
_COMPRESSIONS = frozenset({".gz", ".lz4", ".zst"})


@dataclass(frozen=True, slots=True)
class DumpFile:
    """The dump that a manifest stands beside: file name without folder, lower-case hex SHA-256, size."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Needs:
    """What a restore with owners and privileges finds on a server: names of roles and of tablespaces, sorted."""

    roles: tuple[str, ...] = ()
    tablespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A Source: everything known of a database at `taken_at` (ISO 8601, UTC), rows as counts and fingerprints only.

    `label`: how it is called where it was taken, or read from; `source`: the label that it was written with; `seconds`: how long
    the backup took that it stands beside. `target` tells databases apart (`host:port/database`, never a secret; "" where it was not
    recorded). `partial`: how the dump was told to hold only a part, by names of pg_dump's options (`table`, `exclude_table_data` …);
    empty for a whole one. `leaves_out`: the attributes that the dump leaves out of everything (`owner`, `acl`). `wal_lsn`: where the WAL
    stood when it was begun. `globals_file`: roles and tablespaces, in the file beside it. `dump_form`: format and compression as asked
    for (`custom`, `plain, zstd:9`). `server`: which cluster it was, and how it ordered text; None where it was not recorded.
    """

    label: str
    taken_at: str
    tool_version: str
    provenance: Provenance
    inventory: Inventory
    table_data: Mapping[TableName, TableData]
    ledger: Ledger | None = None
    dump_file: DumpFile | None = None
    partial: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    seconds: float | None = None
    target: str = ""
    leaves_out: frozenset[str] = frozenset()
    needs: Needs | None = None
    wal_lsn: str | None = None
    globals_file: DumpFile | None = None
    dump_form: str = ""
    server: ServerFacts | None = None

    def __repr__(self) -> str:
        held = f"{many(len(self.inventory.objects), 'object')}, {many(len(self.table_data), 'table')}"
        return f"<Manifest {self.label!r}: {held}, {self.taken_at}>"

    def _repr_html_(self) -> str:
        """For a notebook: what it is the record of, and its tables."""
        facts = {
            "manifest": self.label,
            "taken at": self.taken_at,
            "database": self.target or self.source,
            "server": self.provenance.server_version,
            "objects": f"{len(self.inventory.objects):,}",
            "holds": self.partial_sentence or "a whole database",
        }
        tables = "".join(
            f"<tr><td>{escape(str(t.name))}</td><td>{'' if t.rows is None else f'{t.rows:,}'}</td></tr>" for t in self.table_data.values()
        )
        return f"{facts_table(facts)}<table><tr><th>table</th><th>rows</th></tr>{tables}</table>"

    @property
    def partial_sentence(self) -> str:
        """What it is a part of, in one sentence; "" for a whole one."""
        said = "; ".join(f"{name.replace('_', ' ')} {text}" for name, text in self.partial.items())
        return f"partial: {said}" if said else ""

    @property
    def held_bytes(self) -> int | None:
        """How much it holds, beside others of its form: the size of its dump, or of the rows of an incremental one."""
        if self.dump_file and self.dump_file.name.endswith(INCREMENTAL):
            return sum(data.size_bytes or 0 for data in self.table_data.values())
        return self.dump_file.size_bytes if self.dump_file else None

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """The fingerprint recorded for *name*; RowsNotAvailable for other columns or when none was recorded."""
        data = self.table_data[name]
        if data.not_readable:
            raise RowsNotAvailable(
                f"the rows of {name} could not be read when this was taken: {data.not_readable}",
                resource=self.label,
                table=str(name),
                remedy="Take it again with a role that may read them.",
            )
        if data.fingerprint is None or (columns is not None and tuple(columns) != data.columns):
            why = f": {data.not_readable}" if data.fingerprint is None and data.not_readable else ""
            raise RowsNotAvailable(
                f"no fingerprint of {name} over these columns was recorded{why}",
                resource=self.label,
                table=str(name),
                remedy="Compare with the dump itself instead of its manifest.",
            )
        return data.fingerprint

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:  # noqa: ARG002  the interface of Source
        """Never gives rows: raises RowsNotAvailable."""
        raise RowsNotAvailable(
            f"a manifest records counts and fingerprints, not the rows of {name}",
            resource=self.label,
            table=str(name),
            remedy="Compare with the dump itself to see which rows differ.",
        )

    def to_json(self) -> str:
        """The manifest as JSON text: stable order, readable, no secret."""
        return json.dumps(_to_plain(self), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, label: str) -> Manifest:
        """Read what `to_json` wrote; errors and differences call it *label*. Raises ManifestError when *text* is anything else."""
        try:
            plain = json.loads(text)
        except ValueError as error:
            raise ManifestError(f"not JSON: {error}", resource=label, remedy="Take a new backup or snapshot.") from error
        if not isinstance(plain, dict) or plain.get("what") != MARK:
            raise ManifestError(
                "JSON, but not a manifest of pgaudit", resource=label, remedy="Give the .manifest.json that stands beside the backup."
            )
        if plain.get("version") not in READABLE:
            known = " or ".join(map(str, READABLE))
            raise ManifestError(
                f"manifest version {plain.get('version')} is not {known}", resource=label, remedy="Use the pgaudit that wrote it."
            )
        try:
            return _from_plain(plain, label)
        except (KeyError, TypeError, ValueError) as error:
            raise ManifestError(
                f"the manifest is incomplete ({error!r})", resource=label, remedy="It was edited or cut; take a new backup."
            ) from error


def load_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read the manifest at *path*. Raises ManifestError when it cannot be read."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ManifestError(f"cannot read the manifest: {reason}", resource=str(file), remedy="Check the path.") from error
    return Manifest.from_json(text, label=file.name)


def manifest_beside(dump: Path) -> Path:
    """Where the manifest of *dump* stands: same folder, `.manifest.json` behind its bare name."""
    return dump.with_name(bare_name(dump.name) + SUFFIX)


def bare_name(dump: str) -> str:
    """The file name *dump* without the last suffix, and without that of a compression behind it (`app.sql.gz` is `app`)."""
    path = PurePath(dump)
    if path.suffix in _COMPRESSIONS and len(path.suffixes) > 1:
        path = path.with_suffix("")
    return path.name.removesuffix("".join(path.suffixes[-1:]))


def _to_plain(manifest: Manifest) -> dict[str, Any]:
    return {
        "what": MARK,
        "version": VERSION,
        "label": manifest.label,
        "taken_at": manifest.taken_at,
        "tool_version": manifest.tool_version,
        "dump_file": asdict(manifest.dump_file) if manifest.dump_file else None,
        "globals_file": asdict(manifest.globals_file) if manifest.globals_file else None,
        "partial": dict(manifest.partial),
        "leaves_out": sorted(manifest.leaves_out),
        "target": manifest.target,
        "needs": asdict(manifest.needs) if manifest.needs else None,
        "wal_lsn": manifest.wal_lsn,
        "dump_form": manifest.dump_form,
        "server": asdict(manifest.server) if manifest.server else None,
        "seconds": manifest.seconds,
        "provenance": asdict(manifest.provenance),
        "ledger": asdict(manifest.ledger) if manifest.ledger else None,
        "tables": [
            {
                "schema": data.name.schema,
                "name": data.name.name,
                "columns": list(data.columns),
                "rows": data.rows,
                "size_bytes": data.size_bytes,
                "fingerprint": str(data.fingerprint) if data.fingerprint else None,
                "not_readable": data.not_readable,
                "server_hash": _hash_entry(data.server_hash) if data.server_hash else None,
            }
            for data in manifest.table_data.values()
        ],
        "objects": [_object_entry(item) for item in manifest.inventory.objects],
        "database": _object_entry(manifest.inventory.database) if manifest.inventory.database else None,
        "not_told": sorted(manifest.inventory.not_told),
        "unmodelled": [{"kind": u.kind, "schema": u.schema, "name": u.name, "reason": u.reason} for u in manifest.inventory.unmodelled],
        "unread": [asdict(u) for u in manifest.inventory.unread],
    }


def _hash_entry(found: ServerHash) -> dict[str, Any]:
    return {"sum": str(found.total), "expression": found.expression}  # of 64 bits and more: a JSON number would not be exact


def _object_entry(item: DatabaseObject) -> dict[str, Any]:
    return {
        **asdict(item.key),
        "attributes": _told(item.attributes),
        "columns": [{"name": c.name, "attributes": _told(c.attributes)} for c in item.columns],
    }


def _told(attributes: Attributes) -> dict[str, str]:
    """What is not None, without the passwords that stand in function bodies and the like."""
    return {name: hide_secrets(text) for name, text in attributes.items() if text is not None}


def _from_plain(plain: dict[str, Any], label: str) -> Manifest:
    tables = [_table_from(entry) for entry in plain["tables"]]
    return Manifest(
        label=label,
        taken_at=plain["taken_at"],
        tool_version=plain["tool_version"],
        provenance=Provenance(**plain["provenance"]),
        inventory=Inventory(
            objects=tuple(_object_from(entry) for entry in plain["objects"]),
            unmodelled=tuple(Unmodelled(**entry) for entry in plain["unmodelled"]),
            database=_object_from(plain["database"]) if plain["database"] else None,
            not_told=frozenset(plain["not_told"]),
            unread=tuple(map(_unread_from, plain.get("unread", ()))),  # not in those of earlier releases
        ),
        table_data={data.name: data for data in tables},
        ledger=_ledger_from(plain["ledger"]) if plain["ledger"] else None,
        dump_file=DumpFile(**plain["dump_file"]) if plain["dump_file"] else None,
        partial=plain["partial"],
        **_since_3(plain),
        source=plain["label"],
        seconds=plain.get("seconds"),
        server=ServerFacts(**plain["server"]) if plain.get("server") else None,  # not in those of earlier releases, which pass over it
    )


def _since_3(plain: dict[str, Any]) -> dict[str, Any]:
    """What older manifests do not say."""
    if plain["version"] < VERSION:
        return {}
    needs, globals_file = plain["needs"], plain["globals_file"]
    return {
        "target": plain["target"],
        "leaves_out": frozenset(plain["leaves_out"]),
        "needs": Needs(tuple(needs["roles"]), tuple(needs["tablespaces"])) if needs else None,
        "wal_lsn": plain["wal_lsn"],
        "dump_form": plain["dump_form"],
        "globals_file": DumpFile(**globals_file) if globals_file else None,
    }


def _unread_from(entry: dict[str, Any]) -> Unread:
    key = ObjectKey(**entry["key"]) if entry["key"] else None
    return Unread(entry["kind"], key, tuple(entry["attributes"]), entry["reason"])


def _ledger_from(entry: dict[str, Any]) -> Ledger:
    return Ledger(entry["tool"], TableName(**entry["table"]), tuple(Migration(**m) for m in entry["migrations"]))


def _table_from(entry: dict[str, Any]) -> TableData:
    recorded, hashed = entry["fingerprint"], entry.get("server_hash")
    return TableData(
        name=TableName(entry["schema"], entry["name"]),
        columns=tuple(entry["columns"]),
        rows=entry["rows"],
        size_bytes=entry["size_bytes"],
        fingerprint=None if recorded is None else Fingerprint(entry["rows"], int(recorded, 16)),
        not_readable=entry["not_readable"],
        server_hash=ServerHash(entry["rows"], int(hashed["sum"]), hashed["expression"]) if hashed else None,
    )


def _object_from(entry: dict[str, Any]) -> DatabaseObject:
    return DatabaseObject(
        key=ObjectKey(entry["kind"], entry["schema"], entry["name"], entry["parent"]),
        attributes=entry["attributes"],
        columns=tuple(Column(c["name"], c["attributes"]) for c in entry["columns"]),
    )
