"""Large objects (pg_dump.c, dumpLO): there may be millions, so they are kept by number and become one object for each thousand."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.drafts import Book, Draft, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood
from pgaudit_kit.records.objects import LARGE_OBJECTS
from pgaudit_kit.records.settings import LARGE_OBJECTS_TOGETHER, by_number, compact_numbers, large_objects_name
from pgaudit_kit.records.toc import TocEntry

_HIGHEST_OID = 2**32 - 1


def read_oid(text: str) -> int:
    """Return the number of a large object. Raises NotUnderstood."""
    if not (text.isascii() and text.isdecimal() and int(text) <= _HIGHEST_OID):
        raise NotUnderstood(f"the number of a large object expected at {text!r}")
    return int(text)


def add_listed(lines: str, entry: TocEntry, book: Book) -> None:
    """BLOB METADATA of archives of 17 and later: not SQL, but one OID in each line; all are of the owner of the entry."""
    oids = [read_oid(word) for word in lines.split()]
    if entry.dump_id is not None:
        book.large_object_groups[entry.dump_id] = oids
    book.large_objects.update(dict.fromkeys(oids, entry.owner))


def create_large_object(statement: Statement, book: Book, cursor: Cursor) -> None:
    """SELECT pg_catalog.lo_create('16999'); *cursor* stands at the parenthesis. Raises NotUnderstood."""
    oid = read_oid(Cursor(cursor.group()).string())
    entry = statement.entry
    book.large_objects[oid] = entry.owner if entry and entry.desc in ("BLOB", "BLOB METADATA") else None


def alter_large_object(statement: Statement, book: Book) -> None:
    """ALTER LARGE OBJECT … OWNER TO. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "LARGE", "OBJECT")
    oid = read_oid(cursor.advance().text)
    cursor.expect("OWNER", "TO")
    book.large_objects[oid] = cursor.identifier()


def add_large_objects(book: Book) -> None:
    """Make the objects of all that was read."""
    if book.large_objects:
        book.told.add(LARGE_OBJECTS)
    buckets: dict[int, dict[int, str | None]] = {}
    for oid, owner in book.large_objects.items():
        buckets.setdefault(oid // LARGE_OBJECTS_TOGETHER, {})[oid] = owner
    acls = book.large_object_facts.pop("acl", {})
    for bucket, owners in buckets.items():
        draft = Draft("BLOB", None, large_objects_name(bucket))
        draft.attributes = {
            "oids": compact_numbers(owners),
            "owner": by_number(owners),
            "acl": by_number({oid: acls.get(oid) for oid in owners}) if acls else None,
        }
        book.drafts[("BLOB", None, draft.name, None)] = draft
    for attribute, texts in book.large_object_facts.items():
        for oid, text in texts.items():
            bucket_draft = book.find("BLOB", (None, large_objects_name(oid // LARGE_OBJECTS_TOGETHER)))
            if bucket_draft:
                bucket_draft.attributes[f"{oid} {attribute}"] = text
