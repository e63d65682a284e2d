"""What is not modelled: under which kind and name it is kept."""

from __future__ import annotations

import re

from pgaudit_kit.dumps.ddl.drafts import Book, Statement, without_secrets
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood

# Kinds as pg_dump names them in its table of contents, where SQL says it with other words
_KINDS = {"DEFAULT PRIVILEGES": "DEFAULT ACL", "LARGE OBJECT": "BLOB", "LANGUAGE": "PROCEDURAL LANGUAGE", "USER": "ROLE", "GROUP": "ROLE"}
_KIND = re.compile(
    r"(?:CREATE|ALTER)\s+(?:(?:OR\s+REPLACE|TRUSTED|DEFAULT(?!\s+PRIVILEGES)|UNIQUE|UNLOGGED|CONSTRAINT)\s+)*"
    r"(TEXT\s+SEARCH\s+\w+|OPERATOR\s+(?:CLASS|FAMILY)|FOREIGN\s+DATA\s+WRAPPER|FOREIGN\s+TABLE|MATERIALIZED\s+VIEW|EVENT\s+TRIGGER"
    r"|USER\s+MAPPING|DEFAULT\s+PRIVILEGES|ACCESS\s+METHOD|PROCEDURAL\s+LANGUAGE|LARGE\s+OBJECT|\w+)\s*(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?",
    re.IGNORECASE,
)
_ON = {"GRANT": "ACL", "REVOKE": "ACL", "COMMENT": "COMMENT", "SECURITY": "SECURITY LABEL"}
_TARGET = re.compile(r"\bON\s+(.*?)\s+(?:TO|FROM|IS)\s", re.DOTALL | re.IGNORECASE)
_NAMED_BY_TEXT = frozenset({"CAST", "TRANSFORM", "USER MAPPING", "OPERATOR", "DEFAULT ACL"})
_LONGEST_NAME = 80


def put_aside(statement: Statement, book: Book, reason: str) -> None:
    """Keep *statement* as unmodelled, under the kind and name of its entry, or without one as its own words say."""
    entry = statement.entry
    kind, schema, name = (entry.desc, entry.schema, entry.tag) if entry else _described(statement)
    book.put_aside(statement, reason, kind=kind, schema=schema, name=name, own=statement.sql[:6].upper() == "CREATE")


def _described(statement: Statement) -> tuple[str, str | None, str]:
    sql = statement.sql
    first = sql.split(None, 1)[0].upper()
    if first in _ON:
        target = _TARGET.search(sql)
        return (_ON[first], None, _shortened(target[1] if target else sql))
    found = _KIND.match(sql)
    if found is None:
        return (first, None, _shortened(sql))
    words = " ".join(found[1].upper().split())
    kind = _KINDS.get(words, words)
    rest = without_secrets(kind, sql[found.end() :])
    if kind not in _NAMED_BY_TEXT:
        try:
            name = Cursor(rest).name()
        except NotUnderstood:
            return (kind, None, _shortened(rest))
        return (kind, name.schema, name.name)
    return (kind, None, _shortened(rest))


def _shortened(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_NAME]
