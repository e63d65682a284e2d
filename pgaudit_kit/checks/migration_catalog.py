"""Does the catalog hold what the migrations make? Of those applied it should, of those pending it should not yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pgaudit_kit.checks.sql_effects import Effect, Thing, effects_of
from pgaudit_kit.dumps.ddl.tokens import quote_string
from pgaudit_kit.migration_tools.tool import Tool
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.ledger import MigrationStatus, State

NAMED = 3  # things named in a sentence; the others are counted
_SAME_PLACE = {"INDEX": ("INDEX", "CONSTRAINT"), "CONSTRAINT": ("CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "INDEX")}
_INDEX_LIKE = {"INDEX", "CONSTRAINT"}
_ANY_RELATION = {"TABLE": ("TABLE", "FOREIGN TABLE"), "TYPE": ("TYPE", "DOMAIN"), "FUNCTION": ("FUNCTION", "PROCEDURE", "AGGREGATE")}


def with_catalog(
    statuses: Sequence[MigrationStatus], scripts: Mapping[str, str | None], inventory: Inventory, tool: Tool, home: str
) -> list[MigrationStatus]:
    """Return *statuses* with what *inventory* holds of the things that each one's script makes.

    *scripts* is the SQL of each migration by its name; None, or a name that is not there: not known. *home* is the schema of bare names.
    """
    catalog = _Catalog(inventory)
    replayed = _Replay()
    for status in statuses:
        if status.state in (State.APPLIED, State.EDITED, State.UNKNOWN, State.FAILED):
            sql = scripts.get(status.name) if status.state is State.APPLIED else None
            replayed.run(status.name, None if sql is None else effects_of(sql, home))
    found = []
    for status in statuses:
        sql = scripts.get(status.name)
        if status.state is State.UNKNOWN or sql is None:
            found.append(status)
        elif status.state in (State.APPLIED, State.EDITED):
            found.append(_of_applied(status, replayed, catalog, tool))
        else:
            found.append(_of_others(status, effects_of(sql, home), replayed, catalog, tool))
    return found


def needs_later(scripts: Mapping[str, str | None], home: str) -> list[tuple[str, str, str]]:
    """Return the migrations that, in the order of *scripts*, need a table that only a later one makes: with the table, and that one."""
    effects = {name: effects_of(sql, home) for name, sql in scripts.items() if sql is not None}
    makers: dict[tuple[str | None, str], str] = {}
    for name, found in effects.items():
        for effect in found:
            for made in (effect.thing, effect.to):
                if made is not None and made.kind == "TABLE" and effect.does in ("makes", "renames"):
                    makers.setdefault((made.schema, made.name), name)
    late: dict[tuple[str, str], str] = {}
    seen: set[str] = set()
    for name, found in effects.items():
        seen.add(name)
        for thing in (effect.thing for effect in found if effect.does == "makes" and effect.thing.parent):
            maker = makers.get((thing.schema, thing.parent or ""))
            if maker is not None and maker not in seen:
                late[name, str(Thing("TABLE", thing.schema, thing.parent or ""))] = maker
    return [(name, table, maker) for (name, table), maker in late.items()]


@dataclass(slots=True)
class _Replay:
    """What is there after some migrations: each thing with the migration that made it. `doubt`: the last one whose doing is not known."""

    there: dict[Thing, str] = field(default_factory=dict)
    doubtful: set[Thing] = field(default_factory=set)
    ran: dict[str, int] = field(default_factory=dict)  # migration → how many things it made

    def run(self, name: str, effects: list[Effect] | None) -> None:
        """Take in one migration; None: nobody knows what it did."""
        self.ran[name] = 0
        for effect in effects or ():
            self._apply(name, effect)
        if effects is None:
            self.doubtful |= set(self.there)

    def _apply(self, name: str, effect: Effect) -> None:
        thing = effect.thing
        if effect.does == "makes":
            self.there[thing] = name
            self.doubtful.discard(thing)
            self.ran[name] += 1
        elif effect.does == "drops":
            for gone in self._named(thing) + [t for t in self.there if _belongs(t, thing)]:
                del self.there[gone]
        elif effect.does == "forgets":
            for gone in [t for t in self.there if _belongs(t, thing) and t.kind != "COLUMN"]:
                del self.there[gone]
        elif effect.does == "renames" and effect.to is not None:
            self._rename(thing, effect.to)
        else:
            self.doubtful |= set(self.there)

    def _rename(self, old: Thing, new: Thing) -> None:
        for thing in self._named(old):
            self._move(thing, thing._replace(schema=new.schema, name=new.name))
        for thing in [t for t in self.there if _belongs(t, old)]:
            self._move(thing, thing._replace(schema=new.schema, parent=new.name))

    def _move(self, thing: Thing, moved: Thing) -> None:
        self.there[moved] = self.there.pop(thing)
        if thing in self.doubtful:
            self.doubtful.add(moved)

    def _named(self, thing: Thing) -> list[Thing]:
        """What a statement means that names *thing*: of an index, or of a constraint, also the one that stands for the other."""
        same = [t for t in self.there if (t.schema, t.name) == (thing.schema, thing.name)]
        exact = [t for t in same if t.kind == thing.kind and (t.parent == thing.parent or thing.parent is None)]
        return exact or [t for t in same if {t.kind, thing.kind} == _INDEX_LIKE]


def _belongs(thing: Thing, table: Thing) -> bool:
    if (thing.kind == "LABEL") != (table.kind == "TYPE"):
        return False
    return table.kind in ("TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "TYPE") and (thing.schema, thing.parent) == (
        table.schema,
        table.name,
    )


class _Catalog:
    """Answers whether an inventory holds a thing."""

    def __init__(self, inventory: Inventory) -> None:
        self.is_empty = not inventory.objects
        self.is_partial = any(unread.key is None and not unread.attributes for unread in inventory.unread)
        self._keys = {(o.key.kind, o.key.schema, _bare(o.key.kind, o.key.name)) for o in inventory.objects}
        self._columns = {(o.key.schema, o.key.name, c.name) for o in inventory.objects for c in o.columns}
        self._labels = {(o.key.schema, o.key.name): o.attributes.get("labels") or "" for o in inventory.of_kind("TYPE")}
        self._unmodelled = {(u.schema, u.name) for u in inventory.unmodelled}
        self._inherits = {
            (o.key.schema, o.key.name) for o in inventory.objects if o.attributes.get("inherits") or o.attributes.get("partition_of")
        }

    def holds(self, thing: Thing) -> bool | None:
        """Whether *thing* is there; None: that cannot be said."""
        if thing.kind == "COLUMN":
            if (thing.schema, thing.parent) in self._inherits:
                return None  # a dump does not list what it inherits
            return (thing.schema, thing.parent, thing.name) in self._columns
        if thing.kind == "LABEL":
            labels = self._labels.get((thing.schema, thing.parent or ""))
            return None if labels is None and self.is_partial else f" {quote_string(thing.name)}," in f" {labels or ''},"
        if thing.kind == "SCHEMA" and thing.name == "public":
            return None  # a dump of a database with the usual one does not list it
        kinds = _SAME_PLACE.get(thing.kind) or _ANY_RELATION.get(thing.kind) or (thing.kind,)
        if any((kind, thing.schema, thing.name) in self._keys for kind in kinds):
            return True
        return None if (thing.schema, thing.name) in self._unmodelled or self.is_partial else False


def _bare(kind: str, name: str) -> str:
    return name.partition("(")[0] if kind in _ANY_RELATION["FUNCTION"] else name


def _of_applied(status: MigrationStatus, replayed: _Replay, catalog: _Catalog, tool: Tool) -> MigrationStatus:
    if status.state is State.EDITED:
        return replace(status, catalog="not checked: what was applied is not what the file says")
    mine = [thing for thing, name in replayed.there.items() if name == status.name]
    answers = {thing: catalog.holds(thing) for thing in mine}
    lacking = [thing for thing, held in answers.items() if held is False]
    sure = [thing for thing in lacking if thing not in replayed.doubtful]
    known = sum(held is not None for held in answers.values())
    if sure:
        reason = f"the catalog lacks {_listed(sure)}, which it made and no later one dropped"
        said = f"lacks {len(sure)} of {known}: {_listed(sure)}"
        return _fault(status, said, reason, tool.remedy("not_in_catalog", status.name), "failed")
    if lacking:
        reason = f"the catalog lacks {_listed(lacking)}; whether a later migration dropped that cannot be read from it"
        return _fault(status, "not checked", reason, status.remedy, "not_checked")
    if not known:
        return replace(
            status, catalog="makes nothing that is still to be there" if replayed.ran.get(status.name) else "makes nothing to look for"
        )
    return replace(status, catalog=f"has all {known}")


def _of_others(status: MigrationStatus, effects: list[Effect], replayed: _Replay, catalog: _Catalog, tool: Tool) -> MigrationStatus:
    """Of one that is pending, rolled back or failed: is it there all the same?"""
    own = _Replay()
    own.run(status.name, effects)
    made = [thing for thing in own.there if thing not in replayed.there]
    answers = [(thing, held) for thing in made if (held := catalog.holds(thing)) is not None]
    there = [thing for thing, held in answers if held]
    if not answers:
        return replace(status, catalog="makes nothing to look for")
    if not there:
        remedy = tool.remedy("failed_nothing", status.name) if status.state is State.FAILED else ""
        return replace(status, catalog=f"has none of {len(answers)}", remedy=remedy or status.remedy)
    if len(there) == len(answers):
        all_of_it = "the one thing that it makes is" if len(answers) == 1 else f"all {len(answers)} things that it makes are"
        reason = f"{all_of_it} in the catalog already"
        remedy = tool.remedy("failed_all", status.name) if status.state is State.FAILED else ""
        return _fault(status, f"has all {len(answers)} already", reason, remedy or tool.remedy("in_catalog", status.name), "failed")
    reason = f"of {len(answers)} things that it makes {len(there)} are in the catalog already: {_listed(there)}"
    return _fault(status, f"has {len(there)} of {len(answers)} already", reason, tool.remedy("half_in_catalog", status.name), "failed")


def _fault(status: MigrationStatus, said: str, reason: str, remedy: str, outcome: str) -> MigrationStatus:
    whole = f"{status.reason}; {reason}" if status.reason else reason
    return replace(status, catalog=said, reason=whole, remedy=remedy or status.remedy, faults={**status.faults, "catalog": outcome})


def _listed(things: list[Thing]) -> str:
    return ", ".join(map(str, things[:NAMED])) + (f" and {len(things) - NAMED} more" if len(things) > NAMED else "")
