"""Which sequences stand where their columns have already been: of a live source by its queries, of a dump by its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pgaudit_kit.difference.dangling import Queried
from pgaudit_kit.difference.partitions import leaves
from pgaudit_kit.difference.sequence_feeds import SequenceFeed, sequence_feeds
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.sequence_use import SequenceUse
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import NULL, lines_of
from pgaudit_kit.server.sequence_use import next_value, sequence_uses

if TYPE_CHECKING:
    from pgaudit_kit.server.snapshot import Snapshot


def uses_of_sequences(source: Source, *, whole: Source) -> tuple[SequenceUse, ...]:
    """Return one record per column that a sequence of *source* feeds; *whole* is *source* without any selection."""
    if isinstance(whole, Queried):
        return tuple(u for u in sequence_uses(cast("Snapshot", whole)) if u.key in source.inventory.by_key)
    return tuple(_use(whole, feed, *column) for feed in sequence_feeds(source.inventory) for column in feed.columns)


def _use(source: Source, feed: SequenceFeed, table: TableName, column: str) -> SequenceUse:
    increment = int(feed.attributes.get("increment") or 1)
    name = f"{table.schema}.{table.name}.{column}"
    try:
        in_use = _furthest(source, feed, table, column)
    except PgAuditError as error:
        return SequenceUse(str(feed.name), name, increment, None, None, feed.key, error.message)
    return SequenceUse(str(feed.name), name, increment, next_value(feed.attributes, increment), in_use, feed.key)


def _furthest(source: Source, feed: SequenceFeed, table: TableName, column: str) -> int | None:
    furthest = min if feed.descends else max
    found: int | None = None
    for part in leaves(source.inventory).get(table, (table,)):
        for value in lines_of(source.row_blocks(part, [column])):
            if value != NULL:
                number = int(value.partition(b".")[0])
                found = number if found is None else furthest(found, number)
    return found
