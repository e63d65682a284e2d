"""From 14 on a server prints some calls in SQL's own syntax, as they were written (ruleutils.c, get_func_sql_syntax)."""

from __future__ import annotations

from pgaudit_kit.difference.printed_text import Group

SINCE = 14
Parts = list[str | Group]
_TRIMS = {"BOTH": "btrim", "LEADING": "ltrim", "TRAILING": "rtrim"}
# The words between the arguments; the call has a comma for each
_BETWEEN = {"SUBSTRING": ("FROM", "FOR"), "OVERLAY": ("PLACING", "FROM", "FOR"), "XMLEXISTS": ("PASSING",)}


def as_calls(parts: Parts) -> Parts:
    """EXTRACT(year FROM d) → date_part('year'::text, d), which is what an older server prints; TRIM, AT TIME ZONE … alike.

    EXTRACT is a function of its own from 14 on, with a numeric result. It is what the same words make of the other there.
    """
    found: Parts = []
    for part in parts:
        if not isinstance(part, Group):
            found.append(part)
        elif found[-2:] == ["COLLATION", "FOR"]:
            found[-2:] = ["pg_collation_for", part]
        elif found and isinstance(found[-1], str) and (call := _call(found[-1], part.parts)):
            found[-1:] = call
        else:
            found += _in_parentheses(part)
    return found


def _call(name: str, inner: Parts) -> Parts:
    """The call for the syntax *name* ( *inner* ); [] when it is none."""
    if name == "EXTRACT" and inner[1:2] == ["FROM"]:
        return ["date_part", Group("(", [*_text(inner[0]), ",", *inner[2:]])]
    if name == "TRIM" and inner and inner[0] in _TRIMS and "FROM" in inner:
        at = inner.index("FROM")
        characters = [",", *inner[1:at]] if at > 1 else []
        return [_TRIMS[str(inner[0])], Group("(", [*inner[at + 1 :], *characters])]
    if name == "POSITION" and inner[1:2] == ["IN"]:
        return ['"position"', Group("(", [*_bare(inner[2]), ",", *_bare(inner[0])])]
    if name == "NORMALIZE":
        return ['"normalize"', Group("(", [*inner[:-1], *_text(inner[-1])] if inner[-2:-1] == [","] else inner)]
    words = _BETWEEN.get(name, ())
    if any(word in inner for word in words):
        arguments: Parts = []
        for part in inner:
            arguments += [","] if part in words else _bare(part) if name == "XMLEXISTS" else [part]
        return [f'"{name.lower()}"', Group("(", arguments)]
    return []


def _in_parentheses(group: Group) -> Parts:
    """(x AT TIME ZONE zone) → timezone(zone, x), (x IS NFC NORMALIZED) → is_normalized(x, 'NFC')."""
    inner = group.parts
    if group.bracket == "(" and inner[-1:] == ["NORMALIZED"] and "IS" in inner:
        at = inner.index("IS")
        form = [",", *_text(inner[at + 1])] if at + 2 < len(inner) else []
        return ["is_normalized", Group("(", [*inner[:at], *form])]
    at = next((at for at in range(len(inner)) if inner[at : at + 3] == ["AT", "TIME", "ZONE"]), 0)
    return ["timezone", Group("(", [*inner[at + 3 :], ",", *inner[:at]])] if at and group.bracket == "(" else [group]


def _text(word: str | Group) -> Parts:
    return [f"'{word}'", "::", "text"]


def _bare(part: str | Group) -> Parts:
    return part.parts if isinstance(part, Group) else [part]
