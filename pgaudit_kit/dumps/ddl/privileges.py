"""GRANT, REVOKE and ALTER DEFAULT PRIVILEGES (src/fe_utils or src/bin/pg_dump/dumputils.c, buildACLCommands, by release).

They are applied in order to what an object of that kind has from the start; that is right for every release, since those
up to 9.5 begin each object's with REVOKE ALL. Done at the end, when all owners are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NOT_MODELLED, Book, Draft, Place, Statement, Versions
from pgaudit_kit.dumps.ddl.large_objects import read_oid
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood
from pgaudit_kit.records.privileges import (
    EVERY,
    OWNER,
    PUBLIC,
    SCHEMA_PUBLIC,
    TO_PUBLIC,
    Held,
    acl_change_text,
    acl_text,
    default_privileges,
    every_privilege,
    role_text,
)
from pgaudit_kit.records.table_data import quote_identifier

# Words of GRANT … ON: what its privileges are those of (a key of EVERY), and the kinds of objects that it may mean
_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "TABLE": ("TABLE", ("TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE")),
    "SEQUENCE": ("SEQUENCE", ("SEQUENCE",)),
    "FUNCTION": ("FUNCTION", ("FUNCTION", "AGGREGATE")),
    "PROCEDURE": ("FUNCTION", ("PROCEDURE",)),
    "TYPE": ("TYPE", ("TYPE", "DOMAIN")),
    "SCHEMA": ("SCHEMA", ("SCHEMA",)),
    "LANGUAGE": ("LANGUAGE", ("PROCEDURAL LANGUAGE",)),
    "FOREIGN DATA WRAPPER": ("FOREIGN DATA WRAPPER", ("FOREIGN DATA WRAPPER",)),
    "FOREIGN SERVER": ("FOREIGN SERVER", ("SERVER",)),
    "DATABASE": ("DATABASE", ()),
    "LARGE OBJECT": ("LARGE OBJECT", ()),
}
_IN_SCHEMAS = frozenset({"TABLE", "SEQUENCE", "FUNCTION", "PROCEDURE", "TYPE"})
# ALTER DEFAULT PRIVILEGES … ON: what its privileges are those of
_OBJECTS = {
    "TABLES": "TABLE",
    "SEQUENCES": "SEQUENCE",
    "FUNCTIONS": "FUNCTION",
    "ROUTINES": "FUNCTION",
    "TYPES": "TYPE",
    "SCHEMAS": "SCHEMA",
    "LARGE OBJECTS": "LARGE OBJECT",
}
_SCHEMA_PUBLIC = (None, "public")
_SHORT = {"TEMP": "TEMPORARY"}
_OLD_SCHEMA_PUBLIC = {"SCHEMA": EVERY["SCHEMA"]}
_SCHEMA_PUBLIC_CHANGED = 15


@dataclass(frozen=True, slots=True)
class _What:
    """What privileges are on: the word of GRANT, the object's place (of a routine with its arguments), or a column of it."""

    word: str
    place: Place
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """One GRANT or REVOKE of privileges: which ones, to or from whom, and as whom it is said (None: the owner)."""

    is_grant: bool
    option: bool  # WITH GRANT OPTION, GRANT OPTION FOR
    privileges: frozenset[str]  # ALL, or their names
    grantee: str | None  # None: PUBLIC
    grantor: str | None


@dataclass(frozen=True, slots=True)
class GrantOn:
    """A Grant, and what it is on."""

    statement: Statement
    what: _What
    grant: Grant


