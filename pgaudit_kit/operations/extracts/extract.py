"""A table, or some of its rows, out of a dump: into a file, or into a new table of a live database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.difference.rescue_sql import literal, qualified, quoted
from pgaudit_kit.difference.sessions import align_sessions
from pgaudit_kit.display import html
from pgaudit_kit.display.progress import Progress
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.extracts.load_table import SETTINGS, load_table
from pgaudit_kit.operations.extracts.output_file import Place, output_place, path_of
from pgaudit_kit.operations.extracts.same_floats import same_but_for_floats
from pgaudit_kit.operations.extracts.table_definition import TableDefinition, define_table, new_name
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.rows.csv_text import csv_blocks
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.insert_text import insert_blocks
from pgaudit_kit.rows.sql_columns import quote_name
from pgaudit_kit.server.snapshot import Snapshot
from pgaudit_kit.server.targets import resolve_target
from pgaudit_kit.sql.named_sources import UNNAMED
from pgaudit_kit.sql.parquet import write_parquet
from pgaudit_kit.sql.part_of_source import PartOfSource
from pgaudit_kit.sql.query import ask
from pgaudit_kit.sql.query_tables import QueryTables
from pgaudit_kit.sql.row_source import RowSource
from pgaudit_kit.sql.selected_rows import selected_rows
from pgaudit_kit.sql.typed_table import TypedTable


@dataclass(frozen=True, slots=True)
class Extract:
    """What was taken out: `rows` rows of `table`, their `fingerprint` (None for Parquet, which has other text), and where they are.

    `into` is the new table in the database `target` (its label), when there is one; `notes` say what is not as in the dump.
    """

    table: TableName
    rows: int
    fingerprint: Fingerprint | None = None
    path: Path | None = None
    into: TableName | None = None
    target: str = ""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        where = self.path if self.into is None else f"{self.into} of {self.target}"
        return f"<Extract {self.table}: {many(self.rows, 'row')} in {where}>"

    def _repr_html_(self) -> str:
        """For a notebook: what was taken out, and where it is."""
        where = self.path if self.into is None else f"{self.into} of {self.target}"
        facts = {"table": str(self.table), "rows": self.rows, "in": str(where), "fingerprint": self.fingerprint and str(self.fingerprint)}
        return html.fragment(html.summary(facts), html.next_steps(self.notes))


def extract(
    dump: Any,
    table: str | TableName,
    *,
    where: str | None = None,
    csv: Place | None = None,
    parquet: Place | None = None,
    sql: Place | None = None,
    into: Any = None,
    name: str | None = None,
    inserts: bool = False,
    overwrite: bool = False,
    progress: bool | None = None,
) -> Extract:
    """Take *table* out of *dump*, those rows for which *where* is true (DuckDB's SQL, as for `read_table`), to one of four places.

    *csv*: a file as `COPY … WITH (FORMAT csv, HEADER)` writes it. *parquet*: a typed file. *sql*: a script of COPY, or with *inserts* of
    INSERT, for the table of that name; with *name*, it makes a new table first. *into*: a target, in which a new table is made, called
    *name* or `<table>_from_dump`, filled, read back and compared with what the dump holds, in one transaction; no table that is there is
    ever touched. A new table has the columns of the dump with types, NOT NULL, identity and defaults but for those of sequences: no keys,
    checks, indexes or triggers.

    Rows of CSV and SQL, and those that are loaded, are the dump's own text; a partitioned table has the rows of its partitions. Files are
    whole or not there, and *overwrite* says that one may be replaced; an open binary file is just written to. Memory does not grow with
    the table. Raises UsageError, RowsNotAvailable, DamagedDump, RestoreFailed, and the errors of read_dump and of connecting.
    """
    given = {"csv": csv, "parquet": parquet, "sql": sql, "into": into}
    wanted = [place for place, value in given.items() if value is not None]
    if len(wanted) != 1:
        raise UsageError(
            "an extract goes to one place", remedy="Give one of --csv, --parquet, --sql, --into (csv=, parquet=, sql=, into=)."
        )
    if name is not None and wanted[0] not in {"sql", "into"}:
        raise UsageError("only SQL and a database have a new table to be named", remedy="Leave --as (name=) out.")
    if inserts and sql is None:
        raise UsageError("inserts are a form of SQL", remedy="Add --sql FILE, or leave --inserts out.")
    if into is not None:
        return _Taking(open_dump(dump), table, where, progress=progress).into(into, name)
    place = given[wanted[0]]
    with output_place(place, overwrite=overwrite) as file:
        taking = _Taking(open_dump(dump), table, where, progress=progress)
        if parquet is not None:
            return taking.parquet(file, path_of(place))
        notes: tuple[str, ...] = ()
        if csv is not None:
            file.writelines(csv_blocks(taking.blocks(), taking.rows.columns))
        else:
            notes = taking.sql(file, name, inserts=inserts)
        return Extract(taking.name, taking.seen.rows, taking.seen, path=path_of(place), notes=notes)


class _Taking:
    """The rows of one table on their way. `seen` is the fingerprint of those that went."""

    def __init__(self, dump: Dump, table: str | TableName, where: str | None, *, progress: bool | None) -> None:
        self._dump = dump
        self._source = dump.row_source
        self.name = table if isinstance(table, TableName) else self._source.find(table)
        self._progress = progress
        whole = self._source.table(self.name)
        self.rows: TypedTable = whole if where is None else selected_rows(whole, where)
        self.seen = Fingerprint()

    def blocks(self) -> Iterator[bytes]:
        """The rows, counted and summed up."""
        self.seen = Fingerprint()
        with Progress(str(self.name), wanted=self._progress) as bar:
            for block in self.rows.open_rows().blocks:
                found = fingerprint_of([block])
                self.seen += found
                yield block
                bar.add(found.rows)

    def parquet(self, file: IO[bytes], path: Path | None) -> Extract:
        """Typed, as a query of the whole table is."""
        rows = self.rows
        source = RowSource(self._dump.label, self._dump.inventory, (rows.name,), lambda _: rows.open_rows())
        table = QueryTables(source).tables[rows.name]
        sql = f"SELECT * FROM {quote_name(table.sql_schema)}.{quote_name(table.sql_name)}"  # noqa: S608  # both are quoted
        with ask({UNNAMED: source}, sql, progress=self._progress) as asked:
            count, notes = write_parquet(asked, file)
        return Extract(self.name, count, path=path, notes=notes)

    def sql(self, file: IO[bytes], name: str | None, *, inserts: bool) -> tuple[str, ...]:
        """One transaction: settings, a new table if it has a *name*, the rows. Returns notes."""
        columns = self.rows.columns
        if inserts and not columns:
            raise UsageError(f"{self.name} has no columns to insert into", resource=self._dump.label, remedy="Leave --inserts out.")
        new = self._definition(name) if name is not None else None
        encoding = "SQL_ASCII" if self._dump.told.encoding == "SQL_ASCII" else "UTF8"
        file.write(b"BEGIN;\n")
        for setting, value in {"client_encoding": encoding, **SETTINGS}.items():
            file.write(f"SET LOCAL {setting} = {literal(value)};\n".encode())
        path = new.search_path if new else ""
        file.write(_bytes(f"SELECT pg_catalog.set_config('search_path', {literal(path)}, true);\n"))
        if new:
            file.write(_bytes(new.create))
        table = qualified(new.name if new else self.name)
        listed = f" ({', '.join(map(quoted, columns))})" if columns else ""
        if inserts:
            file.writelines(insert_blocks(self.blocks(), _bytes(f"INSERT INTO {table}{listed} OVERRIDING SYSTEM VALUE VALUES")))
        else:
            file.write(_bytes(f"COPY {table}{listed} FROM stdin;\n"))
            file.writelines(self.blocks())
            file.write(b"\\.\n")
        file.write(b"COMMIT;\n")
        return new.left_out if new else ()

    def into(self, target: Any, name: str | None) -> Extract:
        """Into a new table, and proved there before it is kept."""
        definition = self._definition(name)
        resolved = resolve_target(target)
        part = PartOfSource(self._source, [self.name])
        with Snapshot(resolved) as live:
            align_sessions(part, live)
            settings = {setting: live.provenance.settings[setting] for setting in ("TimeZone", "bytea_output")}

        is_same = same_but_for_floats(self._dump.told.server_version, lambda: self.rows.open_rows().blocks, definition.types)
        found = load_table(resolved, definition, self.blocks(), sent=lambda: self.seen, settings=settings, is_same=is_same)
        as_values = "" if found == self.seen else "Floats were compared as values: this server prints them with fewer digits."
        notes = (*definition.left_out, *filter(None, [as_values]))
        return Extract(self.name, found.rows, self.seen, into=definition.name, target=resolved.label, notes=notes)

    def _definition(self, name: str | None) -> TableDefinition:
        wanted = new_name(name, self.name)
        return define_table(self._dump.inventory, self.name, self.rows.columns, name=wanted, resource=self._dump.label)


def _bytes(sql: str) -> bytes:
    return sql.encode("utf-8", "surrogateescape")
