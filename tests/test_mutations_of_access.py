"""As test_mutations_of_kinds, for privileges, security labels, policies, publications, subscriptions, foreign data and large objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from tests.conftest import Score, missing
from tests.postgres_versions import installation
from tests.test_mutations_of_kinds import GONE, MAJORS, NEW, live, told

BASE = "mutations_of_access"
ROLES = ("access_reader", "access_granter", '"Odd; Role"')
FIRST_WITH_MAINTAIN = 17

FTS = "UPDATE pg_foreign_table SET ftserver = (SELECT oid FROM pg_foreign_server WHERE srvname = 'plain')"
FT, T, SUB, DB = "FOREIGN TABLE k.ft", "TABLE k.t", "SUBSCRIPTION sub", f"DATABASE {BASE}"
POLICY, SRV, FDW = "POLICY k.Pol; 2 on t", "SERVER srv", "FOREIGN DATA WRAPPER fdw"

POLICIES = (
    ('ALTER POLICY "Pol; 2" ON k.t TO access_reader', POLICY, "roles"),
    ('ALTER POLICY "Pol; 2" ON k.t TO PUBLIC', POLICY, "roles"),
    ('ALTER POLICY "Pol; 2" ON k.t USING (id > 4)', POLICY, "using"),
    ('ALTER POLICY "Pol; 2" ON k.t WITH CHECK (a IS NULL)', POLICY, "check"),
    ("UPDATE pg_policy SET polpermissive = true WHERE polname = 'Pol; 2'", POLICY, "restrictive"),
    ("UPDATE pg_policy SET polcmd = 'r' WHERE polname = 'Pol; 2'", POLICY, "command"),
    ("UPDATE pg_policy SET polcmd = '*' WHERE polname = 'Pol; 2'", POLICY, "command"),
    ('COMMENT ON POLICY "Pol; 2" ON k.t IS NULL', POLICY, "comment"),
    ("COMMENT ON POLICY all_of_it ON k.t IS 'c'", "POLICY k.all_of_it on t", "comment"),
    ("DROP POLICY all_of_it ON k.t", "POLICY k.all_of_it on t", GONE),
    ("CREATE POLICY all_of_it ON k.parent", "POLICY k.all_of_it on parent", NEW),
)
REPLICATION = (
    ("ALTER PUBLICATION every_table SET (publish = 'insert')", "PUBLICATION every_table", "publish"),
    ("UPDATE pg_publication SET puballtables = false WHERE pubname = 'every_table'", "PUBLICATION every_table", "all_tables"),
    ("ALTER PUBLICATION some_of SET (publish_via_partition_root = false)", "PUBLICATION some_of", "via_partition_root"),
    ("ALTER PUBLICATION schemas OWNER TO access_granter", "PUBLICATION schemas", "owner"),
    ("COMMENT ON PUBLICATION some_of IS 'other'", "PUBLICATION some_of", "comment"),
    ("DROP PUBLICATION every_table", "PUBLICATION every_table", GONE),
    ("ALTER PUBLICATION some_of SET TABLE k.t (id) WHERE (id > 5)", "PUBLICATION TABLE k.some_of on t", "columns"),
    ("ALTER PUBLICATION some_of SET TABLE k.t WHERE (id > 5)", "PUBLICATION TABLE k.some_of on t", "columns"),
    ('ALTER PUBLICATION some_of SET TABLE k.t (id, "B c") WHERE (id > 6)', "PUBLICATION TABLE k.some_of on t", "where"),
    ('ALTER PUBLICATION some_of SET TABLE k.t (id, "B c")', "PUBLICATION TABLE k.some_of on t", "where"),
    ("ALTER PUBLICATION some_of ADD TABLE k.loose", "PUBLICATION TABLE k.some_of on loose", NEW),
    ("ALTER PUBLICATION schemas ADD TABLES IN SCHEMA other", "PUBLICATION TABLES IN SCHEMA other.schemas", NEW),
    ("ALTER PUBLICATION schemas DROP TABLES IN SCHEMA k", "PUBLICATION TABLES IN SCHEMA k.schemas", GONE),
    ("ALTER SUBSCRIPTION sub SET PUBLICATION x WITH (refresh = false)", SUB, "publications"),
    ("ALTER SUBSCRIPTION sub SET (slot_name = other)", SUB, "slot_name"),
    ("ALTER SUBSCRIPTION sub SET (slot_name = NONE)", SUB, "slot_name"),
    ("ALTER SUBSCRIPTION sub SET (binary = false)", SUB, "binary"),
    ("ALTER SUBSCRIPTION sub SET (streaming = off)", SUB, "streaming"),
    ("ALTER SUBSCRIPTION sub SET (synchronous_commit = off)", SUB, "synchronous_commit"),
    ("ALTER SUBSCRIPTION sub SET (disable_on_error = false)", SUB, "disable_on_error"),
    ("UPDATE pg_subscription SET subtwophasestate = 'd' WHERE subname = 'sub'", SUB, "two_phase"),
    ("UPDATE pg_subscription SET subowner = 'access_granter'::regrole WHERE subname = 'sub'", SUB, "owner"),
    ("COMMENT ON SUBSCRIPTION sub IS NULL", SUB, "comment"),
    ("UPDATE pg_shseclabel SET label = 'x' WHERE classoid = 'pg_subscription'::regclass", SUB, "security_label"),
    ("DELETE FROM pg_subscription WHERE subname = 'bare'", "SUBSCRIPTION bare", GONE),
)
REPLICATION_18 = (
    ("ALTER PUBLICATION schemas SET (publish_generated_columns = stored)", "PUBLICATION schemas", "generated_columns"),
    ("ALTER SUBSCRIPTION sub SET (password_required = false)", SUB, "password_required"),
    ("ALTER SUBSCRIPTION sub SET (run_as_owner = true)", SUB, "run_as_owner"),
    ("ALTER SUBSCRIPTION sub SET (origin = none)", SUB, "origin"),
    ("UPDATE pg_subscription SET subfailover = true WHERE subname = 'sub'", SUB, "failover"),
)
FOREIGN = (
    ("ALTER FOREIGN DATA WRAPPER fdw OPTIONS (SET host 'other')", FDW, "options"),
    ("ALTER FOREIGN DATA WRAPPER fdw OPTIONS (DROP authtype)", FDW, "options"),
    ("UPDATE pg_foreign_data_wrapper SET fdwvalidator = 0 WHERE fdwname = 'validated'", "FOREIGN DATA WRAPPER validated", "validator"),
    ("UPDATE pg_foreign_data_wrapper SET fdwhandler = 0 WHERE fdwname = 'handled'", "FOREIGN DATA WRAPPER handled", "handler"),
    ("ALTER FOREIGN DATA WRAPPER bare OWNER TO access_super", "FOREIGN DATA WRAPPER bare", "owner"),
    ("COMMENT ON FOREIGN DATA WRAPPER fdw IS 'x'", FDW, "comment"),
    ("ALTER SERVER srv VERSION '1.3'", SRV, "server_version"),
    ("UPDATE pg_foreign_server SET srvtype = 'x' WHERE srvname = 'srv'", SRV, "server_type"),
    (
        "UPDATE pg_foreign_server SET srvfdw = (SELECT oid FROM pg_foreign_data_wrapper WHERE fdwname = 'fdw') WHERE srvname = 'srv'",
        SRV,
        "wrapper",
    ),
    ("ALTER SERVER srv OPTIONS (SET dbname 'y')", SRV, "options"),
    ("ALTER SERVER srv OPTIONS (ADD port '5433')", SRV, "options"),
    ("ALTER SERVER plain OWNER TO access_super", "SERVER plain", "owner"),
    ("COMMENT ON SERVER srv IS NULL", SRV, "comment"),
    ("ALTER USER MAPPING FOR postgres SERVER srv OPTIONS (ADD user 'x')", "USER MAPPING postgres on srv", "option_names"),
    ("ALTER USER MAPPING FOR PUBLIC SERVER srv OPTIONS (DROP password)", "USER MAPPING public on srv", "option_names"),
    ("DROP USER MAPPING FOR access_reader SERVER plain", "USER MAPPING access_reader on plain", GONE),
    ("CREATE USER MAPPING FOR access_granter SERVER plain OPTIONS (password 'hidden-new')", "USER MAPPING access_granter on plain", NEW),
    ("ALTER FOREIGN TABLE k.ft OPTIONS (SET schema_name 'z')", FT, "options"),
    ("ALTER FOREIGN TABLE k.ft ALTER x OPTIONS (SET column_name 'z')", FT, "column x foreign_options"),
    ("ALTER FOREIGN TABLE k.ft ALTER z OPTIONS (column_name 'z')", FT, "column z foreign_options"),
    ("ALTER FOREIGN TABLE k.ft ALTER x SET NOT NULL", FT, "column x not_null"),
    ("ALTER FOREIGN TABLE k.ft ALTER id DROP DEFAULT", FT, "column id default"),
    ("ALTER FOREIGN TABLE k.ft ALTER id SET STATISTICS 7", FT, "column id statistics"),
    ("ALTER FOREIGN TABLE k.ft ALTER x TYPE varchar", FT, "column x type"),
    ("ALTER FOREIGN TABLE k.ft DROP z", FT, "column z"),
    ("ALTER FOREIGN TABLE k.ft ADD n date", FT, "column n"),
    ("ALTER FOREIGN TABLE k.ft OWNER TO access_granter", FT, "owner"),
    ("COMMENT ON FOREIGN TABLE k.ft IS 'other'", FT, "comment"),
    ("COMMENT ON COLUMN k.ft.x IS NULL", FT, "column x comment"),
    ("ALTER FOREIGN TABLE k.ft DROP CONSTRAINT positive", "CHECK CONSTRAINT k.positive on ft", GONE),
    (
        f"{FTS} WHERE ftrelid = 'k.ft'::regclass",
        FT,
        "server",
    ),
    ("ALTER FOREIGN TABLE k.child ALTER a DROP NOT NULL", "FOREIGN TABLE k.child", "column a not_null"),
    (
        "ALTER FOREIGN TABLE k.child NO INHERIT k.parent",
        "FOREIGN TABLE k.child",
        "column a type, column b type, inherits",
    ),
    ("DROP TRIGGER on_foreign ON k.ft", "TRIGGER k.on_foreign on ft", GONE),
    ("ALTER TABLE k.parts DETACH PARTITION k.part_1", "FOREIGN TABLE k.part_1", "partition_bound, partition_of"),
    (
        "ALTER TABLE k.parts DETACH PARTITION k.part_1; ALTER TABLE k.parts ATTACH PARTITION k.part_1 FOR VALUES IN (2)",
        "FOREIGN TABLE k.part_1",
        "partition_bound",
    ),
    ("DROP FOREIGN TABLE k.secret", "FOREIGN TABLE k.secret", GONE),
)
LARGE_OBJECTS = (
    ("SELECT lo_create(8)", "BLOB 0..999", "oids, owner"),  # two owners there, so each is said with its numbers
    ("SELECT lo_create(2002)", "BLOB 2000..2999", "acl, oids"),
    ("SELECT lo_create(3000)", "BLOB 3000..3999", NEW),
    ("SELECT lo_unlink(4100000000)", "BLOB 4100000000..4100000999", GONE),
    ("ALTER LARGE OBJECT 5 OWNER TO access_reader", "BLOB 0..999", "owner"),
    ("ALTER LARGE OBJECT 4100000000 OWNER TO access_reader", "BLOB 4100000000..4100000999", "owner"),
    ("GRANT SELECT ON LARGE OBJECT 5 TO access_reader", "BLOB 0..999", "acl"),
    ("REVOKE UPDATE ON LARGE OBJECT 2001 FROM access_reader", "BLOB 2000..2999", "acl"),
    ("COMMENT ON LARGE OBJECT 5 IS '5'", "BLOB 0..999", "5 comment"),
    ("COMMENT ON LARGE OBJECT 2001 IS 'c'", "BLOB 2000..2999", "2001 comment"),
    ("DELETE FROM pg_seclabel WHERE classoid = 'pg_largeobject'::regclass AND provider = 'first'", "BLOB 0..999", "6 security_label"),
)
PRIVILEGES = (
    ("GRANT DELETE ON k.t TO PUBLIC", T, "acl"),
    ("REVOKE SELECT ON k.t FROM PUBLIC", T, "acl, column xmin acl"),  # of a table, that takes those on its columns too
    ("REVOKE INSERT ON k.t FROM access_reader", T, "acl, column k acl"),
    ("REVOKE GRANT OPTION FOR INSERT ON k.t FROM access_reader", T, "acl"),
    ("REVOKE TRUNCATE ON k.t FROM postgres", T, "acl"),
    ('REVOKE ALL ON k.t FROM "Odd; Role"', T, "acl"),
    ("SET LOCAL ROLE access_granter; GRANT UPDATE ON k.t TO access_reader; RESET ROLE", T, "acl"),
    ("GRANT INSERT (id) ON k.t TO access_reader", T, "column id acl"),
    ("REVOKE SELECT (id) ON k.t FROM access_reader", T, "column id acl"),
    ("GRANT SELECT (xmin) ON k.t TO access_reader", T, "column xmin acl"),
    ("GRANT SELECT (cmax) ON k.t TO access_reader", T, "column cmax acl"),
    ("GRANT SELECT (id) ON k.t TO access_reader WITH GRANT OPTION", T, "column id acl"),
    ("ALTER TABLE k.t OWNER TO access_super", T, "owner"),  # its privileges and their grantors go with it
    ("GRANT SELECT ON k.parent TO postgres WITH GRANT OPTION", "TABLE k.parent", "acl"),
    ("GRANT SELECT ON k.parts TO postgres", "TABLE k.parts", "acl"),
    ("GRANT INSERT ON k.v TO PUBLIC", "VIEW k.v", "acl"),
    ("REVOKE SELECT (id) ON k.v FROM PUBLIC", "VIEW k.v", "column id acl"),
    ("GRANT SELECT (a) ON k.v TO PUBLIC", "VIEW k.v", "column a acl"),
    ("REVOKE ALL ON k.mv FROM PUBLIC", "MATERIALIZED VIEW k.mv", "acl"),
    ("GRANT SELECT (a) ON k.mv TO PUBLIC", "MATERIALIZED VIEW k.mv", "column a acl"),
    ("GRANT SELECT (z) ON k.ft TO access_reader", FT, "column z acl"),
    ("REVOKE SELECT ON k.ft FROM PUBLIC", FT, "acl"),
    ("GRANT SELECT ON SEQUENCE k.s TO PUBLIC", "SEQUENCE k.s", "acl"),
    ("GRANT EXECUTE ON FUNCTION k.f TO PUBLIC", "FUNCTION k.f(a integer, VARIADIC b text[])", "acl"),
    ("REVOKE EXECUTE ON FUNCTION k.trg() FROM PUBLIC", "FUNCTION k.trg()", "acl"),
    ("REVOKE EXECUTE ON FUNCTION k.trg() FROM postgres", "FUNCTION k.trg()", "acl"),
    ("GRANT EXECUTE ON PROCEDURE k.p TO PUBLIC", "PROCEDURE k.p(IN a integer)", "acl"),
    ("GRANT EXECUTE ON FUNCTION k.agg0() TO access_reader", "AGGREGATE k.agg0(*)", "acl"),
    ("REVOKE EXECUTE ON FUNCTION k.agg1 FROM access_reader", "AGGREGATE k.agg1(n integer)", "acl"),
    (
        "GRANT EXECUTE ON FUNCTION k.agg2 TO access_granter",
        "AGGREGATE k.agg2(p double precision ORDER BY v double precision)",
        "acl",
    ),
    ("REVOKE USAGE ON TYPE k.e FROM PUBLIC", "TYPE k.e", "acl"),
    ("GRANT USAGE ON DOMAIN k.d TO PUBLIC", "DOMAIN k.d", "acl"),
    ("GRANT CREATE ON SCHEMA k TO PUBLIC", "SCHEMA k", "acl"),
    ("REVOKE USAGE ON SCHEMA k FROM access_granter CASCADE", "SCHEMA k", "acl"),
    ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", "SCHEMA public", "acl"),
    ("REVOKE CREATE ON SCHEMA public FROM access_granter", "SCHEMA public", GONE),
    ("REVOKE USAGE ON LANGUAGE mylang FROM PUBLIC", "PROCEDURAL LANGUAGE mylang", "acl"),
    ("GRANT USAGE ON FOREIGN SERVER plain TO PUBLIC", "SERVER plain", "acl"),
    ("REVOKE USAGE ON FOREIGN DATA WRAPPER fdw FROM access_reader", FDW, "acl"),
    # of what no dump holds
    ("GRANT USAGE ON LANGUAGE plpgsql TO access_reader", "ACL LANGUAGE plpgsql", "acl"),
    ("GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC", "ACL LANGUAGE plpgsql", GONE),
    ("GRANT INSERT ON pg_catalog.pg_authid TO access_reader", "ACL pg_catalog.TABLE pg_authid", "acl"),
    ("GRANT UPDATE (rolname) ON pg_catalog.pg_authid TO access_granter", "ACL pg_catalog.COLUMN pg_authid.rolname", "acl"),
    ("REVOKE EXECUTE ON FUNCTION hstore(text[]) FROM PUBLIC", "ACL public.FUNCTION hstore(text[])", NEW),
    ("REVOKE EXECUTE ON FUNCTION hstore(text, text) FROM access_reader", "ACL public.FUNCTION hstore(text, text)", "acl"),
    ("REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC", "ACL pg_catalog.TABLE pg_class", NEW),
    # in advance
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA k GRANT INSERT ON TABLES TO PUBLIC", "DEFAULT ACL k.TABLES of postgres", "acl"),
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA k GRANT EXECUTE ON FUNCTIONS TO access_reader", "DEFAULT ACL k.FUNCTIONS of postgres", NEW),
    ("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC", "DEFAULT ACL FUNCTIONS of postgres", GONE),
    ("ALTER DEFAULT PRIVILEGES FOR ROLE access_granter GRANT CREATE ON SCHEMAS TO PUBLIC", "DEFAULT ACL SCHEMAS of access_granter", "acl"),
    ("ALTER DEFAULT PRIVILEGES FOR ROLE access_reader GRANT SELECT ON TABLES TO PUBLIC", "DEFAULT ACL TABLES of access_reader", NEW),
)
PRIVILEGES_18 = (
    ("GRANT MAINTAIN ON k.parent TO PUBLIC", "TABLE k.parent", "acl"),
    ('REVOKE MAINTAIN ON k.t FROM "Odd; Role"', T, "acl"),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO PUBLIC", "DEFAULT ACL LARGE OBJECTS of postgres", NEW),
)
LABELLED = {
    "pg_class, 'k.t'::regclass, 0": (T, "security_label"),
    "pg_class, 'k.t'::regclass, 3": (T, "column B c security_label"),
    "pg_class, 'k.v'::regclass, 0": ("VIEW k.v", "security_label"),
    "pg_class, 'k.v'::regclass, 1": ("VIEW k.v", "column id security_label"),
    "pg_class, 'k.mv'::regclass, 0": ("MATERIALIZED VIEW k.mv", "security_label"),
    "pg_class, 'k.ft'::regclass, 0": (FT, "security_label"),
    "pg_class, 'k.s'::regclass, 0": ("SEQUENCE k.s", "security_label"),
    "pg_type, 'k.e'::regtype, 0": ("TYPE k.e", "security_label"),
    "pg_type, 'k.d'::regtype, 0": ("DOMAIN k.d", "security_label"),
    "pg_proc, 'k.f'::regproc, 0": ("FUNCTION k.f(a integer, VARIADIC b text[])", "security_label"),
    "pg_proc, 'k.p'::regproc, 0": ("PROCEDURE k.p(IN a integer)", "security_label"),
    "pg_proc, 'k.agg1'::regproc, 0": ("AGGREGATE k.agg1(n integer)", "security_label"),
    "pg_namespace, 'k'::regnamespace, 0": ("SCHEMA k", "security_label"),
    "pg_language, (SELECT oid FROM pg_language WHERE lanname = 'mylang'), 0": ("PROCEDURAL LANGUAGE mylang", "security_label"),
    "pg_event_trigger, (SELECT oid FROM pg_event_trigger), 0": ("EVENT TRIGGER evt", "security_label"),
    "pg_publication, (SELECT oid FROM pg_publication WHERE pubname = 'schemas'), 0": ("PUBLICATION schemas", "security_label"),
}
# of the database, which a plain dump holds only when made with --create; what only one side says is not compared
OF_THE_DATABASE = (
    (f"ALTER DATABASE {BASE} SET work_mem = '6MB'", DB, "setting work_mem"),
    (f'ALTER DATABASE {BASE} SET search_path = "A b"', DB, "setting search_path"),
    (f"ALTER ROLE access_reader IN DATABASE {BASE} SET application_name = 'c'", DB, "setting application_name of access_reader"),
    (f"ALTER DATABASE {BASE} SET enable_seqscan = off", None, ""),
    (f"ALTER DATABASE {BASE} RESET ALL", None, ""),
    (f"ALTER DATABASE {BASE} CONNECTION LIMIT 51", DB, "connection_limit"),
    (f"COMMENT ON DATABASE {BASE} IS 'other'", DB, "comment"),
    (f"COMMENT ON DATABASE {BASE} IS NULL", None, ""),
    (f"GRANT CREATE ON DATABASE {BASE} TO PUBLIC", DB, "acl"),
    (f"GRANT CONNECT ON DATABASE {BASE} TO PUBLIC", None, ""),  # the default, which is what one without privileges says too
    ("UPDATE pg_shseclabel SET label = 'x' WHERE classoid = 'pg_database'::regclass", DB, "security_label"),
)


def changes(major: int) -> Iterator[tuple[str, str | None, str]]:
    """SQL, the object that it changes (None: nothing is to be said), and its attributes that then differ."""
    yield from (*POLICIES, *REPLICATION, *FOREIGN, *LARGE_OBJECTS, *PRIVILEGES)
    if major >= FIRST_WITH_MAINTAIN:
        yield from (*REPLICATION_18, *PRIVILEGES_18)
    for where, (key, attribute) in LABELLED.items():
        catalog, rest = where.split(", ", 1)
        row = f"(classoid, objoid, objsubid) = ('{catalog}'::regclass, {rest})"
        yield f"UPDATE pg_seclabel SET label = 'it''s' WHERE provider = 'first' AND {row}", key, attribute
        yield f"DELETE FROM pg_seclabel WHERE {row}", key, attribute


@pytest.fixture(scope="module", params=MAJORS)
def base(request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer]) -> Iterator[tuple[int, EmbeddedServer]]:
    """The database that is dumped, on each of the servers."""
    server = server_of(request.param)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for role in ROLES:
            connection.execute(f"CREATE ROLE {role}".encode())
        connection.execute("CREATE ROLE access_super SUPERUSER")
        connection.execute(f"CREATE DATABASE {BASE} TEMPLATE template0".encode())
        for sql in (
            f"ALTER DATABASE {BASE} SET work_mem = '5MB'; ALTER DATABASE {BASE} SET search_path = \"A b\", public",
            f"ALTER DATABASE {BASE} SET app.jwt_secret = 'hidden-7'; ALTER DATABASE {BASE} CONNECTION LIMIT 50",
            f"ALTER ROLE access_reader IN DATABASE {BASE} SET application_name = E'a\\\\b''c'",
            f"COMMENT ON DATABASE {BASE} IS 'the database'; REVOKE CONNECT ON DATABASE {BASE} FROM PUBLIC",
        ):
            connection.execute(sql.encode())
        with psycopg.connect(server.url(BASE), autocommit=True) as made:
            made.execute((Path(__file__).parent / "mutations_of_access.sql").read_bytes())
        yield request.param, server
        with psycopg.connect(server.url(BASE), autocommit=True) as made:
            made.execute("ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub; DROP SUBSCRIPTION bare")
        connection.execute(f"DROP DATABASE {BASE} WITH (FORCE)".encode())
        for role in (*ROLES, "access_super"):
            connection.execute(f"DROP ROLE {role}".encode())


@pytest.fixture(scope="module")
def dumped(base: tuple[int, EmbeddedServer], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inventory]:
    """What the base's dumps say, by format; the plain one is without the database itself."""
    major, server = base
    folder = tmp_path_factory.mktemp("access")
    made = installation(major, missing)
    return {f: read_dump(made.dump(server.url(BASE), folder / f, dump_format=f)).inventory for f in ("plain", "custom")}