@dataclass(slots=True)
class Ledger:
    """The privileges on one thing while statements are applied to it. An *owner* that is not known is found out by the first REVOKE."""

    every: frozenset[str]
    owner: str | None
    held: Held
    revoked: Held = field(default_factory=dict)
    granted: Held = field(default_factory=dict)

    def apply(self, grant: Grant) -> None:
        """Apply one statement."""
        if self.owner is None and not grant.is_grant and grant.grantee is not None:
            self.owner = grant.grantee  # only PUBLIC and the owner have anything to lose
        grantor = "" if grant.grantor in (None, self.owner) else role_text(grant.grantor or "")
        raw = PUBLIC if grant.grantee is None else role_text(grant.grantee)
        name = OWNER if grant.grantee is not None and grant.grantee == self.owner else raw
        privileges = self.every if "ALL" in grant.privileges else grant.privileges
        _change(self.held.setdefault((name, grantor), {}), grant, privileges)
        if grant.is_grant:
            _change(self.granted.setdefault((raw, grantor), {}), grant, privileges)
        else:
            self.revoked.setdefault((raw, grantor), {}).update(dict.fromkeys(privileges, False))


def _change(holding: dict[str, bool], grant: Grant, privileges: frozenset[str]) -> None:
    for privilege in privileges:
        if grant.is_grant:
            holding[privilege] = holding.get(privilege, False) or grant.option
        elif not grant.option:
            holding.pop(privilege, None)
        elif privilege in holding:
            holding[privilege] = False


def read_grant(statement: Statement, book: Book) -> None:
    """GRANT and REVOKE on anything: keep it for `apply_grants`. Membership in roles is put aside. Raises NotUnderstood."""
    cursor = statement.cursor()
    is_grant = cursor.advance().is_word("GRANT")
    option = not is_grant and cursor.take("GRANT", "OPTION", "FOR")
    privileges = _privileges(cursor)
    if not cursor.take("ON"):
        put_aside(statement, book, NOT_MODELLED)
        return
    word = _word(cursor)
    if word is None:  # PARAMETER, TABLESPACE: of the cluster
        put_aside(statement, book, NOT_MODELLED)
        return
    place = _place(statement, cursor, word)
    grantees = _grantees(cursor, "TO" if is_grant else "FROM")
    option = option or cursor.take("WITH", "GRANT", "OPTION")
    book.told.add("acl")
    by_column: dict[str | None, set[str]] = {}
    for name, column in privileges:
        by_column.setdefault(column, set()).add(name)
    for column, names in by_column.items():
        for grantee in grantees:
            grant = Grant(is_grant, option, frozenset(names), grantee, statement.session.role)
            if word == "LARGE OBJECT":
                _on_large_objects(statement, book, int(place[1]), grant)
            else:
                book.grants.append(GrantOn(statement, _What(word, place, column), grant))


def _privileges(cursor: Cursor) -> list[tuple[str, str | None]]:
    """Step over `ALL` or `SELECT(a),INSERT(a)`; return privileges, each with the column that it is on."""
    found: list[tuple[str, str | None]] = []
    while True:
        name = cursor.identifier().upper()
        cursor.take("PRIVILEGES")
        name = _SHORT.get(name, name)
        if cursor.token.text == "(":
            columns = Cursor(cursor.group())
            found.append((name, columns.identifier()))
            while columns.take_text(","):
                found.append((name, columns.identifier()))
        else:
            found.append((name, None))
        if not cursor.take_text(","):
            return found


def _word(cursor: Cursor) -> str | None:
    for word in _WORDS:
        if cursor.take(*word.split()):
            return word
    return None


def _place(statement: Statement, cursor: Cursor, word: str) -> Place:
    if word == "LARGE OBJECT":
        return (None, str(read_oid(cursor.advance().text)))
    if word not in _IN_SCHEMAS:
        return (None, cursor.identifier())
    schema, name = statement.place(cursor.name())
    return (schema, f"{name}({cursor.group()})" if word in ("FUNCTION", "PROCEDURE") else name)


def _grantees(cursor: Cursor, word: str) -> list[str | None]:
    cursor.expect(word)
    found: list[str | None] = []
    while True:
        if cursor.token.is_word("GROUP") and cursor.following.kind in ("word", "quoted"):
            cursor.advance()
        found.append(None if cursor.take("PUBLIC") else cursor.identifier())
        if not cursor.take_text(","):
            return found


