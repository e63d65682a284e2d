"""Which tables of a live database hold rows, and which of them a role may not read, with the GRANT that would help."""

from __future__ import annotations

from pgaudit_kit.records.large_objects import LARGE_OBJECT_COLUMNS, LARGE_OBJECT_ROWS
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.server.catalog_rows import Row


def table_in(row: Row, role: str) -> TableData:
    """The table in a row of table_data.sql, as *role* sees it."""
    reason = ""
    usage = "" if row["schema_usable"] else f"GRANT USAGE ON SCHEMA {row['schema_sql']} TO {row['role_sql']}"
    select = "" if row["selectable"] else f"GRANT SELECT ON {row['schema_sql']}.{row['name_sql']} TO {row['role_sql']}"
    if usage or select:
        what = "use its schema" if usage else "SELECT from it"
        reason = f"role {role} may not {what}: {'; '.join(filter(None, (usage, select)))}"
    elif row["hidden_by"] is not None:
        policies = f"policies {row['hidden_by']}" if row["hidden_by"] else "no policy lets any through"
        reason = f"row-level security hides rows of it from role {role} ({policies}): ALTER ROLE {row['role_sql']} BYPASSRLS"
    return TableData(TableName(row["schema"], row["name"]), tuple(row["columns"]), not_readable=reason)


def large_objects_in(row: Row, role: str) -> TableData:
    """The table that all large objects are, from the row of large_objects_readable.sql, as *role* sees it."""
    reason = ""
    if row["denied"]:
        few = ", ".join(map(str, row["denied_oids"]))
        more = "" if row["denied"] == len(row["denied_oids"]) else " and so on"
        reason = f"role {role} may not read {row['denied']:,} of {row['objects']:,} large objects"
        reason += f": GRANT SELECT ON LARGE OBJECT {few} TO {role}{more}"
    return TableData(LARGE_OBJECT_ROWS, LARGE_OBJECT_COLUMNS, not_readable=reason)
