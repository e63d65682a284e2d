"""Privileges as one canonical text, the same from GRANT and REVOKE as from the catalog: the attribute `acl`.

One line per grantee and grantor that is not as the default of its kind (src/backend/utils/adt/acl.c, acldefault):
`bob=INSERT, SELECT`, `bob=UPDATE WITH GRANT OPTION BY alice`, `PUBLIC=none`. The owner of the object is written OWNER, and
as a grantor left out, so that a change of owner is one change and no two. All privileges that the server knows of a kind are
ALL: 17 added MAINTAIN to those of tables, and what was granted with ALL before has it too after a restore.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pgaudit_kit.records.table_data import quote_identifier

PUBLIC = "PUBLIC"
OWNER = "OWNER"
ADDED_IN_17 = "MAINTAIN"
_MAINTAIN_CAME = 17

# What ALL means, by the word of GRANT (acl.h, ACL_ALL_RIGHTS_…)
EVERY: Mapping[str, frozenset[str]] = {
    "TABLE": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", ADDED_IN_17}),
    "COLUMN": frozenset({"SELECT", "INSERT", "UPDATE", "REFERENCES"}),
    "SEQUENCE": frozenset({"USAGE", "SELECT", "UPDATE"}),
    "FUNCTION": frozenset({"EXECUTE"}),
    "TYPE": frozenset({"USAGE"}),
    "SCHEMA": frozenset({"USAGE", "CREATE"}),
    "DATABASE": frozenset({"CREATE", "TEMPORARY", "CONNECT"}),
    "LANGUAGE": frozenset({"USAGE"}),
    "FOREIGN DATA WRAPPER": frozenset({"USAGE"}),
    "FOREIGN SERVER": frozenset({"USAGE"}),
    "LARGE OBJECT": frozenset({"SELECT", "UPDATE"}),
}
_EVERY_BEFORE_17 = {**EVERY, "TABLE": EVERY["TABLE"] - {ADDED_IN_17}}
# What PUBLIC has without any GRANT
TO_PUBLIC: Mapping[str, frozenset[str]] = {
    "FUNCTION": frozenset({"EXECUTE"}),
    "TYPE": frozenset({"USAGE"}),
    "LANGUAGE": frozenset({"USAGE"}),
    "DATABASE": frozenset({"TEMPORARY", "CONNECT"}),
}
SCHEMA_PUBLIC: Mapping[str, frozenset[str]] = {"SCHEMA": frozenset({"USAGE"})}  # since 15; before it, CREATE too

_LINE = re.compile(
    r'(?P<who>(?:GRANT |REVOKE )?(?:"(?:[^"]|"")*"|\w+))=(?P<names>[A-Z]+(?:, [A-Z]+)*)(?P<rest>(?: WITH GRANT OPTION)?(?: BY .*)?)\Z'
)

Holding = dict[str, bool]
"""Privileges and whether they may be granted on."""
Held = dict[tuple[str, str], Holding]
"""What is held, by grantee and grantor as text: OWNER, PUBLIC, or a role quoted as an identifier; "" is the owner as grantor."""


def every_privilege(server_major: int | None = None) -> Mapping[str, frozenset[str]]:
    """Return EVERY as it is on a server of that version; without one, on the newest."""
    return _EVERY_BEFORE_17 if server_major is not None and server_major < _MAINTAIN_CAME else EVERY


def role_text(role: str) -> str:
    """Return a role's raw name as it stands in the text. A role of the name PUBLIC is quoted, and so another one than PUBLIC."""
    return quote_identifier(role)


def default_privileges(kind: str, every: frozenset[str], public: Mapping[str, frozenset[str]] = TO_PUBLIC) -> Held:
    """Return what an object of that *kind* (a key of EVERY) begins with; *every*: all that there are of that kind."""
    if kind == "COLUMN":
        return {}
    held: Held = {(OWNER, ""): dict.fromkeys(every, False)}
    if kind in public:
        held[PUBLIC, ""] = dict.fromkeys(public[kind], False)
    return held


def acl_text(every: frozenset[str], held: Held, default: Held) -> str | None:
    """Return the canonical text of what is *held*, None when it is the *default*; *every*: all privileges that there are."""
    changed = (key for key in {**held, **default} if held.get(key, {}) != default.get(key, {}))
    return _sorted(line for key in changed for line in _lines(every, key, held.get(key, {})))


def acl_change_text(every: frozenset[str], revoked: Held, granted: Held) -> str | None:
    """Return the text of what was changed where what was there before is not known: lines with GRANT and REVOKE before them."""
    return _sorted(
        f"{word} {line}"
        for word, held in (("REVOKE", revoked), ("GRANT", granted))
        for key in held
        for line in _lines(every, key, held[key])
    )


def _sorted(lines: Iterable[str]) -> str | None:
    return "\n".join(sorted(lines)) or None


def _lines(every: frozenset[str], key: tuple[str, str], holding: Holding) -> Iterable[str]:
    grantee, grantor = key
    by = f" BY {grantor}" if grantor else ""
    if not holding:
        yield f"{grantee}=none{by}"
    for option in (False, True):
        names = {name for name, grantable in holding.items() if grantable is option}
        if names:
            yield f"{grantee}={_names(every, names)}{' WITH GRANT OPTION' if option else ''}{by}"


def _names(every: frozenset[str], names: set[str]) -> str:
    return "ALL" if names == every and len(every) > 1 else ", ".join(sorted(names))


def as_before_17(acl: str | None) -> str | None:
    """Return *acl* without MAINTAIN, as a server before 17 would have it; all the others together are ALL there."""
    if acl is None or ("MAINTAIN" not in acl and "TRUNCATE" not in acl):
        return acl
    return _sorted(line for line in map(_without_maintain, acl.split("\n")) if line)


def _without_maintain(line: str) -> str:
    found = _LINE.match(line)
    if found is None:
        return line
    kept = [name for name in found["names"].split(", ") if name != ADDED_IN_17]
    if not kept:  # the owner had all, and that nothing is left of it is said
        return f"{OWNER}=none" if found["who"] == OWNER else ""
    every = EVERY["TABLE"] - {ADDED_IN_17}
    return f"{found['who']}={'ALL' if set(kept) == every else ', '.join(kept)}{found['rest']}"
