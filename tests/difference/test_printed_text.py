"""What is printed otherwise and means the same is equivalent, and a real change beside it is not."""

from __future__ import annotations

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.records.difference import ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Column, DatabaseObject, ObjectKey
from pgaudit_kit.records.provenance import Provenance
from tests.fakes import FakeSource

# before, after, and `after` with something that is really another
READ_AGAIN = {
    "cast elements": (
        "CHECK (((v)::text = ANY ((ARRAY['x'::character varying, 'y,)'::character varying])::text[])))",
        "CHECK (((v)::text = ANY (ARRAY[('x'::character varying)::text, ('y,)'::character varying)::text])))",
        "CHECK (((v)::text = ANY (ARRAY[('x'::character varying)::text, ('z,)'::character varying)::text])))",
    ),
    "nested arrays": (
        "CHECK ((a = (ARRAY[ARRAY[1, 2], ARRAY[3, 4]])::numeric(10,2)[]))",
        "CHECK ((a = ARRAY[ARRAY[(1)::numeric(10,2), (2)::numeric(10,2)], ARRAY[(3)::numeric(10,2), (4)::numeric(10,2)]]))",
        "CHECK ((a = ARRAY[ARRAY[(1)::numeric(10,1), (2)::numeric(10,2)], ARRAY[(3)::numeric(10,2), (4)::numeric(10,2)]]))",
    ),
    "a type of somebody's": (
        """CHECK ((a = ANY ((ARRAY['x'::text])::"s p"."t y"[])))""",
        """CHECK ((a = ANY (ARRAY[('x'::text)::"s p"."t y"])))""",
        """CHECK ((a = ANY (ARRAY[('x'::text)::"s p"."t z"])))""",
    ),
    "flat conditions": (
        "CHECK ((((c >= 1) AND (c <= 10)) AND (((c < 4) OR (c > 3)) OR (c = 7))))",
        "CHECK (((c >= 1) AND (c <= 10) AND ((c < 4) OR (c > 3) OR (c = 7))))",
        "CHECK (((c >= 1) AND (c <= 10) AND ((c < 4) OR (c > 3) AND (c = 7))))",
    ),
    "names that nobody sees": (
        "CHECK ((b <> ( SELECT 'x'::character varying)))",
        """CHECK ((b <> ( SELECT 'x'::character varying AS "varchar")))""",
        """CHECK ((b <> ( SELECT 'x'::character varying AS b)))""",
    ),
    "the name of a truth value": (
        "CHECK ((a OR ( SELECT true)))",
        "CHECK ((a OR ( SELECT true AS bool)))",
        "CHECK ((a OR ( SELECT true AS boo)))",
    ),
    "the name of a query": (
        "CHECK ((EXISTS ( SELECT ( SELECT NULL::text FROM s.t) FROM s.u)))",
        "CHECK ((EXISTS ( SELECT ( SELECT NULL::text AS text FROM s.t) AS text FROM s.u)))",
        "CHECK ((EXISTS ( SELECT ( SELECT NULL::text AS text FROM s.t) AS txt FROM s.u)))",
    ),
    "parentheses behind FETCH FIRST": (
        "SELECT a FROM s.t FETCH FIRST 5 ROWS WITH TIES",
        "SELECT a FROM s.t FETCH FIRST (5) ROWS WITH TIES",
        "SELECT a FROM s.t FETCH FIRST (6) ROWS WITH TIES",
    ),
    "NO INDENT": (
        "SELECT XMLSERIALIZE(CONTENT x AS text)",
        "SELECT XMLSERIALIZE(CONTENT x AS text NO INDENT)",
        "SELECT XMLSERIALIZE(CONTENT x AS text INDENT)",
    ),
}
# Which rule must not reach these
NOT_THE_SAME = {
    "another order of AND and OR": ("CHECK (((a AND b) OR c))", "CHECK ((a AND b OR c))"),
    "the second part in parentheses": ("CHECK ((a AND (b OR c)))", "CHECK ((a AND b OR c))"),
    "space inside of a literal": ("CHECK ((a <> 'x  y'::text))", "CHECK ((a <> 'x y'::text))"),
    "a word in a literal": ("CHECK ((a <> 'NO INDENT'::text))", "CHECK ((a <> ''::text))"),
    "an array of another type": ("CHECK ((a = (ARRAY['x'::text])::s.t[]))", "CHECK ((a = ARRAY[('x'::text)::u.t]))"),
    "a name that is seen": ("SELECT a AS b, 'x'::text AS text", "SELECT a, 'x'::text AS text"),
    "brackets for parentheses": ("CHECK ((a[1] > 2))", "CHECK ((a(1) > 2))"),
}


