"""The catalog of a live server → Inventory: one query per object kind, all of the same shape.

Every query gives one row per object. Its columns `kind`, `schema`, `name`, `parent` are the object's key, `relation`
is the OID that columns and states refer to, `column_attributes` a JSON object of attributes that are named after columns,
and every other column is the attribute of that name (records.objects).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import Any

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DATABASE, SETTING, SETTING_OF_ROLE, Column, DatabaseObject, ObjectKey, Unmodelled
from pgaudit_kit.records.settings import (
    LARGE_OBJECTS_TOGETHER,
    by_number,
    compact_numbers,
    large_objects_name,
    options_text,
    setting_text,
    stored_values,
)
from pgaudit_kit.records.table_data import quote_identifier
from pgaudit_kit.server.protection import default_acl, labels_text, protect, stored_acl
from pgaudit_kit.server.reading_rights import Reading, Told

Row = Mapping[str, Any]
Ask = Callable[[str], list[Row]]
"""Runs one query and gives its rows by column name."""
AskEach = Callable[[Sequence[str]], Iterable[list[Row]]]
"""Runs queries that are known beforehand, and gives the rows of each in turn."""

# `-- [>=14]` or `-- [<14]` at the end of a line, perhaps with words after it: the line is for those servers only
_FOR_SERVERS = re.compile(r"--\s*((?:\[(?:>=|<)\d+\]\s*)+)")
_ONE_MARK = re.compile(r"\[(>=|<)(\d+)\]")
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
_AFTER = ("default_acl", "large_object", "large_object_texts", "unmodelled", "privileges_and_labels", "database")
_OTHERS_TELL: Mapping[str, Told] = {
    "column": {"kinds": ("TABLE", "FOREIGN TABLE", "TYPE")},
    "default_acl": {"kinds": ("DEFAULT ACL",)},
    "large_object": {"kinds": ("BLOB",)},
    "large_object_texts": {"attributes": ("comment", "security_label"), "of": "BLOB"},
    "privileges_and_labels": {"kinds": ("ACL",), "attributes": ("acl", "security_label")},
    "database": {"kinds": (DATABASE,)},
}
_NOT_ATTRIBUTES = frozenset({"kind", "schema", "name", "parent", "relation", "column_attributes"})
# Columns that are not the text of an attribute yet: the attribute, and how its text is made
_READ: Mapping[str, tuple[str, Callable[[Any], str | None]]] = {
    "options_pairs": ("options", lambda value: options_text(tuple(pair) for pair in json.loads(value))),
    "foreign_options_pairs": ("foreign_options", lambda value: options_text(tuple(pair) for pair in json.loads(value))),
    "columns_list": ("columns", lambda value: _names(value) or None),
    "roles_list": ("roles", lambda value: _names(sorted(value, key=quote_identifier))),
    "publications_list": ("publications", lambda value: _names(value) or None),
    "option_names_list": ("option_names", lambda value: _names(sorted(value, key=quote_identifier))),  # '' is known to have none
    "label_pairs": ("security_label", labels_text),
}
_FIRST_WITH_SEQUENCE_DATA = 18
_SEQUENCES_AT_ONCE = 200


@cache
def query(name: str, major: int) -> str:
    """Return catalog query *name* as it is for a server of *major* version."""
    text = resources.files("pgaudit_kit.server").joinpath("catalog_queries", f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if _is_for(line, major))


def _is_for(line: str, major: int) -> bool:
    marks = _FOR_SERVERS.search(line)
    if not marks:
        return True
    return all(major >= int(bound) if sign == ">=" else major < int(bound) for sign, bound in _ONE_MARK.findall(marks[1]))


def read_inventory(ask: Ask, major: int, *, ask_each: AskEach | None = None, ask_unlocked: Ask | None = None) -> Inventory:
    """Return what pg_dump would dump of the database that *ask* queries, under pg_dump's session settings.

    *ask_each* runs many queries at once; without it they are asked one by one. *ask_unlocked* runs a query and lets go of
    the locks that it took; used to read the state of sequences.
    """
    reading = Reading(ask, lambda name: query(name, major))
    without = {row["name"] for row in reading.rows("without_objects")}
    states = {} if "sequence" in without else _sequence_states(reading, major, ask_unlocked or ask)
    names = [name for name in (*_BEFORE, *_KINDS, *_AFTER) if name not in without and reading.may(name, **_told_by(name))]
    answers = zip(names, (ask_each or partial(map, ask))([query(name, major) for name in names]), strict=True)
    columns: Mapping[int, tuple[Column, ...]] = {}
    objects: list[DatabaseObject] = []
    others: dict[str, list[Row]] = defaultdict(list)
    for name, rows in answers:
        if name == "column":
            columns = _columns(rows)
        elif name in _KINDS:
            objects += [_object(row, _KINDS[name], columns, states) for row in rows]
        else:
            others[name] = rows
    objects += [*_default_acls(others["default_acl"], major), *_large_objects(others["large_object"], others["large_object_texts"], major)]
    objects += [_object(row, "SUBSCRIPTION", {}, {}) for row in reading.subscriptions()]
    unmodelled = [Unmodelled(r["kind"], r["schema"], r["name"], r["reason"]) for r in others["unmodelled"]]
    reading.note_what_is_not_known(objects)
    return Inventory(
        tuple(protect(objects, others["privileges_and_labels"], major)),
        tuple(sorted(unmodelled, key=lambda u: (u.schema or "", u.kind, u.name, u.reason))),
        next((_database(row, major) for row in others["database"]), None),
        unread=tuple(reading.unread),
    )


def _told_by(name: str) -> Told:
    """What is not known when the query *name* may not be run."""
    if name == "routine":
        return {"kinds": (_KINDS[name], "PROCEDURE")}
    return {"kinds": (_KINDS[name],)} if name in _KINDS else _OTHERS_TELL.get(name, {})


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(quote_identifier, names))


def _default_acls(rows: Iterable[Row], major: int) -> Iterator[DatabaseObject]:
    for row in rows:
        acl = default_acl(row, row["objects"].removesuffix("S"), major)
        attributes = {"owner": row["owner"], **({"acl": acl} if acl else {})}
        yield DatabaseObject(ObjectKey("DEFAULT ACL", row["schema"], f"{row['objects']} of {row['owner']}"), attributes)


def _large_objects(rows: Iterable[Row], said: Iterable[Row], major: int) -> Iterator[DatabaseObject]:
    """BLOB objects of up to a thousand large objects each."""
    owners: dict[str, dict[int, str | None]] = defaultdict(dict)
    acls: dict[str, dict[int, str | None]] = defaultdict(dict)
    texts: dict[str, dict[str, str | None]] = defaultdict(dict)
    for row in rows:
        name = large_objects_name(row["oids"][0] // LARGE_OBJECTS_TOGETHER)
        owners[name] |= dict.fromkeys(row["oids"], row["owner"])
        acls[name] |= dict.fromkeys(row["oids"], stored_acl(row, "LARGE OBJECT", major))
    for row in said:
        texts[large_objects_name(row["oid"] // LARGE_OBJECTS_TOGETHER)][f"{row['oid']} {row['attribute']}"] = row["text"]
    for name, owned in owners.items():
        found = {"oids": compact_numbers(owned), "owner": by_number(owned), "acl": by_number(acls[name]), **texts[name]}
        yield DatabaseObject(ObjectKey("BLOB", None, name), {attribute: text for attribute, text in found.items() if text is not None})


def _database(row: Row, major: int) -> DatabaseObject:
    attributes = _attributes({name: value for name, value in row.items() if name not in ("name", "acl", "as_made", "settings")})
    if acl := stored_acl(row, DATABASE, major):
        attributes["acl"] = acl
    for role, setting in json.loads(row["settings"] or "[]"):
        name, _, value = setting.partition("=")
        attribute = SETTING.format(name=name) if role is None else SETTING_OF_ROLE.format(name=name, role=role)
        attributes[attribute] = setting_text(name, stored_values(name, value))
    return DatabaseObject(ObjectKey(DATABASE, None, row["name"]), attributes)


def _columns(rows: Iterable[Row]) -> Mapping[int, tuple[Column, ...]]:
    found: dict[int, list[Column]] = defaultdict(list)
    for row in rows:
        found[row["relation"]].append(Column(row["name"], _attributes(row)))
    return {relation: tuple(columns) for relation, columns in found.items()}


def _object(row: Row, kind: str, columns: Mapping[int, tuple[Column, ...]], states: Mapping[int, Mapping[str, str]]) -> DatabaseObject:
    relation = row.get("relation")
    key = ObjectKey(row.get("kind") or kind, row.get("schema"), row["name"], row.get("parent"))
    attributes = _attributes(row)
    if of_columns := row.get("column_attributes"):
        attributes |= json.loads(of_columns)
    if kind == "SEQUENCE":
        attributes |= states.get(row["relation"], {})
    return DatabaseObject(key, attributes, columns.get(relation, ()) if relation is not None else ())


def _attributes(row: Row) -> dict[str, str | None]:
    found = {name: value for name, value in row.items() if value is not None and name not in _NOT_ATTRIBUTES}
    if not _READ.keys().isdisjoint(found):
        for name, (attribute, read) in _READ.items():
            if name in found and (text := read(found.pop(name))) is not None:
                found[attribute] = text
    return found


def _sequence_states(reading: Reading, major: int, ask_unlocked: Ask) -> Mapping[int, Mapping[str, str]]:
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
