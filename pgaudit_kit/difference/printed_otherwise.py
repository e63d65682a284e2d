"""Which of the ways in which the same expression can be printed explain that two texts differ; each way has its reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pgaudit_kit.difference.printed_text import (
    Rewrite,
    differ_by_one_prefix,
    rewritten,
    with_bare_fetch,
    with_cast_elements,
    with_flat_conditions,
    with_quoted_negatives,
    without_given_names,
    without_no_indent,
    without_schema,
)
from pgaudit_kit.difference.sql_syntax import SINCE, as_calls
from pgaudit_kit.difference.versions import by_age, oldest, qualifies_names, straddle
from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import quote_identifier

_VIEWS = frozenset({"VIEW", "MATERIALIZED VIEW"})
_VIEWS_CHANGED = 16
_PREFIX = "PostgreSQL before 16 writes the relation's name before each column of a view of one relation"
_EXPRESSIONS = frozenset({"definition", "using", "check", "where", "default", "generated", "partition_key", "arguments"})
_NAMES = frozenset({"type", "result", "base_type", "collation", "for_type", "stype", "mstype", "subtype", "element"})
_PRINTS_NEGATIVES_QUOTED = 10  # 9.5 in fact, but a rule that finds nothing does no harm
_SQL_BODY = ("BEGIN ATOMIC", "RETURN ")
_REWRITES: Mapping[str, Rewrite] = {
    "a condition that is read again has no parentheses around its first part": with_flat_conditions,
    "an array that is cast is, when read again, one of cast elements": with_cast_elements,
    "a column that nobody sees the name of is, when read again, named by its type": without_given_names,
    "later releases print parentheses behind FETCH FIRST": with_bare_fetch,
    "PostgreSQL before 16 does not print NO INDENT": without_no_indent,
}


def printed_otherwise(difference: ObjectDifference, change: Change, left: Source, right: Source) -> str:
    """An expression or a query that another server, or the same one after it read it again, prints with other words (printed_text.py)."""
    _, (older, newer) = by_age(left, right, change)
    if older is None or newer is None or not _is_expression(difference.key, change, left, right):
        return ""
    prefix = difference.key.kind in _VIEWS and straddle(left, right, _VIEWS_CHANGED)
    rewrites = _rewrites(difference.key, left, right)
    told = _told((older, newer), rewrites, rewrites, prefix=prefix)
    if told is None:
        return ""
    needed = [reason for reason in rewrites if _told((older, newer), rewrites, rewrites.keys() - {reason}, prefix=prefix) is None]
    return "; ".join([*needed, *([told] if told else [])]) or "only the space between the words differs"


def _rewrites(key: ObjectKey, left: Source, right: Source) -> Mapping[str, Rewrite]:
    """The rewrites that may explain a difference between these two."""
    of_old: dict[str, Rewrite] = {}
    old = not (qualifies_names(left) and qualifies_names(right))
    if key.schema and old:
        of_old["pg_dump before March 2018 does not qualify what is in the schema of the object"] = without_schema(
            quote_identifier(key.schema)
        )
    if old or oldest(left, right) < _PRINTS_NEGATIVES_QUOTED:
        of_old["PostgreSQL before 9.5 prints negative numbers without quotes"] = with_quoted_negatives
    if straddle(left, right, SINCE):
        of_old["PostgreSQL before 14 prints SQL's own syntax for functions as calls"] = as_calls
    return {**of_old, **_REWRITES}


def _told(texts: tuple[str, str], known: Mapping[str, Rewrite], reasons: Collection[str], *, prefix: bool) -> str | None:
    """What is to be told besides *reasons* when both texts, the older first, are the same after those rewrites; else None."""
    rewrites = tuple(rewrite for reason, rewrite in known.items() if reason in reasons)
    older, newer = (rewritten(text, rewrites) for text in texts)
    if older == newer:
        return ""
    return _PREFIX if prefix and differ_by_one_prefix(older, newer) else None


def _is_expression(key: ObjectKey, change: Change, left: Source, right: Source) -> bool:
    if change.attribute == "body":  # an SQL body is stored as it was understood, any other as it was written
        routines = (source.inventory.by_key.get(key) for source in (left, right))
        in_sql = all(routine and routine.attributes.get("language") == "sql" for routine in routines)
        return in_sql and all((text or "").startswith(_SQL_BODY) for text in (change.left, change.right))
    name = change.attribute.rpartition(" ")[2]
    return name in _EXPRESSIONS or (name in _NAMES and not (qualifies_names(left) and qualifies_names(right)))
