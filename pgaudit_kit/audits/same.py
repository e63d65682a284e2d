"""Do two sources hold the same: objects, privileges, rows, sequence values?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pgaudit_kit.audits.asking import ask, ask_if_any
from pgaudit_kit.checks.objects_match import check_objects_match
from pgaudit_kit.checks.privileges import check_privileges
from pgaudit_kit.checks.rows_match import check_row_counts, check_row_fingerprints
from pgaudit_kit.checks.sequences import check_sequence_values
from pgaudit_kit.difference.objects import compare_inventories, in_no_dump
from pgaudit_kit.difference.sessions import Alignment, align_sessions
from pgaudit_kit.difference.tables import compare_tables, without_table
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.difference import ObjectDifference, TableDifference
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import DATABASE, INVALID_INDEX, Unmodelled
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check

SEQUENCE_STATE = frozenset({"last_value", "is_called"})
SCHEMA_ONLY = "schema_only"


def ask_same(expected: Source, found: Source, *, ignore: frozenset[str] = frozenset(), restored: bool = False) -> Iterator[Check]:
    """The checks that two sources hold the same: objects, row counts, fingerprints, sequence values.

    *restored*: *found* was restored from the other into a database of somebody else's making.
    """
    same = _Same(expected, found, ignore | told_to_leave_out(expected), restored)
    yield ask("objects.match", same.check_objects)
    try:
        tables = same.tables
    except Exception as error:  # noqa: BLE001  # both checks say so, and the others are asked
        raised = error

        def again() -> Check:
            raise raised

        yield from (ask(check_id, again) for check_id in ("rows.count", "rows.fingerprint"))
    else:
        if tables:
            yield ask("rows.count", lambda: check_row_counts(tables))
            yield ask("rows.fingerprint", lambda: check_row_fingerprints(tables))
    if SCHEMA_ONLY not in _partial(expected) and any(s.attributes.get("last_value") for s in expected.inventory.of_kind("SEQUENCE")):
        yield ask("sequences.value", lambda: check_sequence_values(expected.inventory, found.inventory))


def ask_privileges(expected: Source, found: Source, *, ignore: frozenset[str] = frozenset()) -> Iterator[Check]:
    """`privileges.match`, when both sides can be asked for any; they are among what `objects.match` compares, too."""
    ignore |= told_to_leave_out(expected)

    def answer() -> Check | None:
        differences = compare_inventories(expected, found, ignore=SEQUENCE_STATE | ignore)
        return check_privileges(expected.inventory, found.inventory, differences, ignore=ignore)

    yield from ask_if_any("privileges.match", answer)


@dataclass
class _Same:
    """Two sources that are compared, once for all checks."""

    expected: Source
    found: Source
    ignore: frozenset[str]
    restored: bool

    @cached_property
    def alignment(self) -> Alignment:
        """Before anything is compared: constants in definitions are printed by settings, too."""
        return align_sessions(self.expected, self.found)

    def check_objects(self) -> Check:
        _ = self.alignment
        expected, found = self.expected.inventory, self.found.inventory
        left_out = in_no_dump(expected, found)  # one side is a dump, or comes from one
        differences = compare_inventories(self.expected, self.found, ignore=SEQUENCE_STATE | self.ignore, leaving_out=left_out)
        if self.restored:
            differences = tuple(_by_restores(differences))
        compared = len({*expected.by_key, *found.by_key} - {*left_out})
        unmodelled = (*expected.unmodelled, *(Unmodelled(k.kind, k.schema, k.name, INVALID_INDEX) for k in left_out))
        return check_objects_match(differences, compared=compared, unmodelled=unmodelled)

    @cached_property
    def tables(self) -> list[TableDifference]:
        """What became of each table whose rows can be compared."""
        compared = self.alignment.settle(compare_tables(self.expected, self.found))
        filtered = {s.what for side in (self.expected, self.found) for s in without_table(side)}
        tables = [t for t in compared if f"rows of {t.name}" not in filtered]
        return [t for t in tables if not _is_empty_as_told(self.expected, self.found, t.name)] if self.restored else tables


def _is_empty_as_told(expected: Source, found: Source, name: TableName) -> bool:
    """Whether the rows of that table were not to be backed up, by the manifest's own words, and none are there."""
    if not _partial(expected) or name in expected.table_data or name not in found.table_data:
        return False
    try:
        return found.fingerprint(name).rows == 0
    except PgAuditError:
        return False


def _partial(source: Source) -> Mapping[str, str]:
    return source.partial if isinstance(source, Manifest) else {}


def told_to_leave_out(source: Source) -> frozenset[str]:
    """The attributes that a backup was told to leave out of everything (`owner`, `acl`), so that nothing made of it has them."""
    return source.leaves_out if isinstance(source, Manifest) else frozenset()


def _by_restores(differences: Iterable[ObjectDifference]) -> Iterator[ObjectDifference]:
    """Those without what no restore brings: properties of the database, versions of extensions (which have a check of their own)."""
    for difference in differences:
        changes = tuple(c for c in difference.changes if c.attribute != "version" or difference.key.kind != "EXTENSION")
        if difference.key.kind != DATABASE and (changes or not difference.changes):
            yield replace(difference, changes=changes)
