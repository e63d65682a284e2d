"""As test_mutations, for the objects that no table holds: every attribute of every kind, changed alone, is named, and nothing else is.

A change is made in a transaction that is rolled back, and the catalog is read inside it, so hundreds of changes take seconds. Where SQL
has no way to change an attribute alone, the catalog is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pgaudit_kit.difference.objects import compare_objects
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.server.catalog import read_inventory
from tests.conftest import Score, missing
from tests.postgres_versions import installation

MAJORS = (15, 18)
DATABASE = "mutations_of_kinds"
OWNER = "owner_of_kinds"
GONE, NEW = "only_left", "only_right"

# the object, as SQL names it → as its key is printed
OBJECTS = {
    "AGGREGATE kinds.agg1(integer)": "AGGREGATE kinds.agg1(n integer)",
    "AGGREGATE kinds.agg0(*)": "AGGREGATE kinds.agg0(*)",
    "AGGREGATE kinds.pct(double precision ORDER BY anyelement)": "AGGREGATE kinds.pct(double precision ORDER BY anyelement)",
    "OPERATOR kinds.<<< (text, integer)": "OPERATOR kinds.<<< (text, integer)",
    "OPERATOR kinds.@#@ (NONE, text)": "OPERATOR kinds.@#@ (NONE, text)",
    "OPERATOR CLASS kinds.clsf USING btree": "OPERATOR CLASS kinds.clsf USING btree",
    "OPERATOR FAMILY kinds.fam USING btree": "OPERATOR FAMILY kinds.fam USING btree",
    'OPERATOR FAMILY kinds.fam USING "Bt"': "OPERATOR FAMILY kinds.fam USING Bt",
    "COLLATION kinds.coll": "COLLATION kinds.coll",
    "CONVERSION kinds.conv": "CONVERSION kinds.conv",
    'LANGUAGE "My lang2"': "PROCEDURAL LANGUAGE My lang2",
    "TEXT SEARCH DICTIONARY kinds.dict": "TEXT SEARCH DICTIONARY kinds.dict",
    "TEXT SEARCH CONFIGURATION kinds.conf": "TEXT SEARCH CONFIGURATION kinds.conf",
    "STATISTICS kinds.st": "STATISTICS kinds.st",
    'EVENT TRIGGER "On end"': "EVENT TRIGGER On end",
    "TYPE kinds.base": "TYPE kinds.base",
    "TYPE kinds.span": "TYPE kinds.span",
}
OBJECTS_WITHOUT_OWNER = {
    "CAST (text AS kinds.mood)": "CAST CAST (text AS kinds.mood)",
    "TRANSFORM FOR kinds.pair LANGUAGE plpgsql": "TRANSFORM TRANSFORM FOR kinds.pair LANGUAGE plpgsql",
    "ACCESS METHOD heap_too": "ACCESS METHOD heap_too",
    "TEXT SEARCH PARSER kinds.prs": "TEXT SEARCH PARSER kinds.prs",
    "TEXT SEARCH TEMPLATE kinds.tmpl": "TEXT SEARCH TEMPLATE kinds.tmpl",
    "TYPE kinds.shell": "TYPE kinds.shell",
}

_AGGREGATE = {
    "SFUNC": "kinds.sf", "STYPE": "integer", "SSPACE": "8", "FINALFUNC": "kinds.ff", "FINALFUNC_MODIFY": "shareable",
    "COMBINEFUNC": "kinds.sf",
    "INITCOND": "' 7'", "MSFUNC": "kinds.sf", "MINVFUNC": "kinds.sf", "MSTYPE": "integer", "MSSPACE": "9", "MFINALFUNC": "kinds.ff",
    "MFINALFUNC_MODIFY": "read_write", "MINITCOND": "'1'", "SORTOP": ">", "PARALLEL": "safe",
}  # fmt: skip
_OPERATOR = {
    "LEFTARG": "integer", "RIGHTARG": "integer", "FUNCTION": "kinds.lt", "COMMUTATOR": "OPERATOR(kinds.%%%)",
    "NEGATOR": "OPERATOR(kinds.%%>)",
    "RESTRICT": "eqsel", "JOIN": "eqjoinsel", "HASHES": "true", "MERGES": "true",
}  # fmt: skip
_PARSER = {"START": "prsd_start", "GETTOKEN": "prsd_nexttoken", "END": "prsd_end", "LEXTYPES": "prsd_lextype"}


def _options(before: Mapping[str, str], changed: Mapping[str, str]) -> str:
    return "(" + ", ".join(f"{name} = {value}" for name, value in {**before, **changed}.items() if value) + ")"


def _remade(kind: str, name: str, before: Mapping[str, str], *, drop: str = "", **changed: str) -> str:
    return f"DROP {kind} {drop or name}; CREATE {kind} {name} {_options(before, changed)}"


def _aggregates() -> Iterator[tuple[str, str, str]]:
    for name, value in {
        "SFUNC": "kinds.other_sf", "STYPE": "bigint", "SSPACE": "9", "FINALFUNC": "kinds.other_ff", "FINALFUNC_MODIFY": "",
        "COMBINEFUNC": "",
        "INITCOND": "'8'", "MSFUNC": "kinds.other_sf", "MINVFUNC": "kinds.other_sf", "MSTYPE": "bigint", "MSSPACE": "", "MFINALFUNC":
        "kinds.other_ff", "MFINALFUNC_MODIFY": "shareable", "MINITCOND": "", "SORTOP": "<", "PARALLEL": "",
    }.items():  # fmt: skip
        sql = f"CREATE OR REPLACE AGGREGATE kinds.agg1(n integer) {_options(_AGGREGATE, {name: value})}"
        yield sql, "AGGREGATE kinds.agg1(n integer)", name.lower()
    flags = {
        "SFUNC": "kinds.sf", "STYPE": "integer", "FINALFUNC": "kinds.ff2", "FINALFUNC_EXTRA": "true", "MSFUNC": "kinds.sf",
        "MINVFUNC": "kinds.sf", "MSTYPE": "integer", "MFINALFUNC": "kinds.ff2", "MFINALFUNC_EXTRA": "true", "PARALLEL": "restricted",
    }  # fmt: skip
    for name in ("FINALFUNC_EXTRA", "MFINALFUNC_EXTRA"):
        yield (
            f"CREATE OR REPLACE AGGREGATE kinds.agg2(integer) {_options(flags, {name: ''})}",
            "AGGREGATE kinds.agg2(integer)",
            name.lower(),
        )
    for name in ("serial", "deserial"):
        sql = f"UPDATE pg_aggregate SET agg{name}fn = 'int8_avg_{name}ize' WHERE aggfnoid = 'kinds.aggser(numeric)'::regprocedure"
        yield sql, "AGGREGATE kinds.aggser(numeric)", f"{name}func"
    rank = 'kinds.rnk(VARIADIC "any" ORDER BY VARIADIC "any")'
    sql = f"DROP AGGREGATE {rank}; CREATE AGGREGATE {rank} (SFUNC = ordered_set_transition_multi, STYPE = internal, "
    yield f"{sql} FINALFUNC = rank_final, FINALFUNC_EXTRA)", f"AGGREGATE {rank}", "hypothetical"


def _operators() -> Iterator[tuple[str, str, str]]:
    for name, value in {
        "FUNCTION": "int4lt",
        "COMMUTATOR": "OPERATOR(kinds.%%<)", "NEGATOR": "", "RESTRICT": "neqsel", "JOIN": "", "HASHES": "", "MERGES": "",
    }.items():  # fmt: skip
        sql = _remade("OPERATOR", "kinds.%%%", _OPERATOR, drop="kinds.%%% (integer, integer)", **{name: value})
        yield sql, "OPERATOR kinds.%%% (integer, integer)", name.lower()
    hashed = "OPERATOR CLASS kinds.cls USING hash"
    made = "DROP OPERATOR FAMILY kinds.cls USING hash CASCADE; CREATE OPERATOR CLASS kinds.cls FOR TYPE integer USING hash AS"
    yield f"{made} FUNCTION 1 hashint4(integer), OPERATOR 1 kinds.===(integer, integer)", hashed, "operators"
    yield f"{made} FUNCTION 1 kinds.hashed(integer), OPERATOR 1 =", hashed, "functions"
    yield "UPDATE pg_opclass SET opckeytype = 0 WHERE opcname = 'gi'", "OPERATOR CLASS kinds.gi USING gin", "storage"
    pairs = "OPERATOR CLASS kinds.pair_ops USING btree"
    yield "UPDATE pg_opclass SET opcdefault = true WHERE opcname = 'pair_ops'", pairs, "default"
    yield "UPDATE pg_opclass SET opcintype = 'text'::regtype WHERE opcname = 'cls'", "OPERATOR CLASS kinds.cls USING hash", "for_type"
    family = f"DROP {pairs}; CREATE OPERATOR CLASS kinds.pair_ops FOR TYPE kinds.pair USING btree FAMILY kinds.fam AS STORAGE kinds.pair"
    yield family, pairs, "family"
    loose = "OPERATOR FAMILY kinds.fam USING btree"
    yield f"ALTER {loose} ADD OPERATOR 3 =(integer, bigint)", loose, "operators"
    yield f"ALTER {loose} ADD OPERATOR 1 <(bigint, integer)", loose, "operators"
    yield f"ALTER {loose} DROP FUNCTION 1 (integer, bigint)", loose, "functions"
    near = "OPERATOR FAMILY kinds.near USING gist"
    ordered = f"ALTER {near} DROP OPERATOR 15 (point, point); ALTER {near} ADD OPERATOR 15 <->(point, point) FOR ORDER BY"
    yield f"{ordered} float_ops", near, "operators"


def _types() -> Iterator[tuple[str, str, str]]:
    for attribute, change in {
        "internallength": "typlen = 9", "input": "typinput = 'textin'", "output": "typoutput = 'textout'", "receive": "typreceive = 0",
        "send": "typsend = 0", "typmod_in": "typmodin = 0", "typmod_out": "typmodout = 0", "analyze": "typanalyze = 0",
        "collatable": "typcollation = 0", "default": "typdefault = 'its'", "category": "typcategory = 'U'",
        "preferred": "typispreferred = false", "delimiter": "typdelim = ','", "alignment": "typalign = 'd'", "storage": "typstorage = 'm'",
        "passedbyvalue": "typbyval = true", "subscript": "typsubscript = 'raw_array_subscript_handler'", "element": "typelem = 25",
    }.items():  # fmt: skip
        yield f"UPDATE pg_type SET {change} WHERE typname = 'base'", "TYPE kinds.base", attribute
    for attribute, change in {
        "subtype": "rngsubtype = 'varchar'::regtype", "subtype_opclass": "rngsubopc = (SELECT oid FROM pg_opclass WHERE opcname = "
        "'text_ops' AND opcmethod = 403)", "collation": "rngcollation = 100", "canonical": "rngcanonical = 'int4range_canonical'",
        "subtype_diff": "rngsubdiff = 'float8mi'",
    }.items():  # fmt: skip
        yield f"UPDATE pg_range SET {change} WHERE rngtypid = 'kinds.tspan'::regtype", "TYPE kinds.tspan", attribute
    yield "UPDATE pg_range SET rngcanonical = 0 WHERE rngtypid = 'kinds.steps'::regtype", "TYPE kinds.steps", "canonical"
    yield "ALTER TYPE kinds.span_multirange RENAME TO spans", "TYPE kinds.span", "multirange_type_name"
    yield "ALTER TYPE kinds.span_multirange SET SCHEMA public", "TYPE kinds.span", "multirange_type_name"
    yield "CREATE TYPE kinds.another", "TYPE kinds.another", NEW
    yield "DROP TYPE kinds.shell", "TYPE kinds.shell", GONE
    yield "DROP TYPE kinds.shell; CREATE TYPE kinds.shell AS ENUM ()", "TYPE kinds.shell", "comment, form"


def _conversions() -> Iterator[tuple[str, str, str]]:
    text_to_mood = "CAST CAST (text AS kinds.mood)"
    yield "DROP CAST (text AS kinds.mood); CREATE CAST (text AS kinds.mood) WITH INOUT AS IMPLICIT", text_to_mood, "comment, context"
    yield "UPDATE pg_cast SET castmethod = 'b' WHERE castmethod = 'i' AND oid >= 16384", text_to_mood, "method"
    from_number = "DROP CAST (integer AS kinds.mood); CREATE CAST (integer AS kinds.mood) WITH INOUT AS IMPLICIT"
    yield from_number, "CAST CAST (integer AS kinds.mood)", "method"
    yield "CREATE CAST (kinds.mood AS integer) WITH INOUT", "CAST CAST (kinds.mood AS integer)", NEW
    yield "DROP CAST (kinds.base AS text)", "CAST CAST (kinds.base AS text)", GONE
    own = "CREATE OR REPLACE TRANSFORM FOR kinds.pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION kinds.from_sql2(internal))"
    yield own, "TRANSFORM TRANSFORM FOR kinds.pair LANGUAGE plpgsql", "from_sql"
    both = 'CREATE OR REPLACE TRANSFORM FOR integer LANGUAGE "My lang2" (FROM SQL WITH FUNCTION prsd_lextype(internal), '
    numbers = 'TRANSFORM TRANSFORM FOR integer LANGUAGE "My lang2"'
    yield f"{both} TO SQL WITH FUNCTION kinds.to_int(internal))", numbers, "to_sql"
    for attribute, change in {
        "default": "condefault = false", "for_encoding": "conforencoding = 9", "to_encoding": "contoencoding = 9",
        "function": "conproc = 'iso8859_to_utf8'",
    }.items():  # fmt: skip
        yield f"UPDATE pg_conversion SET {change} WHERE conname = 'conv'", "CONVERSION kinds.conv", attribute
    from2 = "DROP CONVERSION kinds.from2; CREATE CONVERSION kinds.from2 FOR 'LATIN3' TO 'UTF8' FROM iso8859_to_utf8"
    yield from2, "CONVERSION kinds.from2", "for_encoding"
    for attribute, change in {
        "locale": "collcollate = 'POSIX', collctype = 'POSIX'", "locale, lc_collate, lc_ctype": "collctype = 'POSIX'",
        "provider": "collprovider = 'i'", "deterministic": "collisdeterministic = false",
    }.items():  # fmt: skip
        yield f"UPDATE pg_collation SET {change} WHERE collname = 'coll'", "COLLATION kinds.coll", ", ".join(sorted(attribute.split(", ")))
    for attribute in ("lc_collate", "lc_ctype"):
        change = f"coll{attribute.removeprefix('lc_')} = 'en_US.utf8'"
        yield f"UPDATE pg_collation SET {change} WHERE collname = 'coll2'", "COLLATION kinds.coll2", attribute
    yield "UPDATE pg_collation SET collisdeterministic = true WHERE collname = 'blurred'", "COLLATION kinds.blurred", "deterministic"


def _database_wide() -> Iterator[tuple[str, str, str]]:
    yield "UPDATE pg_am SET amhandler = 'hashhandler' WHERE amname = 'Bt'", "ACCESS METHOD Bt", "handler"
    yield "UPDATE pg_am SET amtype = 't' WHERE amname = 'Bt'", "ACCESS METHOD Bt", "type"
    for attribute, change in {
        "trusted": "lanpltrusted = false", "handler": "lanplcallfoid = 'kinds.on_ddl'::regproc", "inline": "laninline = 0",
        "validator": "lanvalidator = 'kinds.from_sql'::regproc",
    }.items():  # fmt: skip
        yield f"UPDATE pg_language SET {change} WHERE lanname = 'My lang2'", "PROCEDURAL LANGUAGE My lang2", attribute
    event = (
        'DROP EVENT TRIGGER "On end"; CREATE EVENT TRIGGER "On end" ON {} EXECUTE FUNCTION {}; ALTER EVENT TRIGGER "On end" ENABLE ALWAYS'
    )
    tags = "WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')"
    for attribute, on, function in [
        ("event", f"ddl_command_start {tags}", "kinds.on_ddl()"),
        ("tags", "ddl_command_end WHEN TAG IN ('CREATE TABLE')", "kinds.on_ddl()"),
        ("tags", "ddl_command_end", "kinds.on_ddl()"),
        ("function", f"ddl_command_end {tags}", "kinds.on_ddl2()"),
    ]:
        yield event.format(on, function), "EVENT TRIGGER On end", attribute
    for state in ("ENABLE", "ENABLE REPLICA", "ENABLE ALWAYS"):
        yield f"ALTER EVENT TRIGGER on_start {state}", "EVENT TRIGGER on_start", "enabled"
    yield "DROP EVENT TRIGGER on_start", "EVENT TRIGGER on_start", GONE


def _text_search() -> Iterator[tuple[str, str, str]]:
    for name, value in {
        "START": "kinds.start", "GETTOKEN": "kinds.gettoken", "END": 'kinds."end"', "LEXTYPES": "kinds.lextypes",
        "HEADLINE": "prsd_headline",
    }.items():  # fmt: skip
        sql = _remade("TEXT SEARCH PARSER", "kinds.prs2", _PARSER, **{name: value})
        yield sql, "TEXT SEARCH PARSER kinds.prs2", name.lower()
    for name, value in {"INIT": "dsimple_init", "LEXIZE": "kinds.lexize"}.items():
        sql = _remade("TEXT SEARCH TEMPLATE", "kinds.tmpl2", {"LEXIZE": "dsimple_lexize"}, **{name: value})
        yield sql, "TEXT SEARCH TEMPLATE kinds.tmpl2", name.lower()
    yield "ALTER TEXT SEARCH DICTIONARY kinds.dict2 (accept = true)", "TEXT SEARCH DICTIONARY kinds.dict2", "options"
    template = "UPDATE pg_ts_dict SET dicttemplate = (SELECT oid FROM pg_ts_template WHERE tmplname = 'tmpl2') WHERE dictname = 'dict2'"
    yield template, "TEXT SEARCH DICTIONARY kinds.dict2", "template"
    parser = "UPDATE pg_ts_config SET cfgparser = (SELECT oid FROM pg_ts_parser WHERE prsname = 'prs2') WHERE cfgname = 'conf'"
    yield parser, "TEXT SEARCH CONFIGURATION kinds.conf", "parser"
    words = "TEXT SEARCH CONFIGURATION kinds.conf2"
    yield f"ALTER {words} ALTER MAPPING FOR word WITH simple, kinds.dict2", words, "mappings"
    yield f'ALTER {words} ALTER MAPPING REPLACE kinds."Dict 3" WITH english_stem', words, "mappings"
    yield f"ALTER {words} DROP MAPPING FOR email", words, "mappings"


def _settings() -> Iterator[tuple[str, str, str]]:
    table, view = "TABLE kinds.p", "MATERIALIZED VIEW kinds.m"
    for setting, attribute in {
        "a SET STATISTICS 8": "a statistics", "a SET STATISTICS -1": "a statistics", "id SET STATISTICS 0": "id statistics",
        "a SET STORAGE MAIN": "a storage", "a SET STORAGE EXTENDED": "a storage", '"B c" SET COMPRESSION default': "B c compression",
        "a SET COMPRESSION pglz": "a compression", "k SET (n_distinct = 6)": "k options", "k RESET (n_distinct)": "k options",
    }.items():  # fmt: skip
        yield f"ALTER TABLE ONLY kinds.p ALTER {setting}", table, f"column {attribute}"
    yield "ALTER TABLE kinds.kid ALTER a SET STATISTICS -1", "TABLE kinds.kid", "column a statistics"
    yield "ALTER TABLE kinds.kid ALTER id SET STORAGE PLAIN, ALTER d SET (n_distinct = 2)", "TABLE kinds.kid", "column d options"
    yield "ALTER TABLE kinds.part1 ALTER t SET STORAGE MAIN", "TABLE kinds.part1", "column t storage"
    for setting, attribute in {
        '"A b" SET STATISTICS 6': "A b statistics", '"A b" SET STORAGE EXTENDED': "A b storage", "id SET (n_distinct = 4)": "id options",
        '"A b" SET COMPRESSION default': "A b compression",
    }.items():  # fmt: skip
        yield f"ALTER MATERIALIZED VIEW kinds.m ALTER {setting}", view, f"column {attribute}"
    yield "COMMENT ON COLUMN kinds.m.id IS 'i'", view, "column id comment"
    yield "ALTER VIEW kinds.v ALTER id SET DEFAULT 4", "VIEW kinds.v", "column id default"
    yield "ALTER VIEW kinds.v ALTER id DROP DEFAULT", "VIEW kinds.v", "column id default"
    yield "ALTER VIEW kinds.v ALTER d SET DEFAULT now()", "VIEW kinds.v", "column d default"
    yield "ALTER INDEX kinds.pi ALTER 1 SET STATISTICS 401", "INDEX kinds.pi on p", "column 1 statistics"
    yield "ALTER INDEX kinds.pi ALTER 3 SET STATISTICS -1", "INDEX kinds.pi on p", "column 3 statistics"
    yield "COMMENT ON INDEX kinds.p_pkey IS NULL", "CONSTRAINT kinds.p_pkey on p", "index_comment"
    yield "COMMENT ON CONSTRAINT p_pkey ON kinds.p IS 'c'", "CONSTRAINT kinds.p_pkey on p", "comment"
    yield "ALTER STATISTICS kinds.st SET STATISTICS 9", "STATISTICS kinds.st", "statistics"
    yield "ALTER STATISTICS kinds.st2 SET STATISTICS -1", "STATISTICS kinds.st2", "statistics"
    other = (
        "DROP STATISTICS kinds.st2; CREATE STATISTICS kinds.st2 (mcv) ON id, a FROM kinds.p; ALTER STATISTICS kinds.st2 SET STATISTICS 0"
    )
    yield other, "STATISTICS kinds.st2", "definition"


def changes() -> Iterator[tuple[str, str, str]]:
    """SQL, the object that it changes, and its attributes that then differ."""
    for sql, key in (OBJECTS | OBJECTS_WITHOUT_OWNER).items():
        yield f"COMMENT ON {sql} IS 'it''s; another'", key, "comment"
    for sql, key in OBJECTS.items():
        yield f"ALTER {sql} OWNER TO {OWNER}", key, "owner"
    for of_some in (_aggregates, _operators, _types, _conversions, _database_wide, _text_search, _settings):
        yield from of_some()


@pytest.fixture(scope="module", params=MAJORS)
def base(request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer]) -> Iterator[tuple[int, EmbeddedServer]]:
    """The database that is dumped, on each of the servers."""
    server = server_of(request.param)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {OWNER} SUPERUSER".encode())
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0".encode())
        with psycopg.connect(server.url(DATABASE), autocommit=True) as made:
            made.execute((Path(__file__).parent / "mutations_of_kinds.sql").read_bytes())
        yield request.param, server
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"DROP ROLE {OWNER}".encode())


@pytest.fixture(scope="module")
def dumped(base: tuple[int, EmbeddedServer], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inventory]:
    """What the base's dumps say, by format."""
    major, server = base
    folder = tmp_path_factory.mktemp("kinds")
    made = installation(major, missing)
    formats = ("plain", "custom")
    return {f: read_dump(made.dump(server.url(DATABASE), folder / f, dump_format=f)).inventory for f in formats}


