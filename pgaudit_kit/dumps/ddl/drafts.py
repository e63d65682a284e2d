"""Objects while they are being put together: one draft per object, found again by the statements that add to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, quote_string
from pgaudit_kit.errors import HIDDEN
from pgaudit_kit.records.objects import (
    ATTRIBUTES,
    COLUMN_ATTRIBUTE,
    DEPENDS_ON_EXTENSIONS,
    STATEMENT_NOT_COMPARED,
    Column,
    DatabaseObject,
    ObjectKey,
    Unmodelled,
)
from pgaudit_kit.records.settings import is_open_option
from pgaudit_kit.records.table_data import quote_identifier
from pgaudit_kit.records.toc import TocEntry

if TYPE_CHECKING:
    from pgaudit_kit.dumps.ddl.privileges import Grant, GrantOn

Place = tuple[str | None, str]  # schema and name, raw

NOT_MODELLED = "objects of this kind are not compared yet"
NOT_COMPARED = STATEMENT_NOT_COMPARED
NO_OBJECT = "a comment on something that is not compared"
WITHOUT_OBJECT = "the object that this belongs to is not in the dump"
IN_EVERY_DATABASE = "every database has it from the start, and newer pg_dump does not list it"

# src/backend/catalog/pg_*: connection strings and OPTIONS of these may hold passwords
_WITH_SECRETS = frozenset({"USER MAPPING", "SERVER", "FOREIGN DATA WRAPPER", "SUBSCRIPTION", "ROLE", "USER"})
_WITH_COLUMNS = frozenset({"TABLE", "TYPE", "FOREIGN TABLE"})
_NEXTVAL = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)\Z")
# up to the end where a literal is not closed: what is cut off or not understood is kept as text, too
_LITERAL_TEXT = r"(?:\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z))"
_LITERAL = re.compile(_LITERAL_TEXT, re.DOTALL)
_OPTION_TEXT = rf"""(\w+|"(?:[^"]|"")*")(\s+)({_LITERAL_TEXT})"""
_OPTION = re.compile(_OPTION_TEXT, re.DOTALL)
_OPTIONS = re.compile(rf"\bOPTIONS\s*\((?:\s*{_OPTION_TEXT}\s*,?)*", re.DOTALL | re.IGNORECASE)


def without_secrets(kind: str, sql: str) -> str:
    """Return *sql* with its literals hidden when it makes an object of a *kind* that may hold passwords."""
    if kind in _WITH_SECRETS:
        return _LITERAL.sub(f"'{HIDDEN}'", sql)
    return _OPTIONS.sub(lambda options: _OPTION.sub(_shown, options[0]), sql) if kind == "FOREIGN TABLE" else sql


def _shown(option: re.Match[str]) -> str:
    return option[0] if is_open_option(option[1]) else f"{option[1]}{option[2]}'{HIDDEN}'"


@dataclass(frozen=True, slots=True)
class Versions:
    """What the meaning of some statements depends on: the major releases of pg_dump and of the server; None is not known."""

    pg_dump: int | None = None
    server: int | None = None


@dataclass(slots=True)
class Session:
    """The state that SET leaves for the statements after it; None is "not said", which in an archive it never is."""

    search_path: tuple[str, ...] = ()
    tablespace: str | None = None
    access_method: str | None = None
    escapes: bool = False  # standard_conforming_strings is off
    with_oids: bool = False
    bare_names: bool = False  # a search path was set
    qualifies: bool = False  # the search path is empty, so a bare name is one of pg_catalog: dumps since March 2018
    role: str | None = None  # SET SESSION AUTHORIZATION
    quotes_all: bool = False  # --quote-all-identifiers: found out from the text, no dump says it


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon, and the entry that it belongs to."""

    sql: str
    entry: TocEntry | None
    session: Session

    def cursor(self, *words: str) -> Cursor:
        """Return a cursor behind these words. Raises NotUnderstood when they are not the first."""
        cursor = Cursor(self.sql)
        if words:
            cursor.expect(*words)
        return cursor

    @property
    def home(self) -> str | None:
        """The schema of unqualified names: up to the releases of March 2018 dumps set a search path instead of qualifying."""
        for schema in self.session.search_path:
            if schema != "pg_catalog":
                return schema
        return self.entry.schema if self.entry else None

    def place(self, name: Name) -> Place:
        """Return schema and name, raw, of what *name* stands for."""
        return (name.schema or self.home, name.name)

    def qualified(self, name: Name) -> str:
        """Return *name* as SQL with its schema: verbatim when it has one."""
        return name.sql if name.schema or not self.home else f"{quote_identifier(self.home)}.{name.sql}"

    def with_qualified(self, name: Name, start: int, sql: str) -> str:
        """Return *sql* with the *name* that stands in it at offset *start* qualified."""
        return sql if name.schema else sql[:start] + self.qualified(name) + sql[start + len(name.sql) :]

    def qualified_routine(self, name: Name, book: Book) -> str:
        """Return the *name* of a function as SQL with its schema; one of pg_catalog is bare, as the server prints it."""
        home = not name.schema and not self.session.qualifies and (self.home, name.name) in book.routines
        return self.qualified(name) if home else name.sql

    def with_qualified_sequence(self, default: str | None) -> str | None:
        """Return a column's *default* with the sequence that it takes numbers from qualified."""
        found = _NEXTVAL.match(default or "")
        if found is None:
            return default
        name = Cursor(found[1].replace("''", "'")).name()
        return f"nextval({quote_string(self.qualified(name))}::regclass)"

    @property
    def tablespace(self) -> str | None:
        """Where the relation lives: '' is the database's default, None is not known."""
        if self.entry and self.entry.definition is not None:
            return self.entry.tablespace or ""
        return self.session.tablespace

    @property
    def access_method(self) -> str | None:
        """The access method of the table, None when not known."""
        if self.entry and self.entry.definition is not None:
            return self.entry.access_method
        return self.session.access_method


