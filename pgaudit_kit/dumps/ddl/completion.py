"""What pg_dump leaves to be concluded from other objects; done once, when all of them are known."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.drafts import Book, Draft, Place

_TAKEN_OVER = frozenset({"type", "collation", "not_null", "default", "generated"})  # by the columns of a partition from its parent's


def complete(book: Book) -> None:
    """Complete all drafts of *book* in place."""
    for draft in list(book.drafts.values()):
        if draft.identity_of:
            _complete_identity(draft, book)
        if draft.partition_of:
            _complete_partition(draft, book)
    for draft in book.drafts.values():
        if draft.inherits and len(draft.columns) > draft.own_columns:
            _order_overrides(draft, book)


def _complete_identity(sequence: Draft, book: Book) -> None:
    """An identity sequence has the owner of its table and the type of its column; pg_dump says neither (dumpSequence)."""
    place, column = sequence.identity_of or ((None, ""), "")
    if table := book.relation(place, "TABLE"):
        data_type = table.columns.get(column, {}).get("type")
        sequence.attributes["data_type"] = None if data_type == "bigint" else data_type
        sequence.attributes["owner"] = table.attributes.get("owner")


def _complete_partition(partition: Draft, book: Book) -> None:
    """CREATE TABLE … PARTITION OF lists only what differs from the parent; give the partition all columns and checks of it."""
    place, partition.partition_of = partition.partition_of, None
    parent = book.relation(place, "TABLE") if place else None
    if parent is None:
        return
    if parent.partition_of:
        _complete_partition(parent, book)
    overrides = partition.columns
    partition.columns = {
        name: {**{k: v for k, v in above.items() if k in _TAKEN_OVER}, **_present(overrides.pop(name, {}))}
        for name, above in parent.columns.items()
    } | overrides
    partition.own_columns = len(partition.columns)
    for check in [d for d in book.drafts.values() if d.kind == "CHECK CONSTRAINT" and (d.schema, d.parent) == (parent.schema, parent.name)]:
        key = (check.kind, partition.schema, check.name, partition.name)
        if key not in book.drafts:
            copy = Draft(check.kind, partition.schema, check.name, partition.name)
            copy.attributes["definition"] = check.attributes["definition"]
            book.drafts[key] = copy


def _present(attributes: dict[str, str | None]) -> dict[str, str | None]:
    return {name: value for name, value in attributes.items() if value is not None}


def _order_overrides(child: Draft, book: Book) -> None:
    """Put the overridden inherited columns of a child into the order that they have in its parents, which is that of the catalog."""
    inherited = {name: place for place, name in enumerate(_inherited(child, book, frozenset()))}
    names = list(child.columns)
    own, overridden = names[: child.own_columns], names[child.own_columns :]
    overridden.sort(key=lambda name: inherited.get(name, len(inherited)))
    child.columns = {name: child.columns[name] for name in (*own, *overridden)}


def _inherited(child: Draft, book: Book, seen: frozenset[Place]) -> list[str]:
    """Return the names of the columns that *child* has from its parents, each once, in the order of tablecmds.c, MergeAttributes."""
    names: dict[str, None] = {}
    for place in child.inherits:
        parent = book.relation(place, "TABLE")
        if parent and place not in seen:
            names |= dict.fromkeys(_inherited(parent, book, seen | {place}))
            names |= dict.fromkeys(list(parent.columns)[: parent.own_columns])
    return list(names)