def live(connection: psycopg.Connection[Any], major: int, sql: str) -> Inventory:
    """The inventory after *sql*, of which nothing stays."""
    cursor = connection.cursor(row_factory=dict_row)
    with connection.transaction(force_rollback=True):
        cursor.execute(sql.encode())
        cursor.execute("SET LOCAL search_path = ''")
        return read_inventory(lambda query: [*cursor.execute(query.encode()).fetchall()], major)


def told(left: Inventory, right: Inventory) -> dict[str, str]:
    found = compare_objects(left, right)
    for d in found:  # the texts are those of the sides, and differ
        for c in d.changes:
            assert (c.left, c.right) == (_said(left, d.key, c.attribute), _said(right, d.key, c.attribute)), (d.key, c)
            assert c.left != c.right, (d.key, c)
    return {str(d.key): ", ".join(sorted(c.attribute for c in d.changes)) or d.status for d in found}


def _said(inventory: Inventory, key: ObjectKey, attribute: str) -> str | None:
    item = inventory.database if inventory.database and key.kind == inventory.database.key.kind else inventory.by_key[key]
    if attribute in item.attributes or not attribute.startswith("column "):
        return item.attributes.get(attribute)
    for column in item.columns:
        if attribute == f"column {column.name}":
            return column.attributes.get("type")
        if attribute.startswith(f"column {column.name} "):
            return column.attributes.get(attribute.removeprefix(f"column {column.name} "))
    return None


