"""Rows of catalog queries → objects.

Every query of a kind gives one row per object. Its columns `kind`, `schema`, `name`, `parent` are the object's key, `relation`
is the OID that columns and states refer to, `column_attributes` a JSON object of attributes that are named after columns,
and every other column is the attribute of that name (records.objects).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgaudit_kit.records.objects import (
    DATABASE,
    DEPENDS_ON_EXTENSIONS,
    SETTING,
    SETTING_OF_ROLE,
    Attributes,
    Column,
    DatabaseObject,
    ObjectKey,
)
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
from pgaudit_kit.server.protection import default_acl, labels_text, stored_acl

Row = Mapping[str, Any]
"""One row of a query, by column name."""

_KEY = ("kind", "schema", "name", "parent", "relation", "column_attributes")
_OF_DATABASE_ALONE = ("name", "acl", "as_made", "without_public", "settings")
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
_COLUMN_KEY = ("relation", "attnum", "name", "type")  # the first columns of column.sql


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one query as the server gave them: a mapping for each would take longer to make than the objects."""

    names: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Answer:
        """The answer that has these rows."""
        return cls(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows])

    def by_name(self) -> list[Row]:
        """The rows by column name."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


class _Reader:
    """Makes attributes of the rows of one query."""

    def __init__(self, names: Sequence[str], *, without: Iterable[str] = _KEY) -> None:
        self._names = tuple("" if name in without else name for name in names)
        self._special = not _READ.keys().isdisjoint(self._names)

    def attributes(self, row: Iterable[Any]) -> dict[str, str | None]:
        found = {name: value for name, value in zip(self._names, row, strict=True) if value is not None and name}
        if self._special:
            for name, (attribute, read) in _READ.items():
                if name in found and (text := read(found.pop(name))) is not None:
                    found[attribute] = text
        return found


def objects_in(
    answer: Answer, kind: str, columns: Mapping[int, tuple[Column, ...]], states: Mapping[int, Attributes]
) -> Iterator[DatabaseObject]:
    """The objects in *answer*, of *kind* unless a row says another one; *columns* and *states* are by OID."""
    read = _Reader(answer.names).attributes
    kinds, schemas, names, parents, relations, of_columns = (answer.names.index(n) if n in answer.names else -1 for n in _KEY)
    for row in answer.rows:
        cells = (*row, None)  # what the query does not give is the last one
        attributes = read(row)
        if cells[of_columns]:
            attributes |= json.loads(cells[of_columns])
        relation = cells[relations]
        if relation in states:
            attributes |= states[relation]
        key = ObjectKey(cells[kinds] or kind, cells[schemas], cells[names], cells[parents])
        yield DatabaseObject(key, attributes, () if relation is None else columns.get(relation, ()))


def columns_in(answer: Answer) -> Mapping[int, tuple[Column, ...]]:
    """The columns in the answer of column.sql by the OID of their relation: its own in their order, then what it says of others.

    Most columns of a database are like another one, but for their name: these share their attributes.
    """
    after = len(_COLUMN_KEY) - 1
    read = _Reader(answer.names[after:]).attributes
    by_relation: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in answer.rows:
        by_relation[row[0]].append(row)
    made: dict[tuple[Any, ...], Attributes] = {}
    found: dict[int, tuple[Column, ...]] = {}
    for relation, rows in by_relation.items():
        rows.sort(key=lambda row: (row[after] is None, row[1]))
        columns = []
        for row in rows:
            told = row[after:]
            if (attributes := made.get(told)) is None:
                attributes = made[told] = read(told)
            columns.append(Column(row[2], attributes))
        found[relation] = tuple(columns)
    return found


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(quote_identifier, names))


def with_extensions(objects: list[DatabaseObject], answer: Answer) -> list[DatabaseObject]:
    """Return *objects* with what the answer of depends_on_extensions.sql says of them."""
    told = {ObjectKey(kind, schema, name, parent): extensions for kind, schema, name, parent, extensions in answer.rows}
    if not told:
        return objects
    return [
        replace(item, attributes={**item.attributes, DEPENDS_ON_EXTENSIONS: _names(sorted(told[item.key], key=quote_identifier))})
        if item.key in told
        else item
        for item in objects
    ]


def default_acls_in(answer: Answer, major: int) -> Iterator[DatabaseObject]:
    """The default privileges in the answer of default_acl.sql."""
    for row in answer.by_name():
        acl = default_acl(row, row["objects"].removesuffix("S"), major)
        attributes = {"owner": row["owner"], **({"acl": acl} if acl else {})}
        yield DatabaseObject(ObjectKey("DEFAULT ACL", row["schema"], f"{row['objects']} of {row['owner']}"), attributes)


def large_objects_in(answer: Answer, said: Answer, major: int) -> Iterator[DatabaseObject]:
    """BLOB objects of up to a thousand large objects each; *said*: the answer of large_object_texts.sql."""
    owners: dict[str, dict[int, str | None]] = defaultdict(dict)
    acls: dict[str, dict[int, str | None]] = defaultdict(dict)
    texts: dict[str, dict[str, str | None]] = defaultdict(dict)
    for row in answer.by_name():
        name = large_objects_name(row["oids"][0] // LARGE_OBJECTS_TOGETHER)
        owners[name] |= dict.fromkeys(row["oids"], row["owner"])
        acls[name] |= dict.fromkeys(row["oids"], stored_acl(row, "LARGE OBJECT", major))
    for row in said.by_name():
        texts[large_objects_name(row["oid"] // LARGE_OBJECTS_TOGETHER)][f"{row['oid']} {row['attribute']}"] = row["text"]
    for name, owned in owners.items():
        found = {"oids": compact_numbers(owned), "owner": by_number(owned), "acl": by_number(acls[name]), **texts[name]}
        yield DatabaseObject(ObjectKey("BLOB", None, name), {attribute: text for attribute, text in found.items() if text is not None})


def database_in(answer: Answer, major: int) -> DatabaseObject | None:
    """The database in the answer of database.sql; None when that could not be asked."""
    for row in answer.by_name():
        attributes = _Reader(answer.names, without=_OF_DATABASE_ALONE).attributes(row.values())
        if acl := stored_acl(row, DATABASE, major):
            attributes["acl"] = acl
        for role, setting in json.loads(row["settings"] or "[]"):
            name, _, value = setting.partition("=")
            attribute = SETTING.format(name=name) if role is None else SETTING_OF_ROLE.format(name=name, role=role)
            attributes[attribute] = setting_text(name, stored_values(name, value))
        return DatabaseObject(ObjectKey(DATABASE, None, row["name"]), attributes)
    return None
