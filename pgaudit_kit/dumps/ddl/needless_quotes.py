"""Dumps whose every identifier is quoted (pg_dump --quote-all-identifiers, or that setting of the database) say it as others do."""

from __future__ import annotations

import re

# The keywords that quote_identifier (ruleutils.c) quotes: all but the unreserved ones (pg_get_keywords() of 15 and 18).
# Not json, which is one from 16 on: there the type is printed bare all the same (format_type.c).
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char
    character check coalesce collate collation column concurrently constraint create cross current_catalog current_date
    current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else
    end except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in
    initially inner inout int integer intersect interval into is isnull join json_array json_arrayagg json_exists json_object
    json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left like limit localtime
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order out
    outer overlaps overlay placing position precision primary real references returning right row select session_user setof
    similar smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union
    unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists
    xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """,
    )
)
_BARE = re.compile(r"[a-z_][a-z0-9_]*")
_QUALIFIED = re.compile(r'(?:"([a-z_][a-z0-9_]*+)"\."|\ACREATE SCHEMA "([a-z_][a-z0-9_]*+)")')
# With the setting alone, pg_dump leaves its own names bare, and what the server prints is quoted: types first of all
_BUILT_IN = re.compile(r'(?:::|[\w"] )"(?:text|date|bytea|jsonb|uuid|name|oid|money|inet|tsvector|regclass|void|trigger|btree)"')
_PARTS = re.compile(
    r"(?P<escaped>(?<![A-Za-z0-9_$])[eE]'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+')"
    r"|(?<![A-Za-z0-9_$])\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*+|/\*.*?\*/"
    r"|(?P<option>(?<=[a-z_\"]=)'[a-z_][a-z0-9_]*+')"  # WITH (autovacuum_enabled='off'): dumputils.c, appendReloptionsArray
    r"|(?P<relation>'[^']*+(?:''[^']*+)*+'(?=::\"?regclass\"?))"
    r"|'[^']*+(?:''[^']*+)*+'|(?P<name>\"[^\"]*+(?:\"\"[^\"]*+)*+\")",
    re.DOTALL,
)
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"')


def quotes_all(sql: str) -> bool:
    """Whether a schema or a built-in type is quoted in *sql* that would not have to be: what a dump that quotes all has early on."""
    return bool(_BUILT_IN.search(sql)) or any((word or alone) not in _KEYWORDS for word, alone in _QUALIFIED.findall(sql))


def without_needless_quotes(sql: str) -> str:
    """Return *sql* with identifiers bare that PostgreSQL prints bare by default; string literals and bodies stay as they are."""
    return _PARTS.sub(_bare, sql) if '"' in sql else sql


def _bare(part: re.Match[str]) -> str:
    if part["relation"]:
        return _QUOTED.sub(_unquoted, part[0])
    return _unquoted(part) if part["name"] or part["option"] else part[0]


def _unquoted(part: re.Match[str]) -> str:
    inner = part[0][1:-1]
    return inner if _BARE.fullmatch(inner) and inner not in _KEYWORDS else part[0]
