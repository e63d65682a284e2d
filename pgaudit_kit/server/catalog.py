"""The catalog of a live server → Inventory: one query per object kind, all of the same shape (catalog_rows.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DATABASE, DEPENDS_ON_EXTENSIONS, Attributes, Column, DatabaseObject, Unmodelled
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.catalog_rows import (
    Answer,
    Row,
    columns_in,
    database_in,
    default_acls_in,
    large_objects_in,
    objects_in,
    with_extensions,
)
from pgaudit_kit.server.protection import protect
from pgaudit_kit.server.reading_rights import Reading, Told

Ask = Callable[[str], list[Row]]
"""Runs one query and gives its rows by column name."""
AskEach = Callable[[Sequence[str]], Iterable[Answer]]
"""Runs queries that are known beforehand, and gives the answer of each in turn."""

_KINDS = {
    "schema": "SCHEMA",
    "extension": "EXTENSION",
    "type": "TYPE",
    "domain": "DOMAIN",
    "table": "TABLE",
    "sequence": "SEQUENCE",
    "view": "VIEW",
    "materialized_view": "MATERIALIZED VIEW",
    "routine": "FUNCTION",  # its rows name PROCEDURE themselves
    "constraint": "CONSTRAINT",
    "check_constraint": "CHECK CONSTRAINT",
    "fk_constraint": "FK CONSTRAINT",
    "index": "INDEX",
    "trigger": "TRIGGER",
    "rule": "RULE",
    "aggregate": "AGGREGATE",
    "operator": "OPERATOR",
    "operator_class": "OPERATOR CLASS",
    "operator_family": "OPERATOR FAMILY",
    "cast": "CAST",
    "transform": "TRANSFORM",
    "collation": "COLLATION",
    "conversion": "CONVERSION",
    "access_method": "ACCESS METHOD",
    "language": "PROCEDURAL LANGUAGE",
    "text_search_parser": "TEXT SEARCH PARSER",
    "text_search_template": "TEXT SEARCH TEMPLATE",
    "text_search_dictionary": "TEXT SEARCH DICTIONARY",
    "text_search_configuration": "TEXT SEARCH CONFIGURATION",
    "statistics": "STATISTICS",
    "event_trigger": "EVENT TRIGGER",
    "policy": "POLICY",
    "publication": "PUBLICATION",
    "publication_table": "PUBLICATION TABLE",
    "publication_schema": "PUBLICATION TABLES IN SCHEMA",
    "foreign_data_wrapper": "FOREIGN DATA WRAPPER",
    "foreign_server": "SERVER",
    "user_mapping": "USER MAPPING",
    "foreign_table": "FOREIGN TABLE",
}
# Queries that give no objects by themselves; the columns are there before the tables are
_BEFORE = ("column",)
_AFTER = ("depends_on_extensions", "default_acl", "large_object", "large_object_texts", "unmodelled", "privileges_and_labels", "database")
_OTHERS_TELL: Mapping[str, Told] = {
    "column": {"kinds": ("TABLE", "FOREIGN TABLE", "TYPE")},
    "depends_on_extensions": {"attributes": (DEPENDS_ON_EXTENSIONS,)},
    "default_acl": {"kinds": ("DEFAULT ACL",)},
    "large_object": {"kinds": ("BLOB",)},
    "large_object_texts": {"attributes": ("comment", "security_label"), "of": "BLOB"},
    "privileges_and_labels": {"kinds": ("ACL",), "attributes": ("acl", "security_label")},
    "database": {"kinds": (DATABASE,)},
}
_FIRST_WITH_SEQUENCE_DATA = 18
_SEQUENCES_AT_ONCE = 200


def read_inventory(ask: Ask, major: int, *, ask_each: AskEach | None = None, ask_unlocked: Ask | None = None) -> Inventory:
    """Return what pg_dump would dump of the database that *ask* queries, under pg_dump's session settings.

    *ask_each* runs many queries at once; without it they are asked one by one. *ask_unlocked* runs a query and lets go of
    the locks that it took; used to read the state of sequences.
    """
    reading = Reading(ask, lambda name: query(name, major))
    without = {row["name"] for row in reading.rows("without_objects")}
    states = {} if "sequence" in without else _sequence_states(reading, major, ask_unlocked or ask)
    names = [name for name in (*_BEFORE, *_KINDS, *_AFTER) if name not in without and reading.may(name, **_told_by(name))]
    answers = zip(names, (ask_each or _one_by_one(ask))([query(name, major) for name in names]), strict=True)
    columns: Mapping[int, tuple[Column, ...]] = {}
    objects: list[DatabaseObject] = []
    others = dict.fromkeys(_AFTER, Answer((), ()))
    for name, answer in answers:
        if name == "column":
            columns = columns_in(answer)
        elif name in _KINDS:
            objects += objects_in(answer, _KINDS[name], columns, states if name == "sequence" else {})
        else:
            others[name] = answer
    objects += default_acls_in(others["default_acl"], major)
    objects += large_objects_in(others["large_object"], others["large_object_texts"], major)
    objects += objects_in(Answer.of(reading.subscriptions()), "SUBSCRIPTION", {}, {})
    unmodelled = [Unmodelled(r["kind"], r["schema"], r["name"], r["reason"]) for r in others["unmodelled"].by_name()]
    reading.note_what_is_not_known(objects)
    objects = with_extensions(objects, others["depends_on_extensions"])
    return Inventory(
        tuple(protect(objects, others["privileges_and_labels"].by_name(), major)),
        tuple(sorted(unmodelled, key=lambda u: (u.schema or "", u.kind, u.name, u.reason))),
        database_in(others["database"], major),
        unread=tuple(reading.unread),
        without_public=any(row["without_public"] for row in others["database"].by_name()),
    )


def _one_by_one(ask: Ask) -> AskEach:
    return lambda queries: (Answer.of(ask(sql)) for sql in queries)


def _told_by(name: str) -> Told:
    """What is not known when the query *name* may not be run."""
    if name == "routine":
        return {"kinds": (_KINDS[name], "PROCEDURE")}
    return {"kinds": (_KINDS[name],)} if name in _KINDS else _OTHERS_TELL.get(name, {})


def _sequence_states(reading: Reading, major: int, ask_unlocked: Ask) -> Mapping[int, Attributes]:
    """The state of each sequence by OID; none for those that this role may not read.

    Like pg_dump's, these are the values of now: sequences are not part of a snapshot (PGDUMP_FORMATS.md 7).
    """
    if major >= _FIRST_WITH_SEQUENCE_DATA:
        rows = ask_unlocked(query("sequence_state", major))
    else:
        readable = reading.rows("sequences_readable")
        chunks = (readable[i : i + _SEQUENCES_AT_ONCE] for i in range(0, len(readable), _SEQUENCES_AT_ONCE))
        rows = [row for chunk in chunks for row in ask_unlocked(_states_of(chunk))]
    return {r["relation"]: {"last_value": r["last_value"], "is_called": "true" if r["is_called"] else "false"} for r in rows}


def _states_of(sequences: Iterable[Row]) -> str:
    # both parts come quoted from the server
    selects = (
        f"SELECT {s['relation']}::oid AS relation, last_value::text AS last_value, is_called FROM {s['qualified']}"  # noqa: S608
        for s in sequences
    )
    return " UNION ALL ".join(selects)
