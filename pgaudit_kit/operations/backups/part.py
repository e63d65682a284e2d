"""A part of a database to back up: the options of pg_dump that choose it, and what they leave of a manifest.

A pattern without a schema fits tables of every schema, as everywhere in this package; pg_dump alone would take the search path of the role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from pgaudit_kit.difference.selection import Pattern, parse_pattern
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

_OF_TABLES = ("tables", "exclude_tables", "exclude_table_data")
_OPTIONS: Mapping[str, str] = {
    "tables": "table",
    "exclude_tables": "exclude-table",
    "schemas": "schema",
    "exclude_schemas": "exclude-schema",
    "exclude_table_data": "exclude-table-data",
}
_RELATIONS = ("TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE")
_STATE_OF = {"SEQUENCE": ("last_value", "is_called"), "MATERIALIZED VIEW": ("populated",)}
_NAMED = 5


@dataclass(frozen=True)
class Part:
    """What to dump, in patterns of psql and pg_dump (`difference.selection.parse_pattern`); everything when nothing is said.

    Raises UsageError for what is no pattern, and for tables and schemas together: pg_dump would forget the schemas.
    """

    tables: tuple[str, ...] = ()
    exclude_tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    exclude_schemas: tuple[str, ...] = ()
    exclude_table_data: tuple[str, ...] = ()
    schema_only: bool = False

    def __post_init__(self) -> None:
        for name in _OPTIONS:
            for text in getattr(self, name):
                if parse_pattern(text).schema and name not in _OF_TABLES:
                    raise UsageError(f"not a pattern for schemas: {text!r}", resource=text, remedy="Write the name of a schema alone.")
        if self.tables and (self.schemas or self.exclude_schemas):
            remedy = "Write the schema into the pattern of the table: schema.table, or schema.*."
            raise UsageError(
                "tables and schemas were chosen at once, of which pg_dump heeds the tables only", resource="table", remedy=remedy
            )
        if self.schema_only and self.exclude_table_data:
            raise UsageError(
                "definitions alone have no rows to exclude", resource="schema-only", remedy="Leave one of the two options out."
            )

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) for f in fields(self))

    @property
    def options(self) -> tuple[str, ...]:
        """The options of pg_dump; a chosen pattern that matches nothing is an error there."""
        found = [f"--{option}={_of_any_schema(name, text)}" for name, option in _OPTIONS.items() for text in getattr(self, name)]
        if self.tables or self.schemas:
            found.append("--strict-names")
        return (*found, *(["--schema-only"] if self.schema_only else []))

    def to_partial(self) -> dict[str, str]:
        """What a manifest says of it (`Manifest.partial`): the names of the options, with their patterns."""
        said = {option.replace("-", "_"): ", ".join(getattr(self, name)) for name, option in _OPTIONS.items() if getattr(self, name)}
        return said | ({"schema_only": "yes"} if self.schema_only else {})

    def has_rows_of(self, name: TableName) -> bool:
        """Whether the rows of that table are to be dumped. Large objects are, unless tables or schemas were chosen."""
        if self.schema_only:
            return False
        if name == LARGE_OBJECT_ROWS:
            return not (self.tables or self.schemas)
        return self.has_relation(name.schema, name.name) and not _fits(self.exclude_table_data, name.schema, name.name)

    def has_relation(self, schema: str, name: str) -> bool:
        """Whether a table, view or sequence of that name is to be dumped."""
        if self.tables:
            included = _fits(self.tables, schema, name)
        else:
            included = (not self.schemas or _fits(self.schemas, None, schema)) and not _fits(self.exclude_schemas, None, schema)
        return included and not _fits(self.exclude_tables, schema, name)

    def has_state_of(self, item: DatabaseObject) -> bool:
        """Whether the value of a sequence, or the rows of a materialized view, are brought back with it."""
        views = item.key.kind == "MATERIALIZED VIEW" and _fits(self.exclude_table_data, item.key.schema, item.key.name)
        return not self.schema_only and not views

    def speaks_of(self, name: TableName) -> bool:
        """Whether that table is to be dumped, or its name or schema was excluded in so many words."""
        excluded = _fits(self.exclude_tables, name.schema, name.name) or _fits(self.exclude_schemas, None, name.schema)
        return excluded or self.has_relation(name.schema, name.name)


def whole_or_part(manifest: Manifest, part: Part, dump: Source) -> tuple[Manifest, list[Check]]:
    """What *manifest* says of what *dump*, made of *part*, holds; and whether it holds all that was chosen.

    Which objects belong to a chosen table pg_dump decides, so those are kept that it has taken; but of tables and rows we know ourselves.
    """
    if not part:
        return manifest, []
    there = dump.inventory.by_key
    expected = [o for o in manifest.inventory.objects if o.key.kind == "TABLE" and part.has_relation(o.key.schema or "", o.key.name)]
    missing = [o for o in expected if o.key not in there]
    apart = _partitions_not_chosen(manifest.inventory, part, expected)
    check = check_part(part, chosen=len(expected), missing=missing, of=len(manifest.inventory.objects), taken=len(there), apart=apart)
    kept = tuple(o if part.has_state_of(o) else _without_state(o) for o in manifest.inventory.objects if o.key in there)
    rows = {name: data for name, data in manifest.table_data.items() if part.has_rows_of(name)}
    inventory = replace(manifest.inventory, objects=kept, unmodelled=_still_there(manifest.inventory, dump.inventory))
    ledger = manifest.ledger if manifest.ledger and manifest.ledger.table in rows else None
    return replace(manifest, inventory=inventory, table_data=rows, ledger=ledger, partial=part.to_partial()), [check]


def rows_to_record(tables: Mapping[TableName, TableData], part: Part) -> Sequence[TableName]:
    """The tables whose rows are dumped, and are to be counted."""
    return [name for name in tables if part.has_rows_of(name)]


def _partitions_not_chosen(inventory: Inventory, part: Part, chosen: Sequence[DatabaseObject]) -> list[TableName]:
    """Partitions of *chosen* tables that no pattern speaks of: pg_dump leaves them out, and they have the rows of those tables."""
    tables = {TableName(o.key.schema or "", o.key.name) for o in chosen}
    return sorted(name for name, above in inventory.partition_parents.items() if above in tables and not part.speaks_of(name))


def check_part(
    part: Part, *, chosen: int, missing: Sequence[DatabaseObject], of: int, taken: int, apart: Sequence[TableName] = ()
) -> Check:
    """`backup.part`: the dump holds every table that was chosen, and rows of none were left *apart*, in partitions of it."""
    what = "; ".join(f"{name.replace('_', ' ')} {text}" for name, text in part.to_partial().items())
    lacking = [str(o.key) for o in missing] or [f"partition {name}" for name in apart]
    named = ", ".join(lacking[:_NAMED]) + (f" and {len(lacking) - _NAMED:,} more" if len(lacking) > _NAMED else "")
    remedy = "Choose the partitions, too: they hold the rows of their table." if apart else ""
    return Check(
        id="backup.part",
        question="Does the dump hold every table that was chosen?",
        outcome=Outcome.FAILED if missing else Outcome.WARNED if apart else Outcome.PASSED,
        expected=f"partial: {what}",
        found=f"without {named}" if lacking else f"{many(chosen, 'table')}; {taken:,} of {many(of, 'object')}",
        compared=taken,
        remedy="Look at the patterns, and at what pg_dump said." if missing else remedy,
        evidence=tuple({"object": name} for name in lacking),
    )


def _without_state(item: DatabaseObject) -> DatabaseObject:
    state = _STATE_OF.get(item.key.kind, ())
    return replace(item, attributes={name: text for name, text in item.attributes.items() if name not in state}) if state else item


def _still_there(whole: Inventory, dumped: Inventory) -> tuple:  # type: ignore[type-arg]
    names = {(u.kind, u.schema, u.name) for u in dumped.unmodelled}
    return tuple(u for u in whole.unmodelled if (u.kind, u.schema, u.name) in names)


def _of_any_schema(option: str, text: str) -> str:
    return f"*.{text}" if option in _OF_TABLES and parse_pattern(text).schema is None else text


def _fits(patterns: Sequence[str], schema: str | None, name: str) -> bool:
    return any(_parsed(text).matches(schema, name) for text in patterns)


def _parsed(text: str) -> Pattern:
    return parse_pattern(text)