def _compared(
    left: str, right: str, kind: str = "CHECK CONSTRAINT", versions: tuple[str, str] = ("17.1", "17.1"), **of: str
) -> ObjectDifference:
    attribute = of.pop("attribute", "definition")
    key = ObjectKey(kind, "s", "x", "t" if "CONSTRAINT" in kind else None)
    sides = [
        FakeSource(inventory=Inventory((DatabaseObject(key, {attribute: text, **of}),)), provenance=Provenance("x", server_version=version))
        for text, version in zip((left, right), versions, strict=True)
    ]
    (found,) = diff(*sides).object_differences
    return found


@pytest.mark.parametrize("name", READ_AGAIN)
def test_what_is_read_again_is_equivalent_and_a_change_beside_it_is_not(name: str) -> None:
    before, after, other = READ_AGAIN[name]
    for pair in ((before, after), (after, before)):
        found = _compared(*pair)
        assert found.status == "equivalent"
        assert found.reason.count(";") == 0, "one rule is enough, and no other is named"
    assert _compared(before, other).status == "changed"
    assert _compared(after, other).status == "changed"


@pytest.mark.parametrize("name", NOT_THE_SAME)
def test_what_only_looks_like_it_is_a_change(name: str) -> None:
    assert _compared(*NOT_THE_SAME[name]).status == "changed"
    assert _compared(*NOT_THE_SAME[name][::-1]).status == "changed"


def test_several_rules_at_once_are_all_named() -> None:
    left = " SELECT t.a, XMLSERIALIZE(CONTENT t.x AS text) FROM s.t WHERE (((t.a > 1) AND (t.a < 3)) AND (t.b = 1))"
    right = " SELECT a, XMLSERIALIZE(CONTENT x AS text NO INDENT) FROM s.t WHERE ((a > 1) AND (a < 3) AND (b = 1))"
    found = _compared(left, right, "VIEW", ("15.1", "16.1"))
    assert (found.status, found.reason.count(";")) == ("equivalent", 2)
    assert _compared(left, right, "VIEW", ("16.1", "17.1")).status == "changed"


def test_the_body_of_a_function_is_compared_by_its_words_only_where_the_server_prints_it() -> None:
    bodies = "BEGIN ATOMIC\n SELECT 'x'::text;\nEND", "BEGIN ATOMIC\n SELECT 'x'::text AS text;\nEND"
    assert _compared(*bodies, "FUNCTION", attribute="body", language="sql").status == "equivalent"
    assert _compared(*bodies, "FUNCTION", attribute="body", language="plpgsql").status == "changed"
    assert _compared("SELECT 1", "SELECT  1", "FUNCTION", attribute="body", language="sql").status == "changed"


def test_text_that_is_nested_very_deeply_is_compared() -> None:
    deep = "(" * 5_000 + "a" + ")" * 5_000
    assert _compared(deep, deep + " ").status == "equivalent"
    assert _compared(deep, deep.replace("a", "b")).status == "changed"


def test_columns_that_parents_have_too_are_in_the_order_of_the_parents_after_a_restore() -> None:
    def side(order: str, inherits: str = 's.p, "o p".q') -> FakeSource:
        columns = {name: Column(name, {"type": "integer"}) for name in "abcxy"}
        tables = {
            ObjectKey("TABLE", "s", "p"): ("", "ba"),
            ObjectKey("TABLE", "o p", "q"): ("", "xa"),
            ObjectKey("TABLE", "s", "child"): (inherits, order),
        }
        objects = [
            DatabaseObject(key, {"inherits": above} if above else {}, tuple(columns[name] for name in names))
            for key, (above, names) in tables.items()
        ]
        return FakeSource(inventory=Inventory(tuple(objects)), provenance=Provenance("x", server_version="17.1"))

    (found,) = diff(side("xyabc"), side("baxyc")).object_differences
    assert (found.status, [c.attribute for c in found.changes]) == ("equivalent", ["column order"])
    assert [d.status for d in diff(side("baxyc"), side("xyabc")).object_differences] == ["equivalent"]
    for left, right in ((side("xyabc"), side("baxcy")), (side("xyabc"), side("abxyc")), (side("xyabc", ""), side("baxyc", ""))):
        assert [d.status for d in diff(left, right).object_differences] == ["changed"]


def test_a_subscription_streams_in_parallel_when_a_dump_that_is_silent_about_it_is_restored_into_18() -> None:
    def side(version: str, program: str | None, streaming: str | None) -> FakeSource:
        attributes = {"streaming": streaming} if streaming else {}
        item = DatabaseObject(ObjectKey("SUBSCRIPTION", None, "s"), attributes)
        return FakeSource(inventory=Inventory((item,)), provenance=Provenance("x", server_version=version, pg_dump_version=program))

    live = side("18.1", None, "parallel")
    assert [d.status for d in diff(side("17.1", "17.1", None), live).object_differences] == ["equivalent"]
    assert [d.status for d in diff(live, side("17.1", "17.1", None)).object_differences] == ["equivalent"]
    for other in (side("17.1", "18.1", None), side("17.1", "17.1", "on"), side("18.1", "18.1", None)):
        assert [d.status for d in diff(other, live).object_differences] == ["changed"]