def test_the_dumps_say_what_the_database_says(base: tuple[int, EmbeddedServer], dumped: dict[str, Inventory]) -> None:
    major, server = base
    with psycopg.connect(server.url(BASE)) as connection:
        now = live(connection, major, "SELECT 1")
    for inventory in dumped.values():
        assert told(inventory, now) == {}
        assert inventory.unmodelled == now.unmodelled
        assert now.unmodelled == ()
        assert inventory.not_told == frozenset()
        assert len(inventory.objects) == len(now.objects) > 55
        assert "hidden-" not in repr(inventory)
    assert "hidden-" not in repr(now)
    assert (dumped["plain"].database, dumped["custom"].database is None) == (None, False)
    assert dumped["custom"].database is not None
    assert now.database is not None
    assert dict(dumped["custom"].database.attributes) == dict(now.database.attributes)


def test_every_change_is_named_and_nothing_else(base: tuple[int, EmbeddedServer], dumped: dict[str, Inventory], score: Score) -> None:
    major, server = base
    wrong: dict[str, str] = {}
    with psycopg.connect(server.url(BASE)) as connection:
        connection.execute("SET allow_system_table_mods = on")
        connection.commit()
        for sql, key, attributes in changes(major):
            try:
                after = live(connection, major, sql)
            except psycopg.Error as error:
                wrong[sql] = str(error)
                continue
            for form, inventory in dumped.items():
                if why := _misjudged(inventory, after, key, attributes):
                    wrong.setdefault(sql, f"{form}: {why}")
        for sql, key, attributes in OF_THE_DATABASE:
            after = live(connection, major, sql)
            if why := _misjudged(dumped["custom"], after, key, attributes):
                wrong[sql] = why
            if why := _misjudged(dumped["plain"], after, None, ""):
                wrong[sql] = f"plain: {why}"
    made = len([*changes(major)]) + len(OF_THE_DATABASE)
    score.add(made - len(wrong), made)
    assert not wrong, "\n".join(f"{change}\n    {why}" for change, why in wrong.items())


def _misjudged(dump: Inventory, after: Inventory, key: str | None, attributes: str) -> str:
    other = {GONE: NEW, NEW: GONE}
    expected = {} if key is None else {key: attributes}
    mirrored = {} if key is None else {key: other.get(attributes, attributes)}
    for found, wanted in ((told(dump, after), expected), (told(after, dump), mirrored)):
        if found != wanted:
            return f"{found}, not {wanted}"
    return ""
