"""The COPY statement that gives the rows of a table, with names of any encoding."""

from __future__ import annotations

from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.records.table_data import TableData, TableName


def copy_statement(data: TableData, columns: tuple[str, ...], label: str, where: str | None = None) -> bytes:
    """COPY of the rows of *data* over *columns*; *where*: of some. Raises RowsNotAvailable for columns that COPY does not give."""
    absent = [c for c in columns if c not in data.columns]
    if absent:
        raise RowsNotAvailable(
            f"{data.name} has no column {absent[0]} that COPY gives",
            resource=label,
            table=str(data.name),
            remedy="Columns that are generated or gone cannot be compared as rows.",
        )
    table = qualified(data.name)
    listed = ", ".join(map(quoted, columns))
    if where or (not columns and data.columns):
        statement = f"COPY (SELECT {listed} FROM ONLY {table}{f' WHERE {where}' if where else ''}) TO STDOUT"  # noqa: S608  all quoted
    else:
        statement = f"COPY {table}{f' ({listed})' if columns else ''} TO STDOUT"
    return statement.encode("utf-8", "surrogateescape")


def qualified(name: TableName) -> str:
    """Schema and name as SQL, both quoted."""
    return f"{quoted(name.schema)}.{quoted(name.name)}"


def quoted(name: str) -> str:
    """A name as SQL, quoted. Not by psycopg.sql.Identifier: that cannot write a name of a SQL_ASCII server that is not ASCII."""
    return '"' + name.replace('"', '""') + '"'
