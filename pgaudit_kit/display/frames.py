"""Records → pandas frames. Every frame that the package returns has its columns and dtypes here.

Text columns are `string` also when the frame is empty (pandas infers `object` there); counts are nullable `Int64`.
Rows keep the order of the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import hide_secrets
from pgaudit_kit.records.difference import Change, ObjectDifference, RowDifference, TableDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.loss import DanglingKey
from pgaudit_kit.records.objects import Column
from pgaudit_kit.records.questions.registry import explain
from pgaudit_kit.records.sequence_use import SequenceUse
from pgaudit_kit.records.table_data import TableData, quote_identifier
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.records.verdict import Check

if TYPE_CHECKING:
    from pandas import DataFrame

TEXT = "string"
COUNT = "Int64"
SHARE = "Float64"
FLAG = "boolean"
ANY = "object"
TIME = "datetime64[us, UTC]"
SPAN = "timedelta64[us]"

_EVIDENCE = {"text": TEXT, "count": COUNT, "flag": FLAG}

SCHEMAS: Mapping[str, Mapping[str, str]] = {
    # one row per TOC entry, in file order
    "toc": {"desc": TEXT, "schema": TEXT, "tag": TEXT, "owner": TEXT, "section": TEXT, "dump_id": COUNT},
    # one row per object, by schema, parent, kind, name. tablespace: '' is the database's default one; dependencies: a list of
    # objects as text, None where they are not known; attributes: a dict of all that is compared
    "objects": {
        "kind": TEXT,
        "schema": TEXT,
        "name": TEXT,
        "parent": TEXT,
        "owner": TEXT,
        "tablespace": TEXT,
        "access_method": TEXT,
        "definition": TEXT,
        "comment": TEXT,
        "acl": TEXT,
        "security_label": TEXT,
        "dependencies": ANY,
        "attributes": ANY,
    },
    # one row per column of a table, foreign table or composite type, in the order of objects and columns. Of what a child table
    # inherits only what it overrides is listed, without type; nullable is missing there unless it says NOT NULL itself
    "columns": {
        "schema": TEXT,
        "table": TEXT,
        "kind": TEXT,
        "position": COUNT,
        "name": TEXT,
        "type": TEXT,
        "collation": TEXT,
        "nullable": FLAG,
        "default": TEXT,
        "identity": TEXT,
        "generated": TEXT,
        "storage": TEXT,
        "compression": TEXT,
        "statistics": TEXT,
        "options": TEXT,
        "comment": TEXT,
        "acl": TEXT,
    },
    # one row per table that holds rows; size_bytes is the size of its COPY text
    "tables": {"schema": TEXT, "name": TEXT, "rows": COUNT, "size_bytes": COUNT, "fingerprint": TEXT, "not_readable": TEXT},
    # one row per changed attribute; an object that is on one side only has one row, without attribute. Passwords inside of the texts
    # are hidden. reason: why it is `equivalent`, and no difference; hint: what it looks like (renamed), and no more
    "object_differences": {
        "kind": TEXT,
        "schema": TEXT,
        "name": TEXT,
        "parent": TEXT,
        "status": TEXT,
        "attribute": TEXT,
        "left": TEXT,
        "right": TEXT,
        "reason": TEXT,
        "hint": TEXT,
    },
    # one row per table compared; method: what judged (`rows`, `fingerprints`, `server hashes`)
    "table_differences": {
        "schema": TEXT,
        "name": TEXT,
        "status": TEXT,
        "rows_left": COUNT,
        "rows_right": COUNT,
        "reason": TEXT,
        "method": TEXT,
    },
    # one row per table whose rows differ: how many rows are missing on the right, extra there, changed; the shares are of the left
    # rows, 0 to 1. first_touched, last_touched: the earliest and latest value of touched_column over all those rows, on both sides, as
    # PostgreSQL prints it. dangling: rows of the table on the right that point at a row that is not there, dangling_to: rows of any
    # table that point at a row of this one that is not there, each counted once per foreign key; sequences_behind: how many of its
    # columns a sequence will give a number that is in use. These are missing where they could not be found out
    "summary": {
        "schema": TEXT,
        "name": TEXT,
        "rows_left": COUNT,
        "rows_right": COUNT,
        "missing": COUNT,
        "extra": COUNT,
        "changed": COUNT,
        "missing_share": SHARE,
        "changed_share": SHARE,
        "touched_column": TEXT,
        "first_touched": TEXT,
        "last_touched": TEXT,
        "dangling": COUNT,
        "dangling_to": COUNT,
        "sequences_behind": COUNT,
        "reason": TEXT,
    },
    # one row per table that lost or got rows and span of time: how many of the rows that differ were touched then, by touched_column: as
    # the left side has them (missing or changed), and as the right one has them (extra or changed). since: the beginning of the span,
    # as PostgreSQL prints it; unit: minute, hour, day, month or year
    "touched_over_time": {
        "schema": TEXT,
        "name": TEXT,
        "touched_column": TEXT,
        "since": TEXT,
        "unit": TEXT,
        "rows_left": COUNT,
        "rows_right": COUNT,
    },
    # one row per foreign key of either side by which rows of the right one point at nothing, or for which that could not be found out
    # (rows is missing then). state: in force, not valid, dropped; columns and parent_columns as SQL writes them
    "dangling": {
        "schema": TEXT,
        "table": TEXT,
        "key": TEXT,
        "columns": TEXT,
        "parent": TEXT,
        "parent_columns": TEXT,
        "state": TEXT,
        "rows": COUNT,
        "reason": TEXT,
    },
    # one row per column of the right side that a sequence will give a number that is in use, or for which that could not be found out
    # (next_value is missing then)
    "sequences": {"sequence": TEXT, "column": TEXT, "next_value": COUNT, "in_use": COUNT, "reason": TEXT},
    # one row per changed column of a row; a row that is on one side only has one row, without column
    "row_differences": {"status": TEXT, "key": TEXT, "column": TEXT, "left": TEXT, "right": TEXT},
    # of a cluster, in the order of its script. One row per role; connection_limit is missing when there is none
    "roles": {
        "name": TEXT,
        "superuser": FLAG,
        "inherit": FLAG,
        "create_role": FLAG,
        "create_db": FLAG,
        "login": FLAG,
        "replication": FLAG,
        "bypass_rls": FLAG,
        "connection_limit": COUNT,
        "has_password": FLAG,
        "valid_until": TEXT,
        "comment": TEXT,
    },
    # one row per member of a role; inherit and set are missing before PostgreSQL 16
    "memberships": {"role": TEXT, "member": TEXT, "admin": FLAG, "inherit": FLAG, "set": FLAG, "grantor": TEXT},
    "tablespaces": {"name": TEXT, "owner": TEXT, "location": TEXT, "options": TEXT, "comment": TEXT},
    # one row per setting of a role, of a database, or of a role in a database
    "settings": {"role": TEXT, "database": TEXT, "name": TEXT, "value": TEXT},
    # one row per migration, in the order applied, then those not applied. state: applied, pending, failed, rolled_back, unknown (in the
    # ledger, without a file), edited; applied_at as PostgreSQL prints it; ledger, file, catalog: what each of the three says
    "migrations": {
        "tool": TEXT,
        "table": TEXT,
        "name": TEXT,
        "state": TEXT,
        "applied_at": TEXT,
        "out_of_order": FLAG,
        "ledger": TEXT,
        "file": TEXT,
        "catalog": TEXT,
        "reason": TEXT,
        "remedy": TEXT,
    },
    # one row per backup of a store, newest first. when: of its snapshot; size_bytes: as the dump lies there now; partial: it was told
    # to leave something out; verified, rehearsed: the verdict of the last proof of that kind, missing when there is none; verdict: what
    # is known of it now (passed or warned: proven); kept_by: the rules that keep it, missing when none does or none was given;
    # location: the path or URL of its dump
    "backups": {
        "target": TEXT,
        "when": TIME,
        "age": SPAN,
        "size_bytes": COUNT,
        "rows": COUNT,
        "format": TEXT,
        "partial": FLAG,
        "verified": TEXT,
        "rehearsed": TEXT,
        "verdict": TEXT,
        "kept_by": TEXT,
        "location": TEXT,
    },
    # one row per check
    "checks": {
        "id": TEXT,
        "question": TEXT,
        "outcome": TEXT,
        "expected": TEXT,
        "found": TEXT,
        "compared": COUNT,
        "remedy": TEXT,
    },
}


def frame(schema: str, rows: Iterable[Sequence[Any]]) -> DataFrame:
    """Return *rows* as a frame with exactly the columns and dtypes of `SCHEMAS[schema]`, also when there are none."""
    import pandas as pd

    columns = SCHEMAS[schema]
    taken = list(rows)
    return pd.DataFrame(
        {name: _series([row[i] for row in taken], dtype) for i, (name, dtype) in enumerate(columns.items())}, columns=list(columns)
    )


def _series(values: list[Any], dtype: str) -> Any:
    import pandas as pd

    try:
        return pd.Series(values, dtype=dtype)
    except UnicodeEncodeError:  # names of a SQL_ASCII database: Arrow cannot hold the surrogates that stand for bytes of no encoding
        return pd.Series(values, dtype=pd.StringDtype("python"))


def records_frame(schema: str, records: Iterable[object]) -> DataFrame:
    """Frame *schema* of records whose fields have the names of its columns (`roles`, `settings`, `migrations` …)."""
    return frame(schema, ([getattr(record, name) for name in SCHEMAS[schema]] for record in records))


def toc_frame(entries: Iterable[TocEntry]) -> DataFrame:
    """Frame `toc` of a dump's entries."""
    return frame("toc", ((e.desc, e.schema, e.tag, e.owner, e.section, e.dump_id) for e in entries))