@dataclass(slots=True)
class Draft:
    """One object so far.

    `columns` holds the `own_columns` that the table lists itself and, after them, inherited ones of which something is overridden.
    `inherits` are the parents of a child table, `partition_of` the parent of a partition that lists no columns (pg_dump 10 and 11),
    `identity_of` the table and column of an identity sequence, `extensions` those that it is told to depend on. `entry` is its own entry
    in the table of contents. `sql` are the statements that made it, in order.
    """

    kind: str
    schema: str | None
    name: str
    parent: str | None = None
    attributes: dict[str, str | None] = field(default_factory=dict)
    columns: dict[str, dict[str, str | None]] = field(default_factory=dict)
    own_columns: int = 0
    inherits: tuple[Place, ...] = ()
    partition_of: Place | None = None
    identity_of: tuple[Place, str] | None = None
    extensions: list[str] = field(default_factory=list)
    entry: TocEntry | None = None
    sql: list[str] = field(default_factory=list)

    def column(self, name: str) -> dict[str, str | None]:
        """Return the attributes of that column; a column not listed yet (an inherited one that is overridden) is added at the end."""
        return self.columns.setdefault(name, {})

    def say_of_column(self, name: str, attribute: str, value: str | None) -> None:
        """Set an *attribute* (of COLUMN_ATTRIBUTES) of a column, also of what has no columns of its own in an inventory."""
        if self.kind in _WITH_COLUMNS:
            self.column(name)[attribute] = value
        else:
            self.attributes[COLUMN_ATTRIBUTE.format(name=name, attribute=attribute)] = value

    def said_of_column(self, name: str, attribute: str) -> str | None:
        """Return what `say_of_column` set, None when it did not."""
        if self.kind in _WITH_COLUMNS:
            return self.columns.get(name, {}).get(attribute)
        return self.attributes.get(COLUMN_ATTRIBUTE.format(name=name, attribute=attribute))

    def default_not_null_name(self, column: str | None = None) -> str:
        """The name of a not-null that nobody named (pg_dump.c, determineNotNullFlags, dumpDomain): printed only when it has a comment."""
        return "_".join((self.name, *((column,) if column else ()), "not_null"))

    def depend_on(self, extension: str) -> None:
        """Take in one of its ALTER … DEPENDS ON EXTENSION."""
        self.extensions.append(quote_identifier(extension))
        self.attributes[DEPENDS_ON_EXTENSIONS] = ", ".join(sorted(self.extensions))

    @property
    def key(self) -> ObjectKey:
        """Its key."""
        return ObjectKey(self.kind, self.schema, self.name, self.parent)

    def finished(self, dependencies: tuple[ObjectKey, ...] | None = None) -> DatabaseObject:
        """Return the object."""
        return DatabaseObject(
            self.key,
            {k: v for k, v in self.attributes.items() if v is not None and (k, v) != ("not_null_name", self.default_not_null_name())},
            tuple(self._finished_columns()),
            "\n".join(f"{without_secrets(self.kind, sql)};" for sql in self.sql) or None,
            dependencies,
        )

    def _finished_columns(self) -> Iterator[Column]:
        """DEFAULT NULL is no default: pg_dump prints it for what inherits, and up to 15 also below a partition that has none itself."""
        for place, (name, attributes) in enumerate(self.columns.items()):
            nothing = {("default", "NULL"), ("not_null_name", self.default_not_null_name(name))}
            said = {k: v for k, v in attributes.items() if v is not None and (k, v) not in nothing}
            if said or place < self.own_columns:
                yield Column(name, said)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, and what it is on: `kind` as COMMENT names it, the place of that object, its table, or the column of it.

    A security label is one too, by its *attribute*.
    """

    statement: Statement
    kind: str
    place: Place
    parent: str | None
    column: str | None
    text: str
    attribute: str = "comment"


@dataclass(slots=True)
class _Aside:
    kind: str
    schema: str | None
    name: str
    reason: str
    sql: list[str]


class Book:
    """All drafts, and what is put aside. Relations (tables, views, sequences, indexes …) share one name space, as in pg_class."""

    def __init__(self) -> None:
        self.session = Session()
        self.drafts: dict[tuple[str, str | None, str, str | None], Draft] = {}
        self.relations: dict[Place, Draft] = {}
        self.comments: list[Comment] = []
        self.routines: set[Place] = set()  # functions without their arguments, and
        self.operators: set[Place] = set()  # operators without their operands: what a bare name may mean
        self.aggregates: list[Draft] = []
        self.built_in: set[Place] = set()  # schemas that the dump creates although every database has them
        self.grants: list[GrantOn] = []
        self.default_grants: dict[Place, list[GrantOn]] = {}
        self.told: set[str] = set()  # of LEFT_OUT_AS_A_WHOLE
        self.database: Draft | None = None
        self.large_objects: dict[int, str | None] = {}  # OID → owner
        self.large_object_groups: dict[int, list[int]] = {}  # dump id of an entry → OIDs
        self.large_object_grants: dict[int, tuple[Grant, ...]] = {}  # OID → one of `histories`, each of which is there once
        self.histories: dict[tuple[Grant, ...], tuple[Grant, ...]] = {}
        self.large_object_facts: dict[str, dict[int, str]] = {}  # attribute → OID → text
        self.by_dump_id: dict[int, Draft] = {}
        self._asides: dict[tuple[object, ...], _Aside] = {}

    def create(self, kind: str, place: Place, statement: Statement, *, parent: str | None = None) -> Draft:
        """Return a new draft; one that was there under the same key is replaced. The owner is the entry's, if it is of this kind."""
        draft = Draft(kind, *place, parent)
        draft.sql.append(statement.sql)
        entry = statement.entry
        if entry and entry.desc == kind:
            draft.entry = entry
            if entry.dump_id is not None:
                self.by_dump_id[entry.dump_id] = draft
            if "owner" in ATTRIBUTES[kind]:
                draft.attributes["owner"] = entry.owner
        self.drafts[(kind, *place, parent)] = draft
        if kind == "AGGREGATE":
            self.aggregates.append(draft)
        return draft

    def create_relation(self, kind: str, place: Place, statement: Statement, *, parent: str | None = None) -> Draft:
        """Like `create`, for what has a row in pg_class."""
        draft = self.relations[place] = self.create(kind, place, statement, parent=parent)
        return draft

    def find(self, kind: str, place: Place, parent: str | None = None) -> Draft | None:
        """Return the draft of that kind and name, None when there is none."""
        return self.drafts.get((kind, *place, parent))

    def relation(self, place: Place, *kinds: str) -> Draft | None:
        """Return the relation of that name if it is one of *kinds* (of any without), None when there is none."""
        draft = self.relations.get(place)
        return draft if draft and (not kinds or draft.kind in kinds) else None

    def remove(self, draft: Draft) -> None:
        """Take a draft out."""
        self.drafts.pop((draft.kind, draft.schema, draft.name, draft.parent), None)
        if self.relations.get((draft.schema, draft.name)) is draft:
            del self.relations[draft.schema, draft.name]

    def put_aside(self, statement: Statement, reason: str, *, kind: str, schema: str | None, name: str, own: bool = False) -> None:
        """Keep a statement as unmodelled; with others of the same object and reason, unless it begins an object of its *own*."""
        entry = statement.entry
        key: tuple[object, ...] = (kind, schema, name, reason, entry and entry.owner, entry and entry.dump_id)
        sql = without_secrets(kind, statement.sql)
        known = self._asides.get(key)
        if known and not own:
            known.sql.append(sql)
            return
        if known:  # operators share a tag: the earlier one keeps its place, this one is added to from now on
            self._asides[*key, len(self._asides)] = known
        self._asides[key] = _Aside(kind, schema, name, reason, [sql])

    @property
    def objects(self) -> Iterator[DatabaseObject]:
        """All drafts, finished; with what they depend on where the table of contents says it."""
        for draft in self.drafts.values():
            yield draft.finished(self._dependencies(draft))

    def _dependencies(self, draft: Draft) -> tuple[ObjectKey, ...] | None:
        """What the entry says. The comments of pg_dump --verbose have few of those of an archive: no word there is not none."""
        entry = draft.entry
        if entry is None or entry.dump_id is None or not (entry.dependencies or entry.definition is not None):
            return None
        found = (self.by_dump_id.get(dump_id) for dump_id in entry.dependencies)
        return tuple(sorted({d.key for d in found if d and d is not draft}, key=lambda key: key.sort_key))

    @property
    def unmodelled(self) -> tuple[Unmodelled, ...]:
        """What was put aside, by schema, kind and name."""
        found = [Unmodelled(a.kind, a.schema, a.name, a.reason, "\n".join(f"{sql};" for sql in a.sql)) for a in self._asides.values()]
        return tuple(sorted(found, key=lambda u: (u.schema or "", u.kind, u.name, u.reason)))
