"""The texts of a dump's objects are those that the server's own functions print under an empty search path."""

from __future__ import annotations

import pytest

from pgaudit_kit.difference.objects import compare_objects
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ATTRIBUTES, COLUMN_ATTRIBUTES, DEPENDS_ON_EXTENSIONS, NOT_NULL_DETAILS, DatabaseObject
from tests.dumps.ddl.conftest import EveryKind

# Kinds, and kinds with attributes, that test_mutations_of_access.py and test_mutations_of_kinds.py have and these databases have not
ELSEWHERE = frozenset({"ACL", "SUBSCRIPTION", "FOREIGN DATA WRAPPER", "PUBLICATION TABLES IN SCHEMA"})
PARTLY_ELSEWHERE = frozenset({"POLICY", "PUBLICATION", "PUBLICATION TABLE", "SERVER", "FOREIGN TABLE", "COLLATION", "OPERATOR CLASS"})
Told = set[tuple[str | None, ...]]

# What the server says: schema, parent, name, text. System schemas and members of extensions are left out.
_MINE = """
    n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = {}.oid AND e.deptype = 'e')
"""
_CONSTRAINTS = f"""
    SELECT n.nspname, t.relname, o.conname, pg_get_constraintdef(o.oid)
    FROM pg_constraint o JOIN pg_class t ON t.oid = o.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE {_MINE.format("t")}
"""
_QUERIES: dict[tuple[str, str], str] = {
    ("CONSTRAINT", "definition"): _CONSTRAINTS
    + "AND (o.contype IN ('p', 'u', 'x') OR (o.contype = 'n' AND NOT o.convalidated AND o.conislocal))",
    ("FK CONSTRAINT", "definition"): _CONSTRAINTS + "AND o.contype = 'f' AND o.conparentid = 0",
    ("CHECK CONSTRAINT", "definition"): _CONSTRAINTS
    + """AND o.contype = 'c' AND (o.conislocal OR (t.relispartition AND o.convalidated))
    UNION ALL
    SELECT n.nspname, t.typname, o.conname, pg_get_constraintdef(o.oid)
    FROM pg_constraint o JOIN pg_type t ON t.oid = o.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE o.contype = 'c' AND n.nspname <> 'information_schema'""",
    ("INDEX", "definition"): f"""
    SELECT n.nspname, t.relname, c.relname, pg_get_indexdef(c.oid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = c.oid AND o.conrelid = t.oid)
      AND t.relkind <> 't' AND {_MINE.format("t")}""",
    ("TRIGGER", "definition"): """
    SELECT n.nspname, t.relname, g.tgname, pg_get_triggerdef(g.oid, false)
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE NOT g.tgisinternal AND g.tgparentid = 0""",
    ("RULE", "definition"): """
    SELECT n.nspname, t.relname, r.rulename, rtrim(pg_get_ruledef(r.oid), ';')
    FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE r.rulename <> '_RETURN' AND n.nspname NOT IN ('pg_catalog', 'information_schema')""",
    **{
        (kind, "definition"): f"""
    SELECT n.nspname, NULL, c.relname, rtrim(pg_get_viewdef(c.oid), ';')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = '{relkind}' AND {_MINE.format("c")}"""
        for kind, relkind in (("VIEW", "v"), ("MATERIALIZED VIEW", "m"))
    },
    ("TABLE", "partition_key"): f"""
    SELECT n.nspname, NULL, c.relname, pg_get_partkeydef(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'p' AND {_MINE.format("c")}""",
    ("TABLE", "partition_bound"): f"""
    SELECT n.nspname, NULL, c.relname, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relispartition AND {_MINE.format("c")}""",
    **{
        (kind, attribute): f"""
    SELECT n.nspname, NULL, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', {text}
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind IN ({kinds}) AND {_MINE.format("p")}
      AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.objid = p.oid AND i.deptype = 'i')  -- constructors of ranges"""
        for kind, kinds in (("FUNCTION", "'f', 'w'"), ("PROCEDURE", "'p'"))
        for attribute, text in (
            ("arguments", "pg_get_function_arguments(p.oid)"),
            ("body", "coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)"),
            *((("result", "pg_get_function_result(p.oid)"),) if kind == "FUNCTION" else ()),
        )
    },
}


def told_by_dump(inventory: Inventory, kind: str, attribute: str) -> Told:
    found = ((o.key.schema, o.key.parent, o.key.name, o.attributes.get(attribute)) for o in inventory.of_kind(kind))
    return {row for row in found if row[3] is not None}


