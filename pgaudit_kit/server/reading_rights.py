"""What a role may not read of the catalog: not an error and not missing, but named, with the GRANT that would help."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

from pgaudit_kit.records.inventory import Unread
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.table_data import quote_identifier

Row = Mapping[str, Any]
Rows = list[Row]

_COMMENT = re.compile(r"--.*")
_SEQUENCE_STATE = ("last_value", "is_called")


class Told(TypedDict, total=False):
    """What a catalog query tells, as `Reading.may` takes it."""

    kinds: tuple[str, ...]
    attributes: tuple[str, ...]
    of: str


class Reading:
    """Runs the catalog queries that this role may run. What the others would have told is in `unread`."""

    def __init__(self, ask: Callable[[str], Rows], query: Callable[[str], str]) -> None:
        self._ask = ask
        self._query = query
        (rights,) = ask(query("reading_rights"))
        self.role: str = rights["role"]
        self._denied: tuple[str, ...] = tuple(sorted(rights["catalogs"]))
        self.unread: list[Unread] = []

    def may(self, name: str, *, kinds: tuple[str, ...] = (), attributes: tuple[str, ...] = (), of: str = "") -> bool:
        """Whether the query *name* can be run. What it tells is unread if not: objects of *kinds*, *attributes* of all (of kind *of*)."""
        sql = _COMMENT.sub("", self._query(name))
        denied = [catalog for catalog in self._denied if re.search(rf"(?<!')\b{catalog}\b", sql)]
        if not denied:
            return True
        grants = self._helps(*(f"SELECT ON pg_catalog.{catalog}" for catalog in denied))
        reason = f"role {self.role} may not read {', '.join(denied)}{grants}"
        self.unread += [Unread(kind, None, (), reason) for kind in kinds]
        self.unread += [Unread(of, None, attributes, reason)] if attributes else []
        return False

    def rows(self, name: str, *kinds: str) -> Rows:
        """The rows of the query *name*, none when it may not be run (`may`)."""
        return self._ask(self._query(name)) if self.may(name, kinds=kinds) else []

    def subscriptions(self) -> Rows:
        """The rows of subscription.sql. Where only their names may be read, each is unread."""
        named = self.rows("subscription_readable", "SUBSCRIPTION")
        closed = sorted({column for row in named for column in row["closed"]})
        if named and not closed:
            return self.rows("subscription", "SUBSCRIPTION")
        grants = self._helps(f"SELECT ({', '.join(closed)}) ON pg_catalog.pg_subscription")
        reason = f"role {self.role} may not read {', '.join(closed)} of pg_subscription{grants}"
        self.unread += [Unread("SUBSCRIPTION", ObjectKey("SUBSCRIPTION", None, row["name"]), (), reason) for row in named]
        return []

    def note_what_is_not_known(self, objects: Iterable[DatabaseObject]) -> None:
        """Add the sequences among *objects* whose state, and the user mappings whose options this role may not see."""
        found = tuple(objects)
        sequences = [o for o in found if o.key.kind == "SEQUENCE" and "last_value" not in o.attributes]
        if sequences:
            rights = {(row["schema"], row["name"]): row for row in self.rows("sequence_rights")}
            for item in sequences:
                self.unread.append(
                    Unread("SEQUENCE", item.key, _SEQUENCE_STATE, self._why_no_state(rights.get((item.key.schema, item.key.name))))
                )
        owners = {o.key.name: o.attributes.get("owner") for o in found if o.key.kind == "SERVER"}
        for item in found:
            if item.key.kind == "USER MAPPING" and "option_names" not in item.attributes:
                self.unread.append(Unread("USER MAPPING", item.key, ("option_names",), self._why_no_options(item.key, owners)))

    def _why_no_state(self, row: Row | None) -> str:
        if row is None or (row["schema_usable"] and row["selectable"]):
            return "the server does not tell its state now"  # an unlogged one, on a standby
        wanted = [] if row["schema_usable"] else [f"USAGE ON SCHEMA {row['schema_sql']}"]
        wanted += [] if row["selectable"] else [f"SELECT ON SEQUENCE {row['sequence_sql']}"]
        return f"role {self.role} may not read it{self._helps(*wanted)}"

    def _why_no_options(self, key: ObjectKey, owners: Mapping[str, str | None]) -> str:
        """Whom pg_user_mappings shows options: the role of the mapping if it may use the server, the server's owner those of PUBLIC."""
        server, owner = key.parent or "", owners.get(key.parent or "")
        if quote_identifier(key.name) == self.role:
            return f"role {self.role} may not see them{self._helps(f'USAGE ON FOREIGN SERVER {quote_identifier(server)}')}"
        who = f"the owner of the server, {owner}," if key.name == "public" and owner else f"role {key.name}"
        return f"role {self.role} may not see them; only {who} and a superuser may"

    def _helps(self, *privileges: str) -> str:
        return ": " + "; ".join(f"GRANT {privilege} TO {self.role}" for privilege in privileges)
