"""A source whose timestamps are those of UTC, whatever zone they were printed under."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.wrapped_source import WrappedSource
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.zoned_text import in_utc


class InUtc(WrappedSource):
    """*source* with the timestamps of *columns*, all of one table, in UTC."""

    def __init__(self, source: Source, columns: Sequence[str]) -> None:
        super().__init__(source)
        self._zoned = frozenset(columns)

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Count and fingerprint of the rows as `row_blocks` gives them. Raises what the source raises."""
        return fingerprint_of(self.row_blocks(name, columns))

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        """The rows of the source, timestamps in UTC. Raises what the source raises."""
        wanted = self.whole.table_data[name].columns if columns is None else columns
        places = [at for at, column in enumerate(wanted) if column in self._zoned]
        for block in self.whole.row_blocks(name, columns):
            if len(places) == len(wanted):
                yield in_utc(block)
                continue
            lines = []
            for line in block.split(b"\n"):
                fields = line.split(b"\t")
                for place in places if line else ():
                    fields[place] = in_utc(fields[place])
                lines.append(b"\t".join(fields))
            yield b"\n".join(lines)
