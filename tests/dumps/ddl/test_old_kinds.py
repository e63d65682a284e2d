"""Objects that no table holds, in the words of older releases: pg_dump 9.0 to 10, names unqualified, some things left to be concluded.

Texts are those that dumpAgg, dumpOpr, dumpOpclass and their neighbours of 9.4 print (PGDUMP_FORMATS.md 5.3, 6.2).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.toc import TocEntry
from tests.dumps.ddl.pieces import inventory_of, inventory_of_statements

BEFORE_2018 = """
SET search_path = app, pg_catalog;

CREATE TYPE box3;
CREATE FUNCTION box3_in(cstring) RETURNS box3 LANGUAGE internal AS $$point_in$$;
CREATE FUNCTION box3_out(box3) RETURNS cstring LANGUAGE internal AS $$point_out$$;
CREATE TYPE box3 (
    INTERNALLENGTH = variable,
    INPUT = box3_in,
    OUTPUT = box3_out,
    RECEIVE = public.box3_recv,
    ALIGNMENT = double,
    STORAGE = main
);
CREATE FUNCTION lt(box3, box3) RETURNS boolean LANGUAGE sql AS $$SELECT true$$;
CREATE FUNCTION cmp(box3, box3) RETURNS integer LANGUAGE sql AS $$SELECT 1$$;
CREATE AGGREGATE smallest(box3) (
    SFUNC = least3,
    STYPE = box3,
    FINALFUNC = lt,
    SORTOP = <
);
CREATE AGGREGATE total(integer) (
    SFUNC = int4pl,
    STYPE = integer,
    SORTOP = OPERATOR(other.>)
);
CREATE OPERATOR < (
    PROCEDURE = lt,
    LEFTARG = box3,
    RIGHTARG = box3,
    COMMUTATOR = >,
    NEGATOR = OPERATOR(other.>=),
    RESTRICT = scalarltsel
);
CREATE AGGREGATE largest(box3) (
    SFUNC = int4pl,
    STYPE = box3,
    SORTOP = <
);
CREATE OPERATOR CLASS box3_ops
    DEFAULT FOR TYPE box3 USING btree AS
    STORAGE integer ,
    OPERATOR 1 <(box3,box3) ,
    OPERATOR 2 <=(integer,integer) FOR ORDER BY near ,
    FUNCTION 1 (box3, box3) cmp(box3,box3) ,
    FUNCTION 2 btint4cmp(integer,integer);
CREATE OPERATOR CLASS more_ops
    FOR TYPE box3 USING btree FAMILY box3_ops AS
    OPERATOR 1 <(box3,box3);
COMMENT ON OPERATOR CLASS box3_ops USING btree IS 'class';
COMMENT ON OPERATOR < (box3, box3) IS 'less';
CREATE COLLATION c (lc_collate = 'de_DE', lc_ctype = 'de_DE');
CREATE COLLATION two (lc_collate = 'C', lc_ctype = 'de_DE');
CREATE TEXT SEARCH PARSER prs (
    START = own_start,
    GETTOKEN = prsd_nexttoken,
    END = prsd_end,
    LEXTYPES = prsd_lextype );
CREATE TEXT SEARCH DICTIONARY dict (
    TEMPLATE = pg_catalog.simple,
    stopwords = 'a, b )', accept = 'x;y' );
CREATE TEXT SEARCH CONFIGURATION conf (
    PARSER = prs );
ALTER TEXT SEARCH CONFIGURATION conf
    ADD MAPPING FOR word WITH dict, simple;
ALTER TEXT SEARCH CONFIGURATION conf
    ADD MAPPING FOR "float" WITH other.dict;
CREATE EVENT TRIGGER e ON sql_drop
         WHEN TAG IN ('DROP TABLE', 'it''s')
   EXECUTE PROCEDURE lt();
CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM cmp;
CREATE CAST (app.box3 AS integer) WITH FUNCTION app.cmp(app.box3, integer, boolean) AS ASSIGNMENT;
CREATE PROCEDURAL LANGUAGE pl HANDLER lt VALIDATOR public.check_it;
ALTER PROCEDURAL LANGUAGE pl OWNER TO bob;
COMMENT ON LANGUAGE pl IS 'own';
CREATE OR REPLACE PROCEDURAL LANGUAGE plpgsql;
ALTER PROCEDURAL LANGUAGE plpgsql OWNER TO postgres;
"""

SAID = {
    "AGGREGATE app.largest(box3)": {"sfunc": "int4pl", "stype": "box3", "sortop": "OPERATOR(app.<)"},
    "AGGREGATE app.smallest(box3)": {"sfunc": "least3", "stype": "box3", "finalfunc": "app.lt", "sortop": "OPERATOR(pg_catalog.<)"},
    "AGGREGATE app.total(integer)": {"sfunc": "int4pl", "stype": "integer", "sortop": "OPERATOR(other.>)"},
    "CAST CAST (app.box3 AS integer)": {"method": "WITH FUNCTION app.cmp(app.box3, integer, boolean)", "context": "ASSIGNMENT"},
    "COLLATION app.c": {"provider": "libc", "locale": "'de_DE'"},
    "COLLATION app.two": {"provider": "libc", "lc_collate": "'C'", "lc_ctype": "'de_DE'"},
    "CONVERSION app.conv": {"for_encoding": "LATIN1", "to_encoding": "UTF8", "function": "app.cmp"},
    "EVENT TRIGGER e": {"event": "sql_drop", "tags": "'DROP TABLE', 'it''s'", "function": "app.lt"},
    "OPERATOR CLASS app.box3_ops USING btree": {
        "default": "true",
        "for_type": "box3",
        "family": "app.box3_ops",
        "storage": "integer",
        "operators": "1 app.<(box3,box3)\n2 <=(integer,integer) FOR ORDER BY app.near",
        "functions": "1 (box3, box3) app.cmp(box3,box3)\n2 btint4cmp(integer,integer)",
        "comment": "class",
    },
    "OPERATOR CLASS app.more_ops USING btree": {"for_type": "box3", "family": "app.box3_ops", "operators": "1 app.<(box3,box3)"},
    "OPERATOR FAMILY app.box3_ops USING btree": {},
    "OPERATOR app.< (box3, box3)": {
        "function": "app.lt",
        "commutator": "OPERATOR(app.>)",
        "negator": "OPERATOR(other.>=)",
        "restrict": "scalarltsel",
        "comment": "less",
    },
    "PROCEDURAL LANGUAGE pl": {"handler": "app.lt", "validator": "public.check_it", "owner": "bob", "comment": "own"},
    "TEXT SEARCH CONFIGURATION app.conf": {"parser": "app.prs", "mappings": "float: other.dict\nword: app.dict, simple"},
    "TEXT SEARCH DICTIONARY app.dict": {"template": "pg_catalog.simple", "options": "stopwords = 'a, b )', accept = 'x;y'"},
    "TEXT SEARCH PARSER app.prs": {"start": "own_start", "gettoken": "prsd_nexttoken", "end": "prsd_end", "lextypes": "prsd_lextype"},
    "TYPE app.box3": {
        "form": "base",
        "internallength": "variable",
        "input": "app.box3_in",
        "output": "app.box3_out",
        "receive": "public.box3_recv",
        "alignment": "double",
        "storage": "main",
    },
}


def test_before_2018_bare_names_are_of_the_search_path_or_built_in() -> None:
    inventory = inventory_of(BEFORE_2018)
    assert {str(o.key): dict(o.attributes) for o in inventory.objects if o.key.kind != "FUNCTION"} == SAID
    assert {(u.kind, u.name) for u in inventory.unmodelled} == {("PROCEDURAL LANGUAGE", "plpgsql")}


def test_since_2018_a_bare_name_is_built_in_whatever_the_schema_has() -> None:
    inventory = inventory_of_statements(
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "CREATE FUNCTION app.int4pl(integer, integer) RETURNS integer LANGUAGE sql AS $$SELECT 1$$;",
        "CREATE AGGREGATE app.total(integer) (\n    SFUNC = int4pl,\n    STYPE = integer\n);",
        entry=TocEntry("AGGREGATE", "total(integer)", "app", "bob", dump_id=4, definition="…"),
    )
    (total,) = inventory.of_kind("AGGREGATE")
    assert total.attributes == {"owner": "bob", "sfunc": "int4pl", "stype": "integer"}


def test_operators_that_share_a_tag_are_objects_of_their_own() -> None:
    entry = TocEntry("OPERATOR", "===", "app", "bob")
    inventory = inventory_of_statements(
        "CREATE OPERATOR app.=== (\n    FUNCTION = f,\n    LEFTARG = integer,\n    RIGHTARG = text\n);",
        "CREATE OPERATOR app.=== (\n    FUNCTION = f,\n    LEFTARG = bigint\n);",  # up to 13
        "CREATE OPERATOR app.=== (\n    FUNCTION = f,\n    RIGHTARG = bigint\n);",
        "CREATE OPERATOR class.=== (\n    FUNCTION = f,\n    RIGHTARG = bigint\n);",
        "ALTER OPERATOR app.=== (bigint, NONE) OWNER TO ann;",
        "ALTER OPERATOR class.=== (NONE, bigint) OWNER TO ann;",
        entry=entry,
    )
    assert [(str(o.key), o.attributes["owner"]) for o in inventory.objects] == [
        ("OPERATOR app.=== (NONE, bigint)", "bob"),
        ("OPERATOR app.=== (bigint, NONE)", "ann"),
        ("OPERATOR app.=== (integer, text)", "bob"),
        ("OPERATOR class.=== (NONE, bigint)", "ann"),
    ]


def test_a_collation_of_icu_has_its_rules() -> None:
    rules = "CREATE COLLATION app.c (provider = icu, deterministic = false, locale = 'und', rules = '&V << w <<< W, \\ '', ;');"
    (collation,) = inventory_of_statements(rules).objects
    assert collation.attributes == {
        "provider": "icu", "deterministic": "false", "locale": "'und'", "rules": "'&V << w <<< W, \\ '', ;'",
    }  # fmt: skip


def test_a_default_of_a_view_that_was_dumped_as_a_table_is_kept() -> None:
    inventory = inventory_of_statements(
        "CREATE TABLE app.v (\n    id integer\n);",
        "ALTER TABLE ONLY app.v ALTER COLUMN id SET DEFAULT 3;",
        'CREATE RULE "_RETURN" AS ON SELECT TO app.v DO INSTEAD SELECT 1 AS id;',
    )
    (view,) = inventory.objects
    assert (view.key.kind, view.attributes["column id default"]) == ("VIEW", "3")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE AGGREGATE app.a(integer) (SFUNC = f, STYPE = integer, SHINY = true);",
        "CREATE OPERATOR app.+ (FUNCTION = f, LEFTARG = );",
        "CREATE OPERATOR CLASS app.c FOR TYPE integer USING btree AS OPERATOR 1 <(integer,integer) FOR SEARCH NOW;",
        "CREATE OPERATOR CLASS app.c FOR TYPE integer USING btree AS MEMBER 1;",
        "CREATE OPERATOR CLASS app.c FOR TYPE integer USING btree AS FUNCTION 1.5 f(integer);",
        "CREATE TYPE app.r AS RANGE (subtype = text, shiny = true);",
        "CREATE TYPE app.r AS SOMETHING (subtype = text);",
        "CREATE TYPE app.b (INPUT = f, SUBTYPE = text);",
        "CREATE COLLATION app.c FROM pg_catalog.default;",
        "CREATE TEXT SEARCH THESAURUS app.t (A = b);",
        "CREATE TEXT SEARCH DICTIONARY app.t (LANGUAGE = x);",
        "CREATE TRANSFORM FOR integer LANGUAGE sql (SIDE SQL WITH FUNCTION f(internal));",
        "CREATE EVENT TRIGGER e ON login WHEN TAG IN ('A') AND TAG IN ('B') EXECUTE FUNCTION f();",
        "CREATE ACCESS METHOD m TYPE SEQUENCE HANDLER h VERSION 2;",
    ],
)
def test_what_a_newer_release_may_add_is_named_with_its_text_and_never_dropped(sql: str) -> None:
    inventory = inventory_of_statements(sql)
    assert inventory.objects == ()
    (unmodelled,) = inventory.unmodelled
    assert (unmodelled.definition, unmodelled.reason) == (sql, "this statement could not be understood")


@given(st.data())
def test_nothing_that_is_cut_or_changed_raises(data: st.DataObject) -> None:
    statement = data.draw(st.sampled_from([s for s in BEFORE_2018.split(";\n") if s.strip()]))
    start, end = sorted((data.draw(st.integers(0, len(statement))), data.draw(st.integers(0, len(statement)))))
    junk = data.draw(st.sampled_from(["", "(", ")", ",", "'", '"', "=", ".", ";", " USING ", "CLASS", "--", "\0", "é"]))
    inventory_of_statements(statement[:start] + junk + statement[end:])
    inventory_of_statements(statement[start:end] + junk)


def test_real_dumps_hold_modelled_aggregates_operators_and_text_search(corpus: Path) -> None:
    def said(file: str, kind: str, schema: str, name: str) -> dict[str, str | None]:
        return dict(read_dump(corpus / file).inventory.by_key[ObjectKey(kind, schema, name)].attributes)

    concatenated = {"sfunc": "public._group_concat", "stype": "text"}
    assert said("plain/pagila-data.sql", "AGGREGATE", "public", "group_concat(text)").items() >= concatenated.items()
    assert said("archives/dvdrental-pg11.tar", "AGGREGATE", "public", "group_concat(text)").items() >= concatenated.items()
    for file in ("plain/danbooru-2016-pg9.4.sql", "plain/danbooru-2018-pg9.6.sql"):
        assert said(file, "TEXT SEARCH CONFIGURATION", "public", "danbooru") == {"parser": "public.testparser", "mappings": "word: simple"}
        assert said(file, "TEXT SEARCH PARSER", "public", "testparser")["gettoken"] == "public.testprs_getlexeme"
    (operator,) = read_dump(corpus / "plain" / "danbooru-2026-03-23.sql").inventory.of_kind("OPERATOR")
    assert operator.attributes["function"]
    settings = {
        (o.key.name, name, value)
        for o in read_dump(corpus / "plain" / "danbooru-2026-03-23.sql").inventory.of_kind("TABLE", "INDEX")
        for attributes in (o.attributes, *({f"{c.name} {k}": v for k, v in c.attributes.items()} for c in o.columns))
        for name, value in attributes.items()
        if name.endswith(" statistics")
    }
    assert settings  # ALTER TABLE … SET STATISTICS of a column, ALTER INDEX … of an index' expression