def apply_grants(book: Book, versions: Versions) -> None:
    """Give every object and column its `acl`. What is not among the objects, because the server or an extension brings it, is an ACL."""
    _apply_default_acls(book, versions)
    ledgers: dict[_What, tuple[Draft | None, Ledger]] = {}
    for said in book.grants:
        if said.what not in ledgers:
            ledgers[said.what] = _opened(said, book, versions)
        ledgers[said.what][1].apply(said.grant)
    for what, (draft, ledger) in ledgers.items():
        _close(what, draft, ledger, book)
    book.grants.clear()
    _apply_to_large_objects(book)


def _on_large_objects(statement: Statement, book: Book, oid: int, grant: Grant) -> None:
    """Keep what is said of a large object: of millions, most have the same said of them, and that is kept once.

    In archives of 17 and later, what is said of one is said of all those of the entry that it depends on.
    """
    entry = statement.entry
    oids = [oid]
    if entry and entry.definition is not None and entry.tag.startswith("LARGE OBJECTS"):
        oids = [one for dump_id in entry.dependencies for one in book.large_object_groups.get(dump_id, ())] or oids
    for one in oids:
        history = (*book.large_object_grants.get(one, ()), grant)
        book.large_object_grants[one] = book.histories.setdefault(history, history)


def _apply_to_large_objects(book: Book) -> None:
    every = EVERY["LARGE OBJECT"]
    default = default_privileges("LARGE OBJECT", every)
    texts: dict[tuple[str | None, tuple[Grant, ...]], str | None] = {}
    for oid, history in book.large_object_grants.items():
        key = (book.large_objects.get(oid), history)
        if key not in texts:
            ledger = Ledger(every, key[0], default_privileges("LARGE OBJECT", every))
            for grant in history:
                ledger.apply(grant)
            texts[key] = acl_text(every, ledger.held, default)
        if text := texts[key]:
            book.large_object_facts.setdefault("acl", {})[oid] = text


def _opened(said: GrantOn, book: Book, versions: Versions) -> tuple[Draft | None, Ledger]:
    what, entry = said.what, said.statement.entry
    of_entry = entry.owner if entry and entry.desc == "ACL" else None
    kind = _kind(what)
    every = every_privilege(versions.server)[kind]
    draft = _draft(what, said.statement, book)
    held = default_privileges(kind, every)
    if draft and what.word == "SCHEMA" and what.place == _SCHEMA_PUBLIC:
        old = versions.pg_dump is not None and versions.pg_dump < _SCHEMA_PUBLIC_CHANGED
        held = default_privileges(kind, every, _OLD_SCHEMA_PUBLIC if old else SCHEMA_PUBLIC)
        draft.attributes.setdefault("owner", of_entry)
    return draft, Ledger(every, (draft.attributes.get("owner") if draft else None) or of_entry, held)


def _kind(what: _What) -> str:
    """What its privileges are those of: a key of EVERY."""
    return "COLUMN" if what.column is not None else _WORDS[what.word][0]


def _draft(what: _What, statement: Statement, book: Book) -> Draft | None:
    if what.word == "DATABASE":
        return book.database
    if what.word in ("TABLE", "SEQUENCE"):
        return book.relation(what.place, *_WORDS[what.word][1])
    found = (book.find(kind, what.place) for kind in _WORDS[what.word][1])
    draft = next((one for one in found if one), None)
    if draft is None and what.word == "FUNCTION":
        draft = _aggregate(what.place, book)
    if draft is None and what.word == "SCHEMA" and what.place == _SCHEMA_PUBLIC:
        draft = book.create("SCHEMA", what.place, Statement("CREATE SCHEMA public", None, statement.session))
        draft.sql.clear()  # it is there although no dump creates it
    return draft