@pytest.mark.parametrize(("kind", "attribute"), _QUERIES)
def test_the_text_is_what_the_server_prints(every_kind: EveryKind, kind: str, attribute: str) -> None:
    expected = {row for row in every_kind.ask(_QUERIES[kind, attribute]) if row[3] is not None}
    assert expected
    assert told_by_dump(every_kind.inventory("--schema-only"), kind, attribute) == expected


@pytest.mark.parametrize(
    ("attribute", "text", "which"),
    [
        ("type", "format_type(a.atttypid, a.atttypmod)", "true"),
        ("default", "pg_get_expr(d.adbin, d.adrelid)", "a.attgenerated = ''"),
        (
            "generated",
            "pg_get_expr(d.adbin, d.adrelid) || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END",
            "a.attgenerated <> ''",
        ),
    ],
)
def test_the_columns_are_what_the_server_prints(every_kind: EveryKind, attribute: str, text: str, which: str) -> None:
    expected = every_kind.ask(f"""
        SELECT n.nspname, c.relname, a.attname, {text}
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND NOT a.attisdropped AND (a.attislocal OR c.relispartition) AND c.reloftype = 0
          AND c.relkind IN ('r', 'p', 'c') AND {which} AND {_MINE.format("c")}
    """)
    found = {
        (o.key.schema, o.key.name, column.name, column.attributes[attribute])
        for o in every_kind.inventory("--schema-only").of_kind("TABLE", "TYPE")
        for column in o.columns
        if attribute in column.attributes
    }
    assert {row for row in expected if row[3] is not None} <= found
    assert {row[:3] for row in expected} >= {row[:3] for row in found if attribute != "default"}


def test_sequences_have_the_parameters_and_the_state_of_the_server(every_kind: EveryKind) -> None:
    expected = every_kind.ask("""
        SELECT schemaname, sequencename, start_value::text, increment_by::text, nullif(cache_size, 1)::text,
            CASE WHEN cycle THEN 'true' END, nullif(data_type::text, 'bigint'), last_value::text
        FROM pg_sequences
    """)
    names = ("start", "increment", "cache", "cycle", "data_type")
    found = {
        (
            o.key.schema,
            o.key.name,
            *(o.attributes.get(n) for n in names),
            o.attributes["last_value"] if o.attributes["is_called"] == "true" else None,
        )
        for o in every_kind.inventory().of_kind("SEQUENCE")
    }
    assert len(found) > 10
    assert found == set(expected)


# options of pg_dump that change the text and not what it says
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--inserts",),
        ("--clean",),
        ("--clean", "--if-exists", "--create"),
        ("--no-owner",),
        ("--use-set-session-authorization",),
        ("--verbose",),
        ("--quote-all-identifiers",),
        ("--disable-dollar-quoting",),
        ("--no-tablespaces",),
    ],
    ids=" ".join,
)
def test_a_dump_has_the_objects_of_the_database_it_came_from(every_kind: EveryKind, options: tuple[str, ...]) -> None:
    inventory = every_kind.inventory(*options)
    assert len(inventory.objects) > 150
    assert compare_objects(inventory, every_kind.live()) == ()


def test_a_dump_with_nonstandard_strings_says_the_same(every_kind: EveryKind) -> None:
    script = every_kind.dump(settings="-c standard_conforming_strings=off")
    assert "standard_conforming_strings = off" in script
    assert r"\\" in script
    assert compare_objects(every_kind.inventory(settings="-c standard_conforming_strings=off"), every_kind.live()) == ()


