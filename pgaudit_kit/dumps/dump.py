"""A dump file as a source: one class over the readers of all formats."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from pgaudit_kit.dumps.decompression import DumpFile
from pgaudit_kit.dumps.identifiers import read_name
from pgaudit_kit.dumps.reader import DumpReader
from pgaudit_kit.dumps.script_pieces import MetaCommand
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage, TocEntry
from pgaudit_kit.rows.copy_text import decode_line, lines_of, project
from pgaudit_kit.rows.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from pandas import DataFrame


class Dump:
    """A dump that `read_dump` opened. It satisfies `records.source.Source`.

    Everything is read when it is first asked for, and once. Of a custom archive, entries and objects come from its
    head alone; counts, `damage` and `provenance.complete` take one pass over the whole file. Of a plain script, everything
    takes one pass. Rows are streamed: no table is ever held. No file stays open.

    Attributes: `path`; `file`, which opens the bytes without the gzip and the byte order mark around them.
    """

    def __init__(self, file: DumpFile, reader: DumpReader, *, database: str | None = None) -> None:
        """*database*: which one of a file of several."""
        self.file = file
        self._database = database
        self.path = file.path
        self._reader = reader
        self._fingerprints: dict[tuple[TableName, tuple[str, ...]], Fingerprint] = {}

    @property
    def label(self) -> str:
        """The file's name, and behind a # the database when the file holds several."""
        return self.path.name if self._database is None else f"{self.path.name}#{self._database}"

    @cached_property
    def provenance(self) -> Provenance:
        """Where the dump comes from. `complete` is False for a damaged one, None for a script without pg_dump's frame."""
        complete = False if self.damage else True if self._reader.end_is_known else None
        return replace(self._reader.provenance, complete=complete)

    @property
    def toc_entries(self) -> tuple[TocEntry, ...]:
        """The table of contents, entry for entry as the file lists it; of a plain script, its header comments."""
        return self._reader.toc_entries

    @property
    def listed_entries(self) -> tuple[TocEntry, ...]:
        """The entries that `pg_restore -l` lists: without those of every archive that set the reader's state or name the database."""
        if self._reader.format == "plain":
            return self.toc_entries
        return tuple(entry for entry in self.toc_entries if entry.is_listed)

    @property
    def inventory(self) -> Inventory:
        """The objects."""
        return self._reader.inventory

    @property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The tables whose rows the dump holds, in the order of the file. `size_bytes` is in the dump's own encoding."""
        return self._reader.contents.tables

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What is broken; () when the dump is whole."""
        return self._reader.contents.damage

    @property
    def script_commands(self) -> tuple[MetaCommand, ...]:
        r"""The commands for psql in a plain script (`\connect`, `\restrict` …), in order; () for an archive."""
        return self._reader.script_commands

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        r"""The rows of *name* as blocks of COPY text in UTF-8, each of whole lines ended by \n, of about 1 MiB.

        *columns*: only these, in this order. Raises RowsNotAvailable when there are none to read, DamagedDump (at once or
        on the way) when they are broken.
        """
        stored = self._reader.rows(name)
        if columns is None:
            return stored.blocks
        if unknown := [column for column in columns if column not in stored.columns]:
            message = f"{name} has no rows of column {unknown[0]!r} in this dump"
            raise RowsNotAvailable(message, resource=str(self.path), table=str(name), remedy=f"It has: {', '.join(stored.columns)}.")
        return project(stored.blocks, stored.columns, columns)

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Count and fingerprint of all rows of *name* over *columns* (default: all). Raises RowsNotAvailable, DamagedDump."""
        key = (name, tuple(columns) if columns is not None else ("*",))
        if key not in self._fingerprints:
            self._fingerprints[key] = fingerprint_of(self.row_blocks(name, columns))
        return self._fingerprints[key]

    # ---- frames

    @property
    def toc(self) -> DataFrame:
        """Frame `toc` (display.frames): one row per entry that `pg_restore -l` lists, in file order."""
        from pgaudit_kit.display.frames import toc_frame

        return toc_frame(self.listed_entries)

    @property
    def objects(self) -> DataFrame:
        """Frame `objects` (display.frames): one row per object, by schema, parent, kind, name."""
        from pgaudit_kit.display.frames import objects_frame

        return objects_frame(self.inventory)

    @property
    def tables(self) -> DataFrame:
        """Frame `tables` (display.frames): one row per table that holds rows, in file order; size_bytes in bytes."""
        from pgaudit_kit.display.frames import tables_frame

        return tables_frame(self.table_data.values())

    def read_table(self, name: str | TableName, columns: Sequence[str] | None = None, *, limit: int | None = None) -> DataFrame:
        """The rows of *name* as a frame: one row per row in file order, one column of text (dtype object, None for NULL) per column.

        *name*: `schema.table`, quoted as in SQL where SQL needs it, or a bare name that is there only once. *limit*: the
        first rows only. An empty table gives the same columns without rows. Raises RowsNotAvailable, DamagedDump, UsageError.
        """
        import pandas as pd

        table = name if isinstance(name, TableName) else self._find_table(name)
        stored = self._reader.rows(table)
        wanted = list(stored.columns if columns is None else columns)
        rows = islice(map(decode_line, lines_of(self.row_blocks(table, columns))), limit)
        if not wanted:
            return pd.DataFrame(index=range(sum(1 for _ in rows)))
        return pd.DataFrame(list(rows), columns=wanted, dtype=object)

    def _find_table(self, text: str) -> TableName:
        parsed = read_name(text, 0)
        if not parsed or parsed[2] != len(text.rstrip()):
            raise UsageError(
                f"not the name of a table: {text!r}", resource=str(self.path), remedy='Write schema.table, or "Schema"."Table".'
            )
        schema, table, _ = parsed
        names = self._reader.table_names
        found = [name for name in names if name.name == table and schema in (None, name.schema)]
        if len(found) == 1:
            return found[0]
        known = [str(name) for name in found or names]
        close = (found and known) or difflib.get_close_matches(text, known) or known[:5]
        what = f"{text} is there more than once" if found else f"no rows of {text} in this dump"
        raise RowsNotAvailable(what, resource=str(self.path), table=text, remedy=f"It has rows of {', '.join(close) or 'no table at all'}.")

    def __repr__(self) -> str:
        return f"<Dump {self.label!r}: {self._reader.format}>"

    def _repr_html_(self) -> str:
        """For a notebook: what the file says of itself, and what it holds. Does not read a custom archive's rows."""
        from pgaudit_kit.display import html

        facts = self._reader.provenance
        kinds = Counter(entry.desc for entry in self.listed_entries)
        shown = {
            "dump": self.label,
            "format": f"{facts.format} {facts.archive_version or ''}".strip(),
            "compression": facts.compression,
            "database": facts.database,
            "server": facts.server_version,
            "pg_dump": facts.pg_dump_version,
            "taken": facts.created_at,
            "size in bytes": facts.size_bytes,
        }
        return html.fragment(html.summary(shown), html.table(["desc", "entries"], list(kinds.items()), caption="Table of contents"))