def objects_frame(inventory: Inventory) -> DataFrame:
    """Frame `objects` of an inventory; `definition` is the SQL when the source has it, else the compared definition."""
    return frame(
        "objects",
        (
            (
                o.key.kind,
                o.key.schema,
                o.key.name,
                o.key.parent,
                *map(o.attributes.get, ("owner", "tablespace", "access_method")),
                o.definition or o.attributes.get("definition"),
                *map(o.attributes.get, ("comment", "acl", "security_label")),
                None if o.dependencies is None else [str(key) for key in o.dependencies],
                dict(o.attributes),
            )
            for o in inventory.objects
        ),
    )


def columns_frame(inventory: Inventory) -> DataFrame:
    """Frame `columns` of an inventory."""
    return frame(
        "columns",
        (
            (
                *(o.key.schema, o.key.name, o.key.kind, position, column.name),
                *map(column.attributes.get, ("type", "collation")),
                _nullable(column),
                *map(column.attributes.get, ("default", "identity", "generated", "storage", "compression", "statistics")),
                column.attributes.get("options") or column.attributes.get("foreign_options"),
                *map(column.attributes.get, ("comment", "acl")),
            )
            for o in inventory.objects
            for position, column in enumerate(o.columns, 1)
        ),
    )


def _nullable(column: Column) -> bool | None:
    if column.attributes.get("not_null"):
        return False
    return True if column.attributes.get("type") else None