def test_the_dumps_say_what_the_database_says(base: tuple[int, EmbeddedServer], dumped: dict[str, Inventory]) -> None:
    major, server = base
    with psycopg.connect(server.url(DATABASE)) as connection:
        now = live(connection, major, "SELECT 1")
    for inventory in dumped.values():
        assert told(inventory, now) == {}
        assert inventory.unmodelled == now.unmodelled == ()
        assert len(inventory.objects) > 110


def test_every_change_is_named_and_nothing_else(base: tuple[int, EmbeddedServer], dumped: dict[str, Inventory], score: Score) -> None:
    major, server = base
    other = {GONE: NEW, NEW: GONE}
    wrong: dict[str, str] = {}
    with psycopg.connect(server.url(DATABASE)) as connection:
        for sql, key, attributes in changes():
            after = live(connection, major, sql)
            for form, inventory in dumped.items():
                for found, expected in ((told(inventory, after), attributes), (told(after, inventory), other.get(attributes, attributes))):
                    if found != {key: expected}:
                        wrong.setdefault(sql, f"{form}: {found}, not {key}: {expected}")
    made = len([*changes()])
    score.add(made - len(wrong), made)
    assert not wrong, "\n".join(f"{change}\n    {why}" for change, why in wrong.items())


@pytest.mark.parametrize(("major", "locale"), [(15, "colliculocale"), (16, "colliculocale"), (17, "colllocale")])
def test_collations_of_icu_say_the_same_where_the_catalog_calls_it_otherwise(
    server_of: Callable[[int], EmbeddedServer], tmp_path: Path, major: int, locale: str
) -> None:
    """The server need not be able to use them: the catalog is changed."""
    server = server_of(major)
    rules = ", collicurules = '&V << w <<< W '' \\ x'" if major >= 16 else ""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE of_icu TEMPLATE template0")
    with psycopg.connect(server.url("of_icu")) as connection:
        connection.execute('CREATE COLLATION public.c FROM "C"')
        faked = f"UPDATE pg_collation SET collprovider = 'i', {locale} = 'und-u-ks-level2', collcollate = NULL, collctype = NULL"
        connection.execute(f"{faked}, collisdeterministic = false {rules} WHERE collname = 'c'".encode())
        connection.commit()
        dumped = read_dump(installation(major, missing).dump(server.url("of_icu"), tmp_path / "x", dump_format="plain")).inventory
        assert told(dumped, live(connection, major, "SELECT 1")) == {}
        expected = {"locale": "'und-u-ks-level2'", "deterministic": "false"} | ({"rules": r"'&V << w <<< W '' \ x'"} if rules else {})
        assert dumped.of_kind("COLLATION")[0].attributes.items() >= expected.items()
        if rules:
            changed = live(connection, major, "UPDATE pg_collation SET collicurules = '&V < w' WHERE collname = 'c'")
            assert told(dumped, changed) == {"COLLATION public.c": "rules"}
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE of_icu WITH (FORCE)")