def _aggregate(place: Place, book: Book) -> Draft | None:
    """Return the aggregate that GRANT names like a function, by the types of its arguments alone (pg_dump.c, dumpAgg)."""
    name, _, types = place[1].rstrip(")").partition("(")
    for draft in book.aggregates:
        if draft.schema == place[0] and draft.name.startswith(f"{name}("):
            arguments = draft.name[len(name) + 1 : -1].replace(" ORDER BY ", ", ").removeprefix("ORDER BY ")
            given, wanted = arguments.replace("*", "").split(", "), types.split(", ")
            if len(given) == len(wanted) and all(a == t or a.endswith(f" {t}") for a, t in zip(given, wanted, strict=True)):
                return draft
    return None


def _close(what: _What, draft: Draft | None, ledger: Ledger, book: Book) -> None:
    kind = _kind(what)
    public = SCHEMA_PUBLIC if what.word == "SCHEMA" and what.place == _SCHEMA_PUBLIC else TO_PUBLIC
    text = acl_text(ledger.every, ledger.held, default_privileges(kind, ledger.every, public))
    if draft is None:
        _add_acl(what, ledger, book)
    elif what.column is not None:
        draft.say_of_column(what.column, "acl", text)
    else:
        draft.attributes["acl"] = text
        if not draft.sql and text is None and not draft.attributes.keys() - {"owner", "acl"}:
            book.remove(draft)  # the schema public, which is as it always is


def _add_acl(what: _What, ledger: Ledger, book: Book) -> None:
    schema, name = what.place
    bare, bracket, arguments = name.partition("(") if what.word in ("FUNCTION", "PROCEDURE") else (name, "", "")
    quoted = quote_identifier(bare) + bracket + arguments
    tag = f"{what.word} {quoted}" if what.column is None else f"COLUMN {quoted}.{quote_identifier(what.column)}"
    draft = Draft("ACL", schema, tag)
    draft.attributes["acl"] = acl_change_text(ledger.every, ledger.revoked, ledger.granted)
    book.drafts[("ACL", schema, tag, None)] = draft


def alter_default_privileges(statement: Statement, book: Book) -> None:
    """ALTER DEFAULT PRIVILEGES FOR ROLE r [IN SCHEMA s] GRANT or REVOKE. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "DEFAULT", "PRIVILEGES", "FOR")
    if not cursor.take("ROLE"):
        cursor.expect("USER")
    role = cursor.identifier()
    schema = cursor.identifier() if cursor.take("IN", "SCHEMA") else None
    is_grant = cursor.take("GRANT")
    if not is_grant:
        cursor.expect("REVOKE")
    option = not is_grant and cursor.take("GRANT", "OPTION", "FOR")
    names = frozenset(name for name, _ in _privileges(cursor))
    cursor.expect("ON")
    objects = next((words for words in _OBJECTS if cursor.take(*words.split())), None)
    if objects is None:
        raise NotUnderstood(f"default privileges on {cursor.token.text!r}")
    kind = _OBJECTS[objects]
    grantees = _grantees(cursor, "TO" if is_grant else "FROM")
    option = option or cursor.take("WITH", "GRANT", "OPTION")
    place = (schema, f"{'FUNCTIONS' if objects == 'ROUTINES' else objects} of {role}")
    draft = book.find("DEFAULT ACL", place)
    if draft is None:
        draft = book.create("DEFAULT ACL", place, statement)
        draft.attributes["owner"] = role
    else:
        draft.sql.append(statement.sql)
    for grantee in grantees:
        said = GrantOn(statement, _What(kind, place), Grant(is_grant, option, names, grantee, None))
        book.default_grants.setdefault(place, []).append(said)
    book.told.add("acl")


def _apply_default_acls(book: Book, versions: Versions) -> None:
    """Those of a schema are added to what an object has anyhow; the others are all that it has."""
    for place, grants in book.default_grants.items():
        kind = grants[0].what.word
        draft = book.drafts["DEFAULT ACL", *place, None]
        every = every_privilege(versions.server)[kind]
        default = default_privileges(kind, every) if place[0] is None else {}
        ledger = Ledger(every, draft.attributes["owner"], {key: dict(holding) for key, holding in default.items()})
        for said in grants:
            ledger.apply(said.grant)
        draft.attributes["acl"] = acl_text(every, ledger.held, default)
