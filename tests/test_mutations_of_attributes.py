"""As test_mutations_of_kinds, for the attributes that the other mutations do not reach, and for what people change most.

Here the text of both sides is written down. The last tests prove that all mutations together reach every word of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from pgaudit_kit.difference.objects import compare_objects
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ATTRIBUTES, COLUMN_ATTRIBUTES, DATABASE, DATABASE_ATTRIBUTES
from tests import test_mutations as of_most
from tests import test_mutations_of_access as of_access
from tests import test_mutations_of_kinds as of_kinds
from tests.conftest import Score, missing
from tests.postgres_versions import installation
from tests.test_mutations_of_kinds import GONE, NEW, live

BASE = "mutations_of_attributes"
OWNER, SPACE = "attributes_owner", "attributes_space"
COLUMN = "COLUMN"  # stands for every kind that has columns

Texts = tuple[str | None, str | None]


class Named(NamedTuple):
    """SQL, the object that it changes, and the text of each attribute before and after. Objects that change with it are in `others`."""

    sql: str
    key: str
    texts: Mapping[str, Texts]
    others: Mapping[str, Mapping[str, Texts]] = {}


def _changed(sql: str, key: str, attribute: str, left: str | None, right: str | None) -> Named:
    return Named(sql, key, {attribute: (left, right)})


def _in_catalog(catalog: str, change: str, where: str) -> str:
    return f"UPDATE pg_catalog.{catalog} SET {change} WHERE {where}"


T, DB = "TABLE a.t", f"{DATABASE} {BASE}"
KEPT, PROCEDURE, FUNCTION = "MATERIALIZED VIEW a.kept", "PROCEDURE a.p(IN n integer)", "FUNCTION a.one(n integer)"
TRANSFORMED = "FUNCTION a.transformed(n integer)"
UNCHECKED = "SET LOCAL check_function_bodies = off"
REMADE_T_FKEY = "ALTER TABLE a.child DROP CONSTRAINT t_fkey, ADD CONSTRAINT t_fkey FOREIGN KEY (t_id) REFERENCES a.t"
MOST_CHANGED = (
    _changed("ALTER TABLE a.t ALTER price TYPE numeric(12,2)", T, "column price type", "numeric(10,2)", "numeric(12,2)"),
    _changed("ALTER TABLE a.t ALTER price DROP DEFAULT", T, "column price default", "0", None),
    _changed("ALTER TABLE a.t ALTER price SET DEFAULT 1.5", T, "column price default", "0", "1.5"),
    _changed("ALTER TABLE a.t ALTER n DROP NOT NULL", T, "column n not_null", "true", None),
    _changed("ALTER TABLE a.t ALTER word SET NOT NULL", T, "column word not_null", None, "true"),
    _changed("ALTER TABLE a.t ALTER word SET STORAGE EXTERNAL", T, "column word storage", None, "EXTERNAL"),
    _changed('ALTER TABLE a.t ALTER "Other word" TYPE text COLLATE "C"', T, "column Other word collation", None, 'pg_catalog."C"'),
    _changed("ALTER TABLE a.t REPLICA IDENTITY FULL", T, "replica_identity", None, "FULL"),
    _changed("ALTER TABLE a.t REPLICA IDENTITY USING INDEX t_id_n", T, "replica_identity", None, "USING INDEX t_id_n"),
    _changed("ALTER TABLE a.t ENABLE ROW LEVEL SECURITY", T, "row_security", None, "enabled"),
    _changed(f"ALTER TABLE a.child OWNER TO {OWNER}", "TABLE a.child", "owner", "postgres", OWNER),
    _changed("COMMENT ON TABLE a.t IS 'it''s'", T, "comment", None, "it's"),
    _changed(f"GRANT SELECT ON a.t TO {OWNER}", T, "acl", None, f"{OWNER}=SELECT"),
    _changed(
        "ALTER TABLE a.t DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (price >= 0)",
        "CHECK CONSTRAINT a.positive on t",
        "definition",
        "CHECK ((price > (0)::numeric))",
        "CHECK ((price >= (0)::numeric))",
    ),
    _changed(
        "ALTER TABLE a.t VALIDATE CONSTRAINT later",
        "CHECK CONSTRAINT a.later on t",
        "definition",
        "CHECK ((n > 0)) NOT VALID",
        "CHECK ((n > 0))",
    ),
    _changed(
        "ALTER TABLE a.child VALIDATE CONSTRAINT old_fkey",
        "FK CONSTRAINT a.old_fkey on child",
        "definition",
        "FOREIGN KEY (id) REFERENCES a.t(id) NOT VALID",
        "FOREIGN KEY (id) REFERENCES a.t(id)",
    ),
    _changed(
        "ALTER TABLE a.child ALTER CONSTRAINT t_fkey DEFERRABLE INITIALLY DEFERRED",
        "FK CONSTRAINT a.t_fkey on child",
        "definition",
        "FOREIGN KEY (t_id) REFERENCES a.t(id)",
        "FOREIGN KEY (t_id) REFERENCES a.t(id) DEFERRABLE INITIALLY DEFERRED",
    ),
    _changed(
        f"{REMADE_T_FKEY} ON DELETE SET NULL",
        "FK CONSTRAINT a.t_fkey on child",
        "definition",
        "FOREIGN KEY (t_id) REFERENCES a.t(id)",
        "FOREIGN KEY (t_id) REFERENCES a.t(id) ON DELETE SET NULL",
    ),
    _changed(
        "ALTER TABLE a.t DROP CONSTRAINT once, ADD CONSTRAINT once UNIQUE (n) DEFERRABLE",
        "CONSTRAINT a.once on t",
        "definition",
        "UNIQUE (n)",
        "UNIQUE (n) DEFERRABLE",
    ),
    _changed(
        "ALTER TABLE a.t DROP CONSTRAINT once, ADD CONSTRAINT once UNIQUE NULLS NOT DISTINCT (n)",
        "CONSTRAINT a.once on t",
        "definition",
        "UNIQUE (n)",
        "UNIQUE NULLS NOT DISTINCT (n)",
    ),
    _changed(
        "ALTER TABLE a.t DROP CONSTRAINT apart, ADD CONSTRAINT apart EXCLUDE USING gist (during WITH =)",
        "CONSTRAINT a.apart on t",
        "definition",
        "EXCLUDE USING gist (during WITH &&)",
        "EXCLUDE USING gist (during WITH =)",
    ),
    _changed(
        "DROP TYPE a.mood; CREATE TYPE a.mood AS ENUM ('ok', 'sad', 'happy')",
        "TYPE a.mood",
        "labels",
        "'sad', 'ok', 'happy'",
        "'ok', 'sad', 'happy'",
    ),
    _changed(
        "CREATE OR REPLACE FUNCTION a.one(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n + 2'",
        FUNCTION,
        "body",
        "SELECT n + 1",
        "SELECT n + 2",
    ),
    _changed("ALTER FUNCTION a.one STABLE", FUNCTION, "volatility", None, "STABLE"),
    _changed("ALTER TABLE a.t DISABLE TRIGGER touched", "TRIGGER a.touched on t", "enabled", None, "DISABLE"),
    _changed(
        _in_catalog("pg_index", "indisvalid = false", "indexrelid = 'a.t_word'::regclass"), "INDEX a.t_word on t", "valid", "true", "false"
    ),
    _changed(
        _in_catalog("pg_index", "indisready = false", "indexrelid = 'a.t_word'::regclass"), "INDEX a.t_word on t", "valid", "true", "false"
    ),
    _changed("ALTER TABLE a.t CLUSTER ON t_word", "INDEX a.t_word on t", "clustered", None, "true"),
    _changed("ALTER SEQUENCE a.counter INCREMENT 10", "SEQUENCE a.counter", "increment", "1", "10"),
    _changed("ALTER POLICY own ON a.t USING (id = 2)", "POLICY a.own on t", "using", "(id = 1)", "(id = 2)"),
    _changed(
        "ALTER TABLE a.parts DETACH PARTITION a.part_1; ALTER TABLE a.parts ATTACH PARTITION a.part_1 FOR VALUES FROM (0) TO (11)",
        "TABLE a.part_1",
        "partition_bound",
        "FOR VALUES FROM (0) TO (10)",
        "FOR VALUES FROM (0) TO (11)",
    ),
    _changed(
        "DROP STATISTICS a.of_t; CREATE STATISTICS a.of_t (dependencies) ON id, n FROM a.t",
        "STATISTICS a.of_t",
        "definition",
        "CREATE STATISTICS a.of_t (ndistinct) ON id, n FROM a.t",
        "CREATE STATISTICS a.of_t (dependencies) ON id, n FROM a.t",
    ),
    Named("ALTER PUBLICATION pub DROP TABLE a.child", "PUBLICATION TABLE a.pub on child", {GONE: (None, None)}),
    _changed("ALTER PUBLICATION pub SET TABLE a.t (id), a.child", "PUBLICATION TABLE a.pub on t", "columns", None, "id"),
)
REST = (
    _changed(
        _in_catalog("pg_collation", "collicurules = '&V < x'", "collname = 'sorted'"),
        "COLLATION a.sorted",
        "rules",
        "'&V < w'",
        "'&V < x'",
    ),
    _changed("ALTER TABLE a.t RENAME CONSTRAINT t_n_not_null TO must", T, "column n not_null_name", None, "must"),
    _changed("ALTER TABLE a.t ALTER CONSTRAINT t_n_not_null NO INHERIT", T, "column n not_null_no_inherit", None, "true"),
    _changed("COMMENT ON CONSTRAINT t_n_not_null ON a.t IS 'c'", T, "column n not_null_comment", None, "c"),
    _changed("ALTER DOMAIN a.filled RENAME CONSTRAINT filled_not_null TO must", "DOMAIN a.filled", "not_null_name", None, "must"),
    _changed("COMMENT ON CONSTRAINT filled_not_null ON DOMAIN a.filled IS 'c'", "DOMAIN a.filled", "not_null_comment", None, "c"),
    _changed(f"ALTER TABLE a.child SET TABLESPACE {SPACE}", "TABLE a.child", "tablespace", "", SPACE),
    _changed("ALTER TABLE a.child SET ACCESS METHOD heap_two", "TABLE a.child", "access_method", "heap", "heap_two"),
    _changed(
        "DROP TABLE a.by_range; CREATE TABLE a.by_range (id integer, v text) PARTITION BY LIST (v)",
        "TABLE a.by_range",
        "partition_key",
        "RANGE (id)",
        "LIST (v)",
    ),
    _changed(f"ALTER INDEX a.t_pkey SET TABLESPACE {SPACE}", "CONSTRAINT a.t_pkey on t", "tablespace", "", SPACE),
    _changed(f"ALTER INDEX a.t_word SET TABLESPACE {SPACE}", "INDEX a.t_word on t", "tablespace", "", SPACE),
    Named(
        "ALTER TABLE a.parts DETACH PARTITION a.part_1",
        "CONSTRAINT a.part_1_pkey on part_1",
        {"attached_to": ("a.parts_pkey", None)},
        {"TABLE a.part_1": {"partition_bound": ("FOR VALUES FROM (0) TO (10)", None), "partition_of": ("a.parts", None)}},
    ),
    _changed("DROP DOMAIN a.number; CREATE DOMAIN a.number AS bigint", "DOMAIN a.number", "base_type", "integer", "bigint"),
    _changed("DROP DOMAIN a.word; CREATE DOMAIN a.word AS text", "DOMAIN a.word", "collation", 'pg_catalog."C"', None),
    _changed("COMMENT ON DOMAIN a.word IS 'w'", "DOMAIN a.word", "comment", None, "w"),
    _changed(_in_catalog("pg_extension", "extversion = '9'", "extname = 'citext'"), "EXTENSION citext", "version", "1.8", "9"),
    _changed(
        f"{UNCHECKED}; CREATE OR REPLACE FUNCTION a.one(n integer) RETURNS integer LANGUAGE plpgsql AS 'SELECT n + 1'",
        FUNCTION,
        "language",
        "sql",
        "plpgsql",
    ),
    _changed(
        _in_catalog("pg_proc", "probin = '$libdir/two'", "proname = 'linked'"),
        "FUNCTION a.linked()",
        "object_file",
        "$libdir/plpgsql",
        "$libdir/two",
    ),
    _changed(
        "DROP FUNCTION a.one; CREATE FUNCTION a.one(n integer) RETURNS bigint LANGUAGE sql AS 'SELECT n + 1'",
        FUNCTION,
        "result",
        "integer",
        "bigint",
    ),
    _changed(
        "ALTER FUNCTION a.supported SUPPORT generate_series_int8_support",
        "FUNCTION a.supported(integer, integer)",
        "support",
        "generate_series_int4_support",
        "generate_series_int8_support",
    ),
    _changed(_in_catalog("pg_proc", "prokind = 'f'", "proname = 'windowed'"), "FUNCTION a.windowed()", "window", "true", None),
    _changed(
        _in_catalog("pg_proc", "protrftypes = '{23}'", "proname = 'transformed'"), TRANSFORMED, "transforms", None, "FOR TYPE integer"
    ),
    _changed("COMMENT ON MATERIALIZED VIEW a.kept IS 'k'", KEPT, "comment", None, "k"),
    _changed(f"ALTER MATERIALIZED VIEW a.kept OWNER TO {OWNER}", KEPT, "owner", "postgres", OWNER),
    _changed(f"ALTER MATERIALIZED VIEW a.kept SET TABLESPACE {SPACE}", KEPT, "tablespace", "", SPACE),
    _changed("ALTER MATERIALIZED VIEW a.kept SET ACCESS METHOD heap_two", KEPT, "access_method", "heap", "heap_two"),
    _changed("REFRESH MATERIALIZED VIEW a.kept WITH NO DATA", KEPT, "populated", "true", "false"),
    _changed(
        "DROP MATERIALIZED VIEW a.kept; CREATE MATERIALIZED VIEW a.kept AS SELECT 2 AS one",
        KEPT,
        "definition",
        " SELECT 1 AS one",
        " SELECT 2 AS one",
    ),
    _changed(
        "CREATE OR REPLACE PROCEDURE a.p(n integer DEFAULT 7) LANGUAGE plpgsql AS 'BEGIN NULL; END'",
        PROCEDURE,
        "arguments",
        "IN n integer",
        "IN n integer DEFAULT 7",
    ),
    _changed("COMMENT ON PROCEDURE a.p IS 'p'", PROCEDURE, "comment", None, "p"),
    _changed("ALTER PROCEDURE a.p SET work_mem = '2MB'", PROCEDURE, "config", None, "SET work_mem TO '2MB'"),
    _changed(f"ALTER PROCEDURE a.p OWNER TO {OWNER}", PROCEDURE, "owner", "postgres", OWNER),
    _changed(
        f"{UNCHECKED}; CREATE OR REPLACE PROCEDURE a.p(n integer) LANGUAGE sql AS 'BEGIN NULL; END'",
        PROCEDURE,
        "language",
        "plpgsql",
        "sql",
    ),
    _changed(_in_catalog("pg_proc", "protrftypes = '{23}'", "oid = 'a.p'::regproc"), PROCEDURE, "transforms", None, "FOR TYPE integer"),
    _changed(
        _in_catalog("pg_proc", "probin = '$libdir/two'", "proname = 'in_c'"),
        "PROCEDURE a.in_c()",
        "object_file",
        "$libdir/one",
        "$libdir/two",
    ),
    _changed("COMMENT ON SEQUENCE a.counter IS 's'", "SEQUENCE a.counter", "comment", None, "s"),
    _changed("COMMENT ON VIEW a.seen IS 'v'", "VIEW a.seen", "comment", None, "v"),
)
DEPENDING = (
    *(
        _changed(f"ALTER {sql} DEPENDS ON EXTENSION plpgsql", key, "depends_on_extensions", "citext", "citext, plpgsql")
        for sql, key in (
            ("FUNCTION a.supported", "FUNCTION a.supported(integer, integer)"),
            ("PROCEDURE a.in_c", "PROCEDURE a.in_c()"),
            ("MATERIALIZED VIEW a.empty", "MATERIALIZED VIEW a.empty"),
            ("INDEX a.t_id_n", "INDEX a.t_id_n on t"),
            ("INDEX a.t_pkey", "CONSTRAINT a.t_pkey on t"),
            ("TRIGGER touched ON a.t", "TRIGGER a.touched on t"),
        )
    ),
    _changed("ALTER FUNCTION a.one DEPENDS ON EXTENSION citext", FUNCTION, "depends_on_extensions", None, "citext"),
    _changed("ALTER INDEX a.t_id_n NO DEPENDS ON EXTENSION citext", "INDEX a.t_id_n on t", "depends_on_extensions", "citext", None),
)
# A restore into a database that is there leaves these as they are: named, and equivalent
OF_DATABASE = tuple(
    _changed(sql if sql.startswith("ALTER") else _in_catalog("pg_database", sql, f"datname = '{BASE}'"), DB, attribute, left, right)
    for sql, attribute, left, right in (
        ("encoding = 8", "encoding", "UTF8", "LATIN1"),
        ("datlocprovider = 'i'", "locale_provider", "builtin", "icu"),
        ("datlocale = 'C'", "locale", "C.UTF-8", "C"),
        ("datcollate = 'POSIX'", "lc_collate", "C", "POSIX"),
        ("datctype = 'POSIX'", "lc_ctype", "C", "POSIX"),
        ("daticurules = '&V < x'", "icu_rules", "&V < w", "&V < x"),
        ("dattablespace = 1664", "tablespace", "", "pg_global"),
        (f"ALTER DATABASE {BASE} OWNER TO {OWNER}", "owner", "postgres", OWNER),
        ("datistemplate = true", "template", None, "true"),
    )
)
# What one side alone says of its database: a dump may just not say it, a server would
OF_DATABASE_ALONE = (
    _changed(f"ALTER DATABASE {BASE} SET work_mem = '6MB'", DB, "setting work_mem", None, "'6MB'"),
    _changed(f"ALTER DATABASE {BASE} CONNECTION LIMIT 5", DB, "connection_limit", None, "5"),
    _changed(f"COMMENT ON DATABASE {BASE} IS 'd'", DB, "comment", None, "d"),
    _changed(f"GRANT CREATE ON DATABASE {BASE} TO PUBLIC", DB, "acl", None, "PUBLIC=ALL"),
)
AS_MADE = frozenset(attribute for change in OF_DATABASE for attribute in change.texts)
ADDED = {
    "CREATE ACCESS METHOD more TYPE TABLE HANDLER heap_tableam_handler": "ACCESS METHOD more",
    "CREATE AGGREGATE a.one(n bigint) (SFUNC = int8pl, STYPE = bigint)": "AGGREGATE a.one(n bigint)",
    'CREATE COLLATION a.more FROM "C"': "COLLATION a.more",
    "CREATE CONVERSION a.more FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8": "CONVERSION a.more",
    "CREATE DOMAIN a.more AS integer": "DOMAIN a.more",
    "CREATE FOREIGN DATA WRAPPER more": "FOREIGN DATA WRAPPER more",
    "CREATE SERVER more FOREIGN DATA WRAPPER fdw": "SERVER more",
    "CREATE OPERATOR a.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl)": "OPERATOR a.### (integer, integer)",
    "CREATE OPERATOR FAMILY a.more USING btree": "OPERATOR FAMILY a.more USING btree",
    "CREATE LANGUAGE more HANDLER plpgsql_call_handler": "PROCEDURAL LANGUAGE more",
    "CREATE PROCEDURE a.p(n text) LANGUAGE sql AS ''": "PROCEDURE a.p(IN n text)",
    "CREATE RULE more AS ON DELETE TO a.t DO INSTEAD NOTHING": "RULE a.more on t",
    "CREATE SEQUENCE a.more": "SEQUENCE a.more",
    "CREATE STATISTICS a.more ON id, n FROM a.t": "STATISTICS a.more",
    "CREATE TEXT SEARCH PARSER a.more (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)": (
        "TEXT SEARCH PARSER a.more"
    ),
    "CREATE TEXT SEARCH TEMPLATE a.more (LEXIZE = dsimple_lexize)": "TEXT SEARCH TEMPLATE a.more",
    "CREATE TEXT SEARCH DICTIONARY a.more (TEMPLATE = simple)": "TEXT SEARCH DICTIONARY a.more",
    'CREATE TEXT SEARCH CONFIGURATION a.more (PARSER = "default")': "TEXT SEARCH CONFIGURATION a.more",
    "CREATE TRANSFORM FOR text LANGUAGE plpgsql (FROM SQL WITH FUNCTION pg_catalog.prsd_lextype(internal))": (
        "TRANSFORM TRANSFORM FOR text LANGUAGE plpgsql"
    ),
    "CREATE VIEW a.more AS SELECT 1": "VIEW a.more",
    "CREATE OPERATOR CLASS a.more FOR TYPE integer USING btree FAMILY integer_ops AS STORAGE integer": "OPERATOR CLASS a.more USING btree",
}
KNOWN_TO_SERVERS_ONLY = {("EXTENSION", "version")}
# Pairs of kind and attribute that nothing can change alone, and why
OUT_OF_REACH = {
    ("PUBLICATION", "options"): "parameters of releases to come",
    ("SUBSCRIPTION", "options"): "parameters of releases to come",
    ("DEFAULT ACL", "owner"): "it is part of the name",
}


def changes() -> Iterator[Named]:
    """All of them."""
    yield from (*MOST_CHANGED, *REST, *DEPENDING, *OF_DATABASE, *OF_DATABASE_ALONE)
    for sql, key in ADDED.items():
        yield Named(sql, key, {NEW: (None, None)})


@pytest.fixture(scope="module")
def base(server_of: Callable[[int], EmbeddedServer]) -> Iterator[EmbeddedServer]:
    """The server, with the database that is dumped."""
    server = server_of(18)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute(f"CREATE TABLESPACE {SPACE} LOCATION ''".encode())
        connection.execute(f"CREATE ROLE {OWNER}".encode())
        made = f"CREATE DATABASE {BASE} TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
        connection.execute(made.encode())
        connection.execute(f"UPDATE pg_database SET daticurules = '&V < w' WHERE datname = '{BASE}'".encode())
        with psycopg.connect(server.url(BASE), autocommit=True) as inside:
            inside.execute((Path(__file__).parent / "mutations_of_attributes.sql").read_bytes())
        yield server
        connection.execute(f"DROP DATABASE {BASE} WITH (FORCE)".encode())
        connection.execute(f"DROP ROLE {OWNER}".encode())
        connection.execute(f"DROP TABLESPACE {SPACE}".encode())


def test_every_change_is_named_with_the_text_of_both_sides_and_nothing_else(base: EmbeddedServer, tmp_path: Path, score: Score) -> None:
    made = installation(18, missing)
    dumped = {f: read_dump(made.dump(base.url(BASE), tmp_path / f, dump_format=f)).inventory for f in ("plain", "custom")}
    wrong: dict[str, str] = {}
    all_of_them = tuple(changes())
    with psycopg.connect(base.url(BASE)) as connection:
        before = live(connection, 18, "SELECT 1")
        for name, inventory in dumped.items():
            assert compare_objects(inventory, before) == (), name
        for change in all_of_them:
            try:
                after = live(connection, 18, change.sql)
            except psycopg.Error as error:
                wrong[change.sql] = str(error)
                continue
            for name, inventory in {**dumped, "live": before}.items():
                if why := _misjudged(inventory, after, _expected(change, name), whole=name == "live"):
                    wrong.setdefault(change.sql, f"{name}: {why}")
    score.add(len(all_of_them) - len(wrong), len(all_of_them))
    assert not wrong, "\n".join(f"{change}\n    {why}" for change, why in wrong.items())


def _expected(change: Named, source: str) -> dict[str, Mapping[str, Texts]]:
    kind = _kind(change.key)
    unknown = {attribute for attribute in change.texts if source != "live" and (kind, attribute) in KNOWN_TO_SERVERS_ONLY}
    if kind == DATABASE and (source == "plain" or (source != "live" and None in change.texts[next(iter(change.texts))])):
        unknown = set(change.texts)  # the plain one says nothing of it without --create
    return {change.key: change.texts, **change.others} if not unknown else {}


def _misjudged(left: Inventory, right: Inventory, expected: Mapping[str, Mapping[str, Texts]], *, whole: bool) -> str:
    other = {GONE: NEW, NEW: GONE}
    mirrored = {key: {other.get(name, name): (texts[1], texts[0]) for name, texts in of.items()} for key, of in expected.items()}
    for found, wanted in ((_texts(left, right, whole=whole), expected), (_texts(right, left, whole=whole), mirrored)):
        if found != wanted:
            return f"{found}, not {wanted}"
    return ""


def _texts(left: Inventory, right: Inventory, *, whole: bool) -> dict[str, dict[str, Texts]]:
    found = {}
    for d in compare_objects(left, right, whole_databases=whole):
        told = {c.attribute: (c.left, c.right) for c in d.changes}
        assert (d.status == "equivalent") == (d.key.kind == DATABASE and told.keys() <= AS_MADE), d
        found[str(d.key)] = told or {d.status: (None, None)}
    return found


def test_every_attribute_of_every_kind_is_among_the_changes_or_named_as_out_of_reach() -> None:
    vocabulary = {(kind, name) for kind, names in ATTRIBUTES.items() for name in names}
    vocabulary |= {(COLUMN, name) for name in COLUMN_ATTRIBUTES} | {(DATABASE, name) for name in DATABASE_ATTRIBUTES}
    assert vocabulary - _reached() == OUT_OF_REACH.keys()


def test_every_kind_is_gone_or_new_among_the_changes() -> None:
    told = {kind for kind, attribute in _reached() if attribute in (GONE, NEW)}
    assert told == ATTRIBUTES.keys()


def _reached() -> set[tuple[str, str]]:
    """Kind and attribute of all changes in all files of mutations."""
    named = [(key, attributes) for change in of_most.CHANGES for key, attributes in change.objects.items()]
    named += [(key, attributes) for _, key, attributes in (*of_kinds.changes(), *of_access.changes(18), *of_access.OF_THE_DATABASE) if key]
    named += [(change.key, ", ".join(change.texts)) for change in changes()]
    return {_word(_kind(key), attribute) for key, attributes in named for attribute in attributes.split(", ")}


def _word(kind: str, attribute: str) -> tuple[str, str]:
    last = attribute.rpartition(" ")[2]
    return (COLUMN, last) if attribute.startswith("column ") and last in COLUMN_ATTRIBUTES else (kind, attribute)


def _kind(key: str) -> str:
    return max((kind for kind in (*ATTRIBUTES, DATABASE) if key.startswith(f"{kind} ")), key=len)