# statement → the object and the attribute that it changes
CHANGES = {
    "ALTER TABLE app.refs ALTER COLUMN u SET NOT NULL": "TABLE app.refs: column u not_null",
    "ALTER TABLE app.refs ALTER COLUMN v SET DEFAULT 'y'": "TABLE app.refs: column v default",
    "ALTER TABLE app.refs REPLICA IDENTITY DEFAULT": "TABLE app.refs: replica_identity",
    "ALTER TABLE app.refs SET WITHOUT CLUSTER": "INDEX app.refs_expr on refs: clustered",
    "ALTER TABLE app.refs ENABLE TRIGGER tr_off": "TRIGGER app.tr_off on refs: enabled",
    "ALTER TABLE app.refs ENABLE RULE ru_off": "RULE app.ru_off on refs: enabled",
    "ALTER TABLE app.part_1 ENABLE TRIGGER tr_part": "TRIGGER app.tr_part on part_1: only_left",
    "ALTER TABLE app.parent DROP CONSTRAINT no_inh": "CHECK CONSTRAINT app.no_inh on parent: only_left",
    "ALTER TABLE app.parent NO FORCE ROW LEVEL SECURITY": "TABLE app.parent: row_security",
    "ALTER TABLE app.far SET TABLESPACE pg_default": "TABLE app.far: tablespace",
    "ALTER INDEX app.far_pk SET TABLESPACE pg_default": "CONSTRAINT app.far_pk on far: tablespace",
    "ALTER SEQUENCE app.small CACHE 9": "SEQUENCE app.small: cache",
    "SELECT setval('app.int_limits', 43, false)": "SEQUENCE app.int_limits: last_value",
    "SELECT setval('app.down', -1, true)": "SEQUENCE app.down: is_called",
    "ALTER FUNCTION app.f_setof() STABLE": "FUNCTION app.f_setof(): volatility",
    "ALTER FUNCTION app.f_empty() SET work_mem TO '1MB'": "FUNCTION app.f_empty(): config",
    "ALTER TYPE app.mood ADD VALUE 'new' BEFORE 'sad'": "TYPE app.mood: labels",
    "ALTER DOMAIN app.posint DROP NOT NULL": "DOMAIN app.posint: not_null",
    "COMMENT ON CONSTRAINT posint_check ON DOMAIN app.posint IS NULL": "CHECK CONSTRAINT app.posint_check on posint: comment",
    """COMMENT ON COLUMN app.v1."O;dd" IS 'other'""": "VIEW app.v1: column O;dd comment",
    "ALTER VIEW app.v2 RESET (security_barrier)": "VIEW app.v2: options",
    "ALTER SCHEMA app OWNER TO postgres": "SCHEMA app: owner",
    "ALTER TABLE ONLY app.parent ALTER COLUMN tags SET STATISTICS 501": "TABLE app.parent: column tags statistics",
    "ALTER INDEX app.refs_expr ALTER COLUMN 1 SET STATISTICS -1": "INDEX app.refs_expr on refs: column 1 statistics",
    "ALTER VIEW app.v3 ALTER COLUMN id DROP DEFAULT": "VIEW app.v3: column id default",
    "COMMENT ON INDEX app.parent_pkey IS NULL": "CONSTRAINT app.parent_pkey on parent: index_comment",
    "ALTER EVENT TRIGGER evt ENABLE": "EVENT TRIGGER evt: enabled",
    "COMMENT ON AGGREGATE app.agg(integer) IS NULL": "AGGREGATE app.agg(integer): comment",
}


def test_each_change_is_seen_by_its_attribute_and_nothing_else_is(whole_inventory: Inventory, changed_copy: EveryKind) -> None:
    for statement in CHANGES:
        changed_copy.run(statement)
    found = [
        f"{difference.key}: {told}"
        for difference in compare_objects(whole_inventory, changed_copy.inventory())
        for told in [change.attribute for change in difference.changes] or [difference.status]
    ]
    assert sorted(found) == sorted(CHANGES.values())


def test_all_words_of_the_vocabulary_are_written_and_no_others(every_kind: EveryKind, whole_inventory: Inventory) -> None:
    def strange(described: DatabaseObject) -> set[str]:
        names = {n for n in described.attributes if not (n.startswith("column ") and n.rpartition(" ")[2] in COLUMN_ATTRIBUTES)}
        names = {n for n in names if not n.partition(" ")[0].isdecimal()}  # of one large object
        return names - {*ATTRIBUTES[described.key.kind]} | {n for c in described.columns for n in c.attributes} - {*COLUMN_ATTRIBUTES}

    assert {o.key.kind for o in whole_inventory.objects} == {*ATTRIBUTES} - ELSEWHERE
    assert [o.key for o in whole_inventory.objects if strange(o)] == []
    written = {(o.key.kind, name) for o in whole_inventory.objects for name in o.attributes}
    known_to_catalogs_only = {("EXTENSION", "version")}
    wanted = {
        (kind, name)
        for kind, names in ATTRIBUTES.items()
        if kind not in ELSEWHERE | PARTLY_ELSEWHERE
        for name in names
        if name not in ("acl", "security_label", DEPENDS_ON_EXTENSIONS)  # other scripts have those: mutations_of_attributes.sql
    }
    new = {("DOMAIN", name) for name in NOT_NULL_DETAILS & {*ATTRIBUTES["DOMAIN"]}} if every_kind.major < 17 else set()
    assert wanted - written == known_to_catalogs_only | new


def test_nothing_is_unmodelled_and_no_password_is_kept(whole_inventory: Inventory) -> None:
    assert whole_inventory.unmodelled == ()
    assert "p4ss" not in repr(whole_inventory)
