"""What a database holds of its own, beside what every new one has; and taking it out, inside of the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.records.table_data import TableName

if TYPE_CHECKING:
    import psycopg

# Objects with an OID from 16384 on are not those of initdb (src/include/access/transam.h, FirstNormalObjectId); deptype e: an extension's
_OWN_SCHEMAS = """
SELECT n.oid, pg_catalog.quote_ident(n.nspname), n.nspname = 'public'
  FROM pg_catalog.pg_namespace n
 WHERE (n.nspname = 'public' OR n.oid >= 16384) AND n.nspname !~ '^pg_(toast_)?temp_'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND e.objid = n.oid AND e.deptype = 'e')
 ORDER BY n.nspname"""
# What lies in a schema depends on it (src/backend/catalog/dependency.c); indexes, row types, sequences of columns go with
# their table, which depends on itself where it is partitioned
_IN_SCHEMA = """
SELECT i.type, i.identity
  FROM pg_catalog.pg_depend d, pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
 WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = %s AND d.deptype = 'n'
   AND i.type NOT IN ('extension', 'default acl')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE o.classid = d.classid AND o.objid = d.objid AND o.refobjid <> d.objid
                   AND o.deptype IN ('e', 'i', 'a'))
 ORDER BY i.type <> 'table', d.objid"""
_OUTSIDE_OF_SCHEMAS = """
SELECT i.type, i.identity
  FROM (SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AS classid, oid FROM pg_catalog.pg_event_trigger
        UNION ALL SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, oid FROM pg_catalog.pg_publication
        UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid FROM pg_catalog.pg_foreign_server
        UNION ALL SELECT 'pg_catalog.pg_cast'::pg_catalog.regclass, oid FROM pg_catalog.pg_cast
        UNION ALL SELECT 'pg_catalog.pg_transform'::pg_catalog.regclass, oid FROM pg_catalog.pg_transform
        UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid FROM pg_catalog.pg_language
        UNION ALL SELECT 'pg_catalog.pg_am'::pg_catalog.regclass, oid FROM pg_catalog.pg_am) AS c,
       pg_catalog.pg_identify_object(c.classid, c.oid, 0) i
 WHERE c.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = c.classid AND e.objid = c.oid AND e.deptype IN ('e', 'i'))"""
_OUR_EXTENSIONS = """
SELECT pg_catalog.quote_ident(extname) FROM pg_catalog.pg_extension
 WHERE oid >= 16384 AND pg_catalog.pg_has_role(extowner, 'USAGE') ORDER BY oid DESC"""
_SUBSCRIPTIONS = """
SELECT pg_catalog.quote_ident(s.subname) FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
 WHERE d.datname = pg_catalog.current_database()"""
_LARGE_OBJECTS = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata"
_TABLES = """
SELECT n.nspname, c.relname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp)'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY 1, 2"""
# How pg_identify_object calls a kind of object, where DROP calls it otherwise
_WORDS = {"foreign-data wrapper": "FOREIGN DATA WRAPPER", "statistics object": "STATISTICS", "composite type": "TYPE"}
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds of its own: its tables (partitioned ones among them), how many other objects, and large objects."""

    tables: tuple[TableName, ...]
    others: tuple[str, ...]
    large_objects: int

    @property
    def is_empty(self) -> bool:
        """Whether a new database would hold the same."""
        return not (self.tables or self.others or self.large_objects)

    def __str__(self) -> str:
        """In words, the first few by name."""
        parts = []
        for what, names in (("tables", [str(t) for t in self.tables]), ("other objects", list(self.others))):
            more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            parts += [f"{len(names):,} {what} ({', '.join(names[:_SHOWN])}{more})"] if names else []
        parts += [f"{self.large_objects:,} large objects"] if self.large_objects else []
        return ", ".join(parts) or "nothing"


def read_contents(connection: psycopg.Connection[Any]) -> Contents:
    """Return what the database of *connection* holds. Objects that extensions brought are theirs."""
    tables = tuple(TableName(*row) for row in connection.execute(_TABLES))
    others: list[str] = []
    for oid, schema, is_public in connection.execute(_OWN_SCHEMAS).fetchall():
        others += [] if is_public else [f"schema {schema}"]
        others += [f"{kind} {identity}" for kind, identity in connection.execute(_IN_SCHEMA, [oid]) if kind != "table"]
    others += [f"{kind} {identity}" for kind, identity in connection.execute(_OUTSIDE_OF_SCHEMAS)]
    others += [f"subscription {name}" for (name,) in connection.execute(_SUBSCRIPTIONS)]
    (objects,) = connection.execute(_LARGE_OBJECTS).fetchone() or (0,)
    return Contents(tables, tuple(others), objects)


def lock_tables(connection: psycopg.Connection[Any]) -> None:
    """Let others read the tables of the database, but write nothing, until the transaction ends. Raises psycopg.Error."""
    from psycopg import sql

    names = [sql.Identifier(*row) for row in connection.execute(_TABLES)]
    if names:
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.SQL(", ").join(names)))


def drop_contents(connection: psycopg.Connection[Any]) -> None:
    """Drop what `read_contents` names, and the extensions that this role owns; others' extensions stay. Raises psycopg.Error."""
    for kind, identity in connection.execute(_OUTSIDE_OF_SCHEMAS).fetchall():
        _drop(connection, kind, identity)
    for (name,) in connection.execute(_OUR_EXTENSIONS).fetchall():
        _drop(connection, "extension", name)
    for oid, schema, is_public in connection.execute(_OWN_SCHEMAS).fetchall():
        if is_public:  # itself it stays: it may be somebody else's, and no dump makes it
            while found := connection.execute(_IN_SCHEMA, [oid]).fetchone():
                _drop(connection, *found)
        else:
            _drop(connection, "schema", schema)
    connection.execute("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata")


def _drop(connection: psycopg.Connection[Any], kind: str, identity: str) -> None:
    """*identity* is SQL already, as pg_identify_object and quote_ident write it."""
    words = _WORDS.get(kind, kind.upper())
    connection.execute(f"DROP {words} IF EXISTS {identity} CASCADE".encode())
