"""Expressions and queries as a server prints them (ruleutils.c): what is the same although it is not the same text.

A text becomes tokens without the space between them. Groups in parentheses are rewritten as they close, innermost first, so that no text
is nested too deeply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_TOKEN = re.compile(r"""\s+|('(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|::|[-+*/<>=~!@#%^&|`?]+|.)""", re.DOTALL)
_OPENS = {"(": ")", "[": "]"}
_QUERY = frozenset({"SELECT", "VALUES", "WITH", "INSERT", "UPDATE", "DELETE"})
_NAME = re.compile(r'"|[^\W\d]')


@dataclass(slots=True)
class Group:
    """What stands in a pair of parentheses or brackets; the whole text has no *bracket*."""

    bracket: str
    parts: list[str | Group] = field(default_factory=list)


# format_type.c: how a type is printed → what pg_type calls it
_INTERNAL_NAMES = {
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "character varying": "varchar",
    "character": "bpchar",
    "bit varying": "varbit",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
}
_INTEGER = 2**31 - 1

Rewrite = Callable[[list["str | Group"]], list["str | Group"]]
"""Gives the parts of one group, whose inner groups are rewritten already, in the form in which texts are compared."""


def rewritten(text: str, rewrites: Sequence[Rewrite]) -> list[str]:
    """Return the tokens of *text* after every rewrite of every group of it."""
    groups = [Group("")]
    for match in _TOKEN.finditer(text):
        token = match[1]
        if token is None:
            continue
        if token in _OPENS:
            groups.append(Group(token))
        elif len(groups) > 1 and token == _OPENS[groups[-1].bracket]:
            closed = groups.pop()
            groups[-1].parts.append(_with(closed, rewrites))
        else:
            groups[-1].parts.append(token)
    while len(groups) > 1:  # not closed: no text of a server's
        unclosed = groups.pop()
        groups[-1].parts += [unclosed.bracket, *unclosed.parts]
    return list(_tokens(_with(groups[0], rewrites)))


def _with(group: Group, rewrites: Sequence[Rewrite]) -> Group:
    for rewrite in rewrites:
        group.parts = rewrite(group.parts)
    return group


def _tokens(group: Group) -> Iterator[str]:
    rest: list[str | Group] = [group]
    while rest:
        part = rest.pop()
        if isinstance(part, str):
            yield part
        else:
            closing = [_OPENS[part.bracket]] if part.bracket else []
            rest += [*closing, *reversed(part.parts), *([part.bracket] if part.bracket else [])]


def with_flat_conditions(parts: list[str | Group]) -> list[str | Group]:
    """((a AND b) AND c) → (a AND b AND c), which is what reading it makes of it (gram.y, makeAndExpr, makeOrExpr)."""
    for word in ("AND", "OR"):
        if len(parts) > 1 and parts[1] == word and isinstance(parts[0], Group) and parts[0].bracket == "(":
            inner = parts[0].parts
            if word in inner and not any(isinstance(part, str) and part in _QUERY for part in inner):
                return [*inner, *parts[1:]]
    return parts


def with_cast_elements(parts: list[str | Group]) -> list[str | Group]:
    """(ARRAY[a, b])::text[] → ARRAY[(a)::text, (b)::text], which is what reading it makes of it (parse_expr.c, transformTypeCast)."""
    found: list[str | Group] = []
    at = 0
    while at < len(parts):
        part = parts[at]
        element_type = _array_type(parts, at + 1) if isinstance(part, Group) and _is_array(part.parts) else []
        if isinstance(part, Group) and element_type:
            found += _cast(part.parts, element_type)
            at += 1 + len(element_type) + 2  # the array, `::`, the type, `[]`
        else:
            found.append(part)
            at += 1
    return found


def _is_array(parts: list[str | Group]) -> bool:
    return len(parts) == 2 and parts[0] == "ARRAY" and isinstance(parts[1], Group) and parts[1].bracket == "["  # noqa: PLR2004


def _array_type(parts: list[str | Group], at: int) -> list[str | Group]:
    """The element type of the cast `::type[]` that stands there; [] when there is none."""
    if parts[at : at + 1] != ["::"]:
        return []
    for end in range(at + 1, len(parts)):
        part = parts[end]
        if isinstance(part, Group) and part.bracket == "[":
            return parts[at + 1 : end] if not part.parts else []
        if isinstance(part, str) and not (part == "." or _NAME.match(part)):
            return []
    return []


def _cast(array: list[str | Group], element_type: list[str | Group]) -> list[str | Group]:
    inside = array[1].parts if isinstance(array[1], Group) else []
    cast: list[str | Group] = []
    for number, element in enumerate(_divided(inside)):
        cast += [","] if number else []
        cast += _cast(element, element_type) if _is_array(element) else [Group("(", element), "::", *element_type]
    return ["ARRAY", Group("[", cast)]


def _divided(parts: list[str | Group]) -> Iterator[list[str | Group]]:
    element: list[str | Group] = []
    for part in parts:
        if part == ",":
            yield element
            element = []
        else:
            element.append(part)
    if element:
        yield element


def with_bare_fetch(parts: list[str | Group]) -> list[str | Group]:
    """FETCH FIRST (n) ROWS → FETCH FIRST n ROWS: later releases print the parentheses, so that anything may stand there."""
    found = list(parts)
    for at, part in enumerate(found):
        if isinstance(part, Group) and found[max(at - 2, 0) : at] == ["FETCH", "FIRST"] and found[at + 1 : at + 2] == ["ROWS"]:
            inner = part.parts
            while len(inner) == 1 and isinstance(inner[0], Group) and inner[0].bracket == "(":
                inner = inner[0].parts
            return [*found[:at], *inner, *found[at + 1 :]]
    return found


def without_no_indent(parts: list[str | Group]) -> list[str | Group]:
    """XMLSERIALIZE(… NO INDENT) without these words, which 16 and later print, and which came with it."""
    for before, part in pairwise(parts):
        if before == "XMLSERIALIZE" and isinstance(part, Group) and part.parts[-2:] == ["NO", "INDENT"]:
            part.parts = part.parts[:-2]
    return parts


def without_given_names(parts: list[str | Group]) -> list[str | Group]:
    """SELECT 'x'::text AS text → SELECT 'x'::text, where nobody sees the name of the column.

    There a server leaves out the name of what had none (ruleutils.c, get_target_list), and when it reads that again it gives the name
    of the type of a cast (parse_target.c, FigureColnameInternal). Where names are seen, it prints each.
    """
    found: list[str | Group] = []
    for part in parts:
        if len(found) > 1 and found[-1] == "AS" and isinstance(part, str) and part.strip('"') in _given_names(found[:-1]):
            found.pop()
        else:
            found.append(part)
    return found


def _given_names(before: list[str | Group]) -> set[str]:
    """The names that a column may get from the end of its expression: of a cast, a truth value, a query in parentheses."""
    last = before[-1]
    if last in ("true", "false"):
        return {"bool"}  # up to 14
    if isinstance(last, Group) and last.parts[:1] == ["SELECT"]:
        target = next(_divided(last.parts))
        clauses = [at for at, part in enumerate(target) if part in ("FROM", "WHERE")]
        return _given_names(target[: clauses[0]] if clauses else target)
    words: list[str] = []
    for part in reversed(before):
        if part == "::":
            return {_INTERNAL_NAMES.get(" ".join(words), words[-1].strip('"'))} if words else set()
        if isinstance(part, str):
            if part.isupper() or not (part == "." or _NAME.match(part)):
                break  # this is no name of a type
            words.insert(0, part)
    return set()


def with_quoted_negatives(parts: list[str | Group]) -> list[str | Group]:
    """(-1) → '-1'::integer, as 9.5 and later print a negative constant (ruleutils.c, get_const_expr)."""
    found: list[str | Group] = []
    for at, part in enumerate(parts):
        number = "".join(map(str, part.parts[1:])) if isinstance(part, Group) and part.parts[:1] == ["-"] else ""
        if not isinstance(part, Group) or part.bracket != "(" or not re.fullmatch(r"\d+(\.\d+)?", number):
            found.append(part)
            continue
        quoted: list[str | Group] = [
            f"'-{number}'",
            "::",
            "numeric" if "." in number else "integer" if int(number) <= _INTEGER else "bigint",
        ]
        found += [Group("(", quoted)] if parts[at + 1 : at + 2] == ["::"] else quoted
    return found


def without_schema(schema: str) -> Rewrite:
    """Give the rewrite that takes the name of *schema*, as SQL, from before the names in it; OPERATOR(schema.=) becomes the operator."""

    def rewrite(parts: list[str | Group]) -> list[str | Group]:
        found: list[str | Group] = []
        for at, part in enumerate(parts):
            if part == "." and found and found[-1] == schema and parts[at - 2 : at - 1] != ["."]:
                found.pop()
            elif isinstance(part, Group) and found and found[-1] == "OPERATOR" and len(part.parts) == 1:
                found[-1] = part.parts[0]
            else:
                found.append(part)
        return found

    return rewrite


def differ_by_one_prefix(longer: list[str], shorter: list[str]) -> bool:
    """Whether *longer* is *shorter* with one and the same `name.` before some of its names."""
    prefix = ""
    at = 0
    for wanted in shorter:
        if longer[at : at + 1] != [wanted] or longer[at + 1 : at + 2] == ["."]:
            skipped = _prefix_before(longer, at, wanted)
            if skipped and prefix in ("", skipped):
                prefix = skipped
                at += 2
        if longer[at : at + 1] != [wanted]:
            return False
        at += 1
    return bool(prefix) and at == len(longer)


def _prefix_before(tokens: list[str], at: int, name: str) -> str:
    """The name that stands, with a dot, before *name* at that place; "" when there is none."""
    given = tokens[at : at + 3]
    return given[0] if given[1:] == [".", name] and _NAME.match(given[0]) else ""
