"""A script of several dumps, as pg_dumpall writes it: what is shared by all databases, and one Dump for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.reader import Contents, StoredRows
from pgaudit_kit.dumps.scripts.cluster_scan import ClusterScan, names_of
from pgaudit_kit.dumps.scripts.plain import PlainReader
from pgaudit_kit.dumps.scripts.plain_scan import PlainScan
from pgaudit_kit.dumps.scripts.script_pieces import MetaCommand
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.cluster import ClusterObjects
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import tables_alone
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.toc import Damage, TocEntry

if TYPE_CHECKING:
    from pandas import DataFrame


class ClusterDump(Dump):
    """A script of several dumps that `read_dump` opened: pg_dumpall's, or files joined by hand.

    `databases` has a Dump for each database; roles, memberships, tablespaces and settings are here. Objects, tables and rows belong
    to one database: asked of the whole, they raise UsageError, which names the databases. Everything comes from one pass over the
    script, made when it is first needed; rows are read again where they are.
    """

    def __init__(self, file: DumpFile) -> None:
        reader = _ClusterReader(file)
        super().__init__(file, reader)
        self._cluster = reader
        self._script = file

    @cached_property
    def databases(self) -> Mapping[str, Dump]:
        """The dump of each database by its name, in the order of the script; a dump that does not say its database has its number."""
        return MappingProxyType({name: self._dump_of(name, scan) for name, scan in self._cluster.scan.databases.items()})

    def _dump_of(self, name: str, scan: PlainScan) -> Dump:
        """The dump of one database: its file is only what is run inside of it, while the places of its rows are those of the script."""
        offset, size = self._cluster.scan.stretches[name]
        part = self._script.part(offset, size, resource=self._script.resource)
        dump = Dump(part, PlainReader(self._script, scan=scan), database=name)
        dump.path = self._script.path
        return dump

    @property
    def shared(self) -> ClusterObjects:
        """What belongs to no database, as records."""
        return self._cluster.scan.objects

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What is broken, also in the databases, whose names then come first; () when the whole is whole."""
        inside = [
            replace(damage, what=f"database {name!r}: {damage.what}") for name, dump in self.databases.items() for damage in dump.damage
        ]
        return (*self._cluster.scan.damage, *inside)

    @property
    def roles(self) -> DataFrame:
        """Frame `roles` (display.frames): one row per role, in the order of the script. Of a password only that there is one."""
        from pgaudit_kit.display.frames import records_frame

        return records_frame("roles", self.shared.roles)

    @property
    def memberships(self) -> DataFrame:
        """Frame `memberships` (display.frames): one row per GRANT of a role to a role."""
        from pgaudit_kit.display.frames import records_frame

        return records_frame("memberships", self.shared.memberships)

    @property
    def tablespaces(self) -> DataFrame:
        """Frame `tablespaces` (display.frames)."""
        from pgaudit_kit.display.frames import records_frame

        return records_frame("tablespaces", self.shared.tablespaces)

    @property
    def settings(self) -> DataFrame:
        """Frame `settings` (display.frames): one row per setting of a role or a database."""
        from pgaudit_kit.display.frames import records_frame

        return records_frame("settings", self.shared.settings)

    def needs_a_name(self) -> UsageError:
        """The error of asking the whole for what one database has; its remedy lists them."""
        return self._cluster.needs_a_name()

    def __getitem__(self, name: str | TableName) -> Dump:  # type: ignore[override]  # what belongs to it are databases, not tables
        """The dump of the database *name*. Raises UsageError, which names those that are there."""
        if name not in self.databases:
            known = ", ".join(self.databases)
            raise UsageError(f"no database {name} in this script", resource=self.label, remedy=f"It has {known or 'none'}.")
        return self.databases[str(name)]

    def __contains__(self, name: object) -> bool:
        """Whether it has a database of that name."""
        return name in self.databases

    def __iter__(self) -> Iterator[str]:
        """The names of its databases."""
        return iter(self.databases)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.databases)

    def __repr__(self) -> str:
        return f"<ClusterDump {self.label!r}>"

    def _repr_html_(self) -> str:
        """For a notebook: where it comes from, its databases, roles and tablespaces. Reads the script once."""
        from pgaudit_kit.display import html

        facts = self.provenance
        shown = {
            "dump": self.label,
            "format": facts.format,
            "compression": facts.compression,
            "server": facts.server_version,
            "pg_dump": facts.pg_dump_version,
            "complete": facts.complete,
            "size in bytes": facts.size_bytes,
        }
        rows = [
            (name, len(dump.inventory.objects), len(tables), sum(t.rows or 0 for t in tables), not dump.damage)
            for name, dump in self.databases.items()
            for tables in (tables_alone(dump.table_data),)
        ]
        return html.fragment(
            html.summary(shown),
            html.table(["database", "objects", "tables", "rows", "whole"], rows, caption="Databases"),
            html.frame_table(self.roles, caption="Roles"),
            html.frame_table(self.tablespaces, caption="Tablespaces"),
        )


class _ClusterReader:
    """The part of a DumpReader that a cluster has; the rest is asked of one database."""

    format = "cluster"
    counted: Contents | None = None
    hashes_rows = False
    end_is_known = True

    def __init__(self, file: DumpFile) -> None:
        self._file = file

    @cached_property
    def scan(self) -> ClusterScan:
        return ClusterScan(self._file)

    @cached_property
    def provenance(self) -> Provenance:
        facts = next((scan.facts for scan in self.scan.databases.values()), {})
        return Provenance(
            format=self.format,
            server_version=facts.get("server_version"),
            pg_dump_version=facts.get("pg_dump_version"),
            compression=self._file.compression,
            encoding=self.scan.encoding,
            created_at=facts.get("started"),
            size_bytes=self._file.size_bytes,
        )

    @property
    def script_commands(self) -> tuple[MetaCommand, ...]:
        inside = (command for scan in self.scan.databases.values() for command in scan.commands)
        return (*self.scan.commands, *inside)

    def needs_a_name(self) -> UsageError:
        resource = self._file.resource
        if not self.scan.databases:
            what = "a cluster script without any database: it holds roles and tablespaces only"
            return UsageError(what, resource=resource, remedy="pgaudit inspect shows them.")
        what = "a script of several databases, and one is asked for"
        return UsageError(what, resource=resource, remedy=f"Name one of them: {names_of(self._file, self.scan)}.")

    @property
    def toc_entries(self) -> tuple[TocEntry, ...]:
        raise self.needs_a_name()

    @property
    def inventory(self) -> Inventory:
        raise self.needs_a_name()

    @property
    def table_names(self) -> tuple[TableName, ...]:
        raise self.needs_a_name()

    @property
    def contents(self) -> Contents:
        raise self.needs_a_name()

    def rows(self, name: TableName) -> StoredRows:  # noqa: ARG002  the interface of DumpReader
        raise self.needs_a_name()

    def large_objects(self) -> Iterator[tuple[int, Iterator[bytes]]]:
        raise self.needs_a_name()