def tables_frame(tables: Iterable[TableData]) -> DataFrame:
    """Frame `tables`; `fingerprint` is 32 hex digits where it is known."""
    return frame(
        "tables",
        (
            (t.name.schema, t.name.name, t.rows, t.size_bytes, str(t.fingerprint) if t.fingerprint else None, t.not_readable or None)
            for t in tables
        ),
    )


def _cells(changes: Sequence[Change]) -> list[tuple[str | None, str | None, str | None]]:
    """One triple per change; one empty triple for a thing that is on one side only."""
    if not changes:
        return [(None, None, None)]
    return [(c.attribute, c.left, c.right) for c in changes]


def object_differences_frame(differences: Iterable[ObjectDifference]) -> DataFrame:
    """Frame `object_differences`."""
    return frame(
        "object_differences",
        (
            (d.key.kind, d.key.schema, d.key.name, d.key.parent, d.status, attribute, *map(_shown, texts), d.reason or None, d.hint or None)
            for d in differences
            for attribute, *texts in _cells(d.changes)
        ),
    )


def _shown(text: str | None) -> str | None:
    return None if text is None else hide_secrets(text)


def table_differences_frame(differences: Iterable[TableDifference]) -> DataFrame:
    """Frame `table_differences`."""
    return frame(
        "table_differences",
        ((d.name.schema, d.name.name, d.status, d.rows_left, d.rows_right, d.reason or None, d.method) for d in differences),
    )


def dangling_cells(key: DanglingKey) -> tuple[Any, ...]:
    """One row of the frame `dangling`."""
    columns, parent_columns = (", ".join(map(quote_identifier, names)) for names in (key.columns, key.parent_columns))
    names = (key.table.schema, key.table.name, key.name, columns, str(key.parent), parent_columns)
    return (*names, key.state, key.rows, key.reason or None)


def sequence_cells(use: SequenceUse) -> tuple[Any, ...]:
    """One row of the frame `sequences`."""
    return use.sequence, use.column, use.next_value, use.in_use, use.reason or None


def row_differences_frame(differences: Iterable[RowDifference]) -> DataFrame:
    """Frame `row_differences`; `key` is `column=value` joined by commas."""
    return frame(
        "row_differences",
        ((d.status, key_text(d.key), *change) for d in differences for change in _cells(d.columns)),
    )


def key_text(key: Mapping[str, str | None]) -> str:
    """A row's key for people: `id=7` or `list_id=3, position=1`."""
    return ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in key.items())


def checks_frame(checks: Iterable[Check]) -> DataFrame:
    """Frame `checks`."""
    return frame("checks", ((c.id, c.question, str(c.outcome), c.expected, c.found, c.compared, c.remedy) for c in checks))


def evidence_frame(check: Check) -> DataFrame:
    """One row per finding of *check*; its columns are those of its id (`records.questions`), also when there is no finding."""
    import pandas as pd

    columns = {name: _EVIDENCE[kind] for name, kind in explain(check.id).evidence.items()}
    cells = {name: _series([e.get(name) for e in check.evidence], dtype) for name, dtype in columns.items()}
    return pd.DataFrame(cells, columns=list(columns))