def test_dumps_of_before_march_2018_name_what_is_in_their_own_schema_without_it() -> None:
    def side(text: str, program: str | None, attribute: str = "definition") -> FakeSource:
        item = DatabaseObject(ObjectKey("INDEX", "s x", "i", "t"), {attribute: text})
        return FakeSource(
            inventory=Inventory((item,)), provenance=Provenance("x", server_version=program or "17.1", pg_dump_version=program)
        )

    old = "CREATE INDEX i ON t USING gin (f(a) ops, b OPERATOR(\"s x\".+) (-1), ((-2.5))::real) WHERE (c <> 's x.y'::text)"
    live = "CREATE INDEX i ON t USING gin (\"s x\".f(a) \"s x\".ops, b + '-1'::integer, ('-2.5'::numeric)::real) WHERE (c <> 's x.y'::text)"
    (found,) = diff(side(old, "9.4.16"), side(live, None)).object_differences
    assert (found.status, found.reason.count(";")) == ("equivalent", 1)
    for text, program in (
        (live.replace('"s x".ops', "other.ops"), "9.4.16"),
        (live.replace("-1", "-2"), "9.4.16"),
        (live, "9.6.8"),
        (live, "10.3"),
    ):
        assert [d.status for d in diff(side(old, program), side(text, None)).object_differences] == ["changed"]
    for program, status in (
        ("10.2", "equivalent"),
        ("9.6.7", "equivalent"),
        ("9.2.24", "equivalent"),
        ("10.3", "changed"),
        ("11.1", "changed"),
    ):
        pair = side("hstore[]", program, "type"), side('"s x".hstore[]', None, "type")
        assert [d.status for d in diff(*pair).object_differences] == [status], program


SYNTAX = {
    "EXTRACT(year FROM (d + 1))": "date_part('year'::text, (d + 1))",
    "TRIM(BOTH FROM b)": "btrim(b)",
    "TRIM(LEADING 'x'::text FROM b)": "ltrim(b, 'x'::text)",
    "SUBSTRING(b FROM 2 FOR 3)": '"substring"(b, 2, 3)',
    "OVERLAY(b PLACING 'x'::text FROM 2)": """"overlay"(b, 'x'::text, 2)""",
    "POSITION(('x'::text) IN (b))": """"position"(b, 'x'::text)""",
    "NORMALIZE(b, NFD)": """"normalize"(b, 'NFD'::text)""",
    "COLLATION FOR (b)": "pg_collation_for(b)",
    "lower((tz AT TIME ZONE 'UTC'::text))": "lower(timezone('UTC'::text, tz))",
    "(b IS NFC NORMALIZED)": "is_normalized(b, 'NFC'::text)",
    "(SUBSTRING(TRIM(BOTH FROM b) FROM 2) = 'x'::text)": """("substring"(btrim(b), 2) = 'x'::text)""",
}


@pytest.mark.parametrize("syntax", SYNTAX)
def test_what_14_prints_in_sql_syntax_is_the_call_that_older_servers_print(syntax: str) -> None:
    call = SYNTAX[syntax]
    for pair, versions in (((call, syntax), ("13.1", "14.1")), ((syntax, call), ("18.1", "13.1"))):
        found = _compared(*pair, versions=versions)
        assert (found.status, found.reason.count(";")) == ("equivalent", 0)
        assert _compared(*pair, versions=("14.1", "18.1")).status == "changed"
    for wrong in {call.replace("b", "c"), call.replace("d", "c"), call.replace("tz", "ts")} - {call}:
        assert _compared(wrong, syntax, versions=("13.1", "14.1")).status == "changed"


def test_functions_of_old_dumps_are_found_under_their_qualified_names() -> None:
    def side(of: str, program: str | None, body: str = "SELECT 1") -> FakeSource:
        attributes = {"arguments": f"a {of}hstore, b text", "result": f"{of}mood", "body": body}
        item = DatabaseObject(ObjectKey("FUNCTION", "s", f"f(a {of}hstore, b text)"), attributes)
        return FakeSource(
            inventory=Inventory((item,)), provenance=Provenance("x", server_version=program or "17.1", pg_dump_version=program)
        )

    assert [d.status for d in diff(side("", "9.6.7"), side("s.", None)).object_differences] == ["equivalent"]
    (found,) = diff(side("", "9.6.7"), side("s.", None, "SELECT 2")).object_differences
    assert (found.status, [c.attribute for c in found.changes]) == ("changed", ["body"])
    assert [d.status for d in diff(side("", "9.6.8"), side("s.", None)).object_differences] == ["only_left", "only_right"]
    assert [d.status for d in diff(side("", "9.6.7"), side("u.", None)).object_differences] == ["only_left", "only_right"]
