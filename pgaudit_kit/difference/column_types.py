"""The type of a column, read from an inventory: also where a partition has it from the table above it, or a domain hides it."""

from __future__ import annotations

from pgaudit_kit.records.identifiers import read_name, read_parents
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Attributes, ObjectKey
from pgaudit_kit.records.table_data import TableName


def column_type(inventory: Inventory, table: TableName, column: str) -> str | None:
    """Return the type of *column*, of a domain the type under it; None where the inventory does not tell."""
    return under_domains(inventory, (_attributes(inventory, table, column) or {}).get("type"))


def under_domains(inventory: Inventory, kind: str | None) -> str | None:
    """Return the type under a domain, or *kind* itself, which is none."""
    while kind and (domain := _domain(inventory, kind)):
        kind = domain.get("base_type")
    return kind


def column_collation(inventory: Inventory, table: TableName, column: str) -> str | None:
    """Return the collation by which *column* is compared; None where it is its type's, and no domain has another one."""
    attributes = _attributes(inventory, table, column) or {}
    found, kind = attributes.get("collation"), attributes.get("type")
    while not found and kind and (domain := _domain(inventory, kind)):
        found, kind = domain.get("collation"), domain.get("base_type")
    return found


def _attributes(inventory: Inventory, table: TableName, column: str) -> Attributes | None:
    """Those of *column* where it is declared: a child table lists only what it overrides, without a type."""
    item = inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
    if item is None:
        return None
    own = next((c.attributes for c in item.columns if c.name == column and c.attributes.get("type")), None)
    above = item.attributes.get("partition_of") or item.attributes.get("inherits") or ""
    inherited = (_attributes(inventory, TableName(schema or "", name), column) for schema, name in read_parents(above))
    return own or next((found for found in inherited if found), None)


def _domain(inventory: Inventory, kind: str) -> Attributes | None:
    name = read_name(kind, 0)
    found = inventory.by_key.get(ObjectKey("DOMAIN", name[0], name[1])) if name and name[0] and name[2] == len(kind) else None
    return found.attributes if found else None
