"""What a source with objects and tables shows in a notebook: the frames that dumps and live databases have alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pgaudit_kit.records.large_objects import tables_alone

if TYPE_CHECKING:
    from pandas import DataFrame

    from pgaudit_kit.records.source import Source


class SourceFrames:
    """What a Source gets, so that its objects, columns and tables can be had as frames."""

    @property
    def objects(self) -> DataFrame:
        """Frame `objects` (display.frames.SCHEMAS): one row per object, by schema, parent, kind, name."""
        from pgaudit_kit.display.frames import objects_frame

        return objects_frame(cast("Source", self).inventory)

    @property
    def columns(self) -> DataFrame:
        """Frame `columns` (display.frames.SCHEMAS): one row per column of a table, foreign table or composite type."""
        from pgaudit_kit.display.frames import columns_frame

        return columns_frame(cast("Source", self).inventory)

    @property
    def tables(self) -> DataFrame:
        """Frame `tables` (display.frames.SCHEMAS): one row per table that holds rows, of a dump in file order; size_bytes in bytes.

        Of a live database, counts appear once fingerprints were asked. Large objects are no table of anybody's, and not among them.
        """
        from pgaudit_kit.display.frames import tables_frame

        return tables_frame(tables_alone(cast("Source", self).table_data))
