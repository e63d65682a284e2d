"""Settings that print into rows and that pg_dump does not set: whatever the two sides had, equal values are no difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.difference.printed_types import columns_printed_by
from pgaudit_kit.difference.rescue import Rescue
from pgaudit_kit.difference.rows import RowCounts
from pgaudit_kit.difference.sessions import _TYPES, MONEY, TIME_ZONE
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import QueryFailed, RowsNotAvailable
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import Snapshot, snapshot
from tests.conftest import missing
from tests.postgres_versions import FORMATS, Installation, installation

# What holds a timestamptz, or money, or bytes, or a name, without its type saying so
SCHEMA = r"""
CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN moments AS moment[]; CREATE TYPE "Visit" AS (place text, at moment);
CREATE TYPE stay AS (visit "Visit", paid money); CREATE TYPE span AS RANGE (subtype = moment); CREATE DOMAIN raw AS bytea;
CREATE TYPE packet AS (head raw, body text);
CREATE TABLE above (id int, at moment); CREATE TABLE below (extra text) INHERITS (above); CREATE TABLE typed OF "Visit";
CREATE TABLE zoned (id int PRIMARY KEY, ats timestamptz[], m moments, v "Visit", s stay[], r tstzrange, mr span, a above,
    odd timestamptz(0));
CREATE TABLE paid (id int PRIMARY KEY, m money, ms money[], s stay, note text);
CREATE TABLE bytes (id int PRIMARY KEY, r raw, p packet, ps packet[]);
CREATE TABLE named (id int PRIMARY KEY, c regclass, p regprocedure, ts regtype[], n regnamespace, o regoperator, f regconfig);
CREATE TABLE with_text (id int PRIMARY KEY, at timestamptz DEFAULT '2024-07-01 00:00:00+00', CHECK (at > '2001-01-01 00:00:00+00'));
CREATE TABLE parts (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-07-01 00:00:00+00');
CREATE TABLE plain (id int PRIMARY KEY, clock timetz, ts timestamp, note text);
INSERT INTO above VALUES (1, '2024-01-15 12:00:00+00'); INSERT INTO below VALUES (2, '2024-07-15 12:00:00+00', 'x');
INSERT INTO typed VALUES ('here', '2024-03-31 00:59:59.5+00');
INSERT INTO zoned VALUES (1, '{"2024-01-01 00:00:00+00",NULL,infinity}', '{"1890-06-01 00:00:00+00"}', ('a "b"', '2024-10-27 00:30:00+00'),
    ARRAY[((NULL, '2024-10-27 01:30:00+00')::"Visit", NULL)::stay], '["2024-01-01 00:00:00+00",infinity)', '["2024-06-01 00:00:00+00",)',
    (7, '0044-03-15 12:00:00+00 BC')::above, '12024-01-01 00:00:00+00');
INSERT INTO zoned VALUES (2);
INSERT INTO paid VALUES (1, 1234.56, '{-1234567.89,NULL}', (NULL, 5), 'x'); INSERT INTO paid VALUES (2);
INSERT INTO bytes VALUES (1, '\x00ff5c', ('\xdeadbeef', 'a "b"'), ARRAY[('\x01', 'x')::packet]), (2, 'plain', NULL, NULL);
INSERT INTO named VALUES (1, 'paid', 'now()', '{int4,text,"\"Visit\"",int4[]}', 'public', '+(int4,int4)', 'english');
INSERT INTO named VALUES (2, '0');
INSERT INTO with_text VALUES (1); INSERT INTO parts VALUES ('2024-02-02 00:00:00+00');
INSERT INTO plain VALUES (1, '12:00:00+09', '2024-01-01 00:00:00', '2024-01-01 00:00:00+00');
"""
OTHER = {"TimeZone": "America/St_Johns", "bytea_output": "escape", "lc_monetary": "de_DE.UTF-8", "quote_all_identifiers": "on"}


@dataclass(frozen=True)
class Database:
    url: str
    program: Installation

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def set(self, **settings: str) -> None:
        name = self.url.split("/")[-1].split("?")[0]
        self.run(f"ALTER DATABASE {name} RESET ALL")
        for setting, value in settings.items():
            self.run(f"ALTER DATABASE {name} SET {setting} = '{value}'")

    def dump(self, path: Path, *options: str, dump_format: str = "custom") -> Path:
        return self.program.dump(self.url, path, "--no-sync", *options, dump_format=dump_format)

    def takes(self, setting: str, value: str) -> bool:
        with psycopg.connect(self.url) as connection:
            try:
                connection.execute("SELECT set_config(%s, %s, true)", [setting, value])
            except psycopg.Error:
                return False
        return True


@pytest.fixture
def database(make_database: Callable[..., str]) -> Database:
    made = Database(make_database(), installation(18, missing))
    made.run(SCHEMA)
    return made


def other(database: Database) -> dict[str, str]:
    """OTHER, as far as this machine has the locale."""
    return {name: value for name, value in OTHER.items() if database.takes(name, value)}


def test_the_columns_that_a_setting_prints_are_found_in_whatever_holds_them(database: Database, tmp_path: Path) -> None:
    expected = {
        "above": ("at",),
        "below": ("at",),
        "typed": ("at",),
        "zoned": ("ats", "m", "v", "s", "r", "mr", "a", "odd"),
        "paid": ("s",),
        "with_text": ("at",),
        "parts": ("at",),
        "part_1": ("at",),
    }
    with snapshot(database.url) as live:
        for inventory in (read_dump(database.dump(tmp_path / "d")).inventory, live.inventory):
            found = {name.name: set(columns) for name, columns in columns_printed_by(inventory, _TYPES[TIME_ZONE]).items()}
            assert found == {name: set(columns) for name, columns in expected.items()}
            money = columns_printed_by(inventory, _TYPES[MONEY])
            assert {n.name: c for n, c in money.items()} == {"zoned": ("s",), "paid": ("m", "ms", "s")}


@pytest.mark.parametrize("options", [(), ("--inserts",), ("--data-only",), ("--quote-all-identifiers",)], ids=" ".join)
@pytest.mark.parametrize("there_first", [True, False])
def test_a_dump_under_other_settings_is_the_same(database: Database, tmp_path: Path, options: tuple[str, ...], there_first: bool) -> None:
    settings = other(database)
    database.set(**(settings if there_first else {}))
    path = database.dump(tmp_path / "d", *options)
    database.set(**({} if there_first else settings))
    with diff(path, database.url, data_only="--data-only" in options) as found:
        assert [(str(t.name), t.status, t.reason) for t in found.table_differences] == []
        assert [d for d in found.object_differences if d.status != "equivalent"] == []
        assert found.verdict == "same"
    database.run("UPDATE zoned SET odd = odd + interval '1 s' WHERE id = 1; UPDATE paid SET m = 7 WHERE id = 1")
    database.run("UPDATE named SET c = 'above' WHERE id = 1")
    with diff(path, database.url, data_only="--data-only" in options) as found:
        assert {t.name.name: t.status for t in found.table_differences} == dict.fromkeys(("zoned", "paid", "named"), "different")
        rows = {name: found.row_result(name).listed for name in ("zoned", "paid", "named")}
        assert {name: [c.attribute for r in listed for c in r.columns] for name, listed in rows.items()} == {
            "zoned": ["odd"],
            "paid": ["m"],
            "named": ["c"],
        }


@pytest.mark.parametrize("dump_format", FORMATS)
def test_every_format_shows_what_it_was_printed_with(database: Database, tmp_path: Path, dump_format: str) -> None:
    database.set(**other(database))
    path = database.dump(tmp_path / "d", dump_format=dump_format)
    database.set()
    with diff(path, database.url) as found:
        assert found.verdict == "same", found.to_dict()


def test_two_live_databases_and_a_manifest_are_the_same_under_other_settings(database: Database) -> None:
    database.set(**other(database))
    with snapshot(database.url) as one:
        recorded = take_manifest(one)
        database.set()
        with diff(recorded, database.url) as found:
            assert found.verdict == "same", found.to_dict()
        with diff(one, database.url) as found:
            assert found.verdict == "same", found.to_dict()


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Europe/Amsterdam", "Pacific/Apia", "<+0545>-05:45", "<-0330>+03:30", "America/Nuuk"])
def test_zones_are_found_by_what_they_print(database: Database, tmp_path: Path, zone: str) -> None:
    database.set(TimeZone=zone)
    path = database.dump(tmp_path / "d")
    database.set(TimeZone="Australia/Lord_Howe")
    with diff(path, database.url) as found:
        # 1890 and 44 BC have offsets of local mean time, which a zone of one offset has not
        assert found.verdict == "same", found.to_dict()


def test_a_zone_that_only_later_rows_tell_is_found_all_the_same(database: Database, tmp_path: Path) -> None:
    """The first 20,000 rows are of one winter: UTC prints them as London does. The objects do not tell either."""
    database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.many (id int, at timestamptz)")
    database.run(
        "INSERT INTO public.many SELECT i, timestamptz '2024-01-01 00:00+00' + i * interval '1 min' FROM generate_series(1, 60000) i"
    )
    database.run("INSERT INTO public.many VALUES (0, '2024-07-01 00:00:00+00')")
    database.set(TimeZone="Europe/London")
    path = database.dump(tmp_path / "d", dump_format="plain")
    database.set(TimeZone="UTC")
    with diff(path, database.url) as found:
        assert found.verdict == "same", found.to_dict()
    database.run("UPDATE public.many SET at = at + interval '1 s' WHERE id = 0")
    with diff(path, database.url) as found:
        assert found.verdict == "different"
        assert found.row_result("many").counts.missing == 1


def test_a_zone_that_only_later_rows_tell_is_found_where_it_prints_the_key(database: Database, tmp_path: Path) -> None:
    """A row that changed and whose key is printed alike under both zones says nothing of the others."""
    database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.many (at timestamptz PRIMARY KEY, v int)")
    database.run(
        "INSERT INTO public.many SELECT timestamptz '2024-01-01 00:00+00' + i * interval '1 min', i FROM generate_series(1, 60000) i"
    )
    database.run("INSERT INTO public.many SELECT timestamptz '2024-07-01 00:00+00' + i * interval '1 min', -i FROM generate_series(1, 9) i")
    database.set(TimeZone="Europe/London")
    path = database.dump(tmp_path / "d", dump_format="plain")
    database.set(TimeZone="UTC")
    database.run("UPDATE public.many SET v = 0 WHERE v = 5; DELETE FROM public.many WHERE v = 7")
    with diff(path, database.url) as found:
        assert found.row_result("many").counts == RowCounts(missing=1, changed=1)


def test_a_zone_that_nobody_has_does_not_matter(database: Database, tmp_path: Path) -> None:
    """Rows of two zones in one dump, as nobody prints them: instants are compared."""
    path = tmp_path / "d.sql"
    text = database.dump(path, dump_format="plain").read_text(encoding="utf-8")
    assert "2024-03-31 00:59:59.5+00" in text
    path.write_text(text.replace("2024-03-31 00:59:59.5+00", "2024-03-31 06:44:59.5+05:45"), encoding="utf-8")
    with diff(path, database.url) as found:
        assert {t.name.name: t.status for t in found.table_differences} == {"typed": "equivalent"}
        assert found.verdict == "same"
    path.write_text(text.replace("2024-03-31 00:59:59.5+00", "2024-03-31 06:44:59+05:45"), encoding="utf-8")
    with diff(path, database.url) as found:
        assert {t.name.name: t.status for t in found.table_differences} == {"typed": "different"}
        assert found.rows("typed")["status"].tolist() == ["missing", "extra"] or len(found.row_result("typed").listed) == 2


def test_two_dumps_under_other_time_zones_are_equivalent_and_a_changed_instant_is_named(database: Database, tmp_path: Path) -> None:
    first = database.dump(tmp_path / "1")
    database.set(TimeZone="Asia/Tokyo")
    second = database.dump(tmp_path / "2")
    with diff(first, second, data_only=True) as found:
        assert {t.status for t in found.table_differences} == {"equivalent"}
        assert found.verdict == "same"
    database.run("UPDATE zoned SET r = tstzrange(lower(r) + interval '1 s', NULL) WHERE id = 1")
    with diff(first, database.dump(tmp_path / "3"), data_only=True) as found:
        assert {t.name.name for t in found.table_differences if t.status == "different"} == {"zoned"}
        (row,) = found.row_result("zoned").listed
        assert [(c.attribute, c.left) for c in row.columns] == [("r", '["2024-01-01 00:00:00+00",infinity)')]


def test_two_dumps_with_other_forms_are_not_checked_where_nothing_else_differs(database: Database, tmp_path: Path) -> None:
    first = database.dump(tmp_path / "1")
    database.set(bytea_output="escape", quote_all_identifiers="on")
    second = database.dump(tmp_path / "2")
    with diff(first, second) as found:
        assert {t.name.name: t.status for t in found.table_differences} == {"bytes": "not_checked", "named": "not_checked"}
        assert "bytea_output" in next(t.reason for t in found.table_differences if t.name.name == "bytes")
        assert found.verdict == "not_checked"
    database.run("UPDATE named SET id = 3 WHERE id = 2")
    with diff(first, database.dump(tmp_path / "3")) as found:
        assert {t.name.name: t.status for t in found.table_differences} == {"bytes": "not_checked", "named": "different"}
        assert {r.key["id"] for r in found.row_result("named").listed} == {"2", "3"}


def test_a_manifest_of_another_zone_than_a_dump_is_not_checked(database: Database, tmp_path: Path) -> None:
    with snapshot(database.url) as live:
        recorded = take_manifest(live)
    same = database.dump(tmp_path / "1")
    database.set(TimeZone="Asia/Tokyo")
    elsewhere = database.dump(tmp_path / "2")
    with diff(recorded, same) as found:
        assert found.verdict == "same"
    with diff(recorded, elsewhere, data_only=True) as found:
        assert {t.status for t in found.table_differences} == {"not_checked"}
    database.run("DELETE FROM ONLY above; INSERT INTO above VALUES (1, '2024-01-15 12:00:01+00')")
    database.set()
    with diff(recorded, database.dump(tmp_path / "3"), data_only=True) as found:
        assert {t.name.name: t.status for t in found.table_differences} == {"above": "different"}


def test_money_of_a_locale_that_is_not_here_is_not_checked_and_never_the_same_unseen(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "d.sql"
    text = database.dump(path, dump_format="plain").read_text(encoding="utf-8")
    assert "$1,234.56" in text
    path.write_text(text.replace("$", "₿").replace("\\unrestrict₿", "\\unrestrict$"), encoding="utf-8")
    with diff(path, database.url) as found:
        (table,) = [t for t in found.table_differences if t.name.name == "paid"]
        assert table.status == "not_checked"
        assert "lc_monetary" in table.reason
        assert found.verdict == "not_checked"
        with pytest.raises(RowsNotAvailable, match="read as other amounts"):
            Rescue(found, ["paid"])
    database.run("UPDATE paid SET note = 'y' WHERE id = 1")
    with diff(path, database.url) as found:
        (table,) = [t for t in found.table_differences if t.name.name == "paid"]
        assert table.status == "different"
        (row,) = found.row_result("paid").listed
        assert [c.attribute for c in row.columns] == ["note"]


def test_a_recorded_setting_that_the_server_does_not_take_makes_only_its_own_columns_doubtful(database: Database) -> None:
    with snapshot(database.url) as live:
        recorded = take_manifest(live)
    odd = replace(
        recorded,
        provenance=replace(
            recorded.provenance, settings={**recorded.provenance.settings, "lc_monetary": "no_SUCH", "TimeZone": "No/Where"}
        ),
    )
    with diff(odd, database.url) as found:
        assert found.table_differences == ()  # equal text is equal, whatever it was printed with
    database.run("UPDATE paid SET m = '5' WHERE id = 1; UPDATE plain SET note = 'z'")
    with diff(odd, database.url) as found:
        assert {t.name.name: t.status for t in found.table_differences} == {"paid": "not_checked", "plain": "different"}


@pytest.mark.parametrize(("there", "here"), [("de_DE.UTF-8", "C"), ("C", "de_DE.UTF-8"), ("de_DE.UTF-8", "de_DE.UTF-8")])
def test_money_is_printed_as_the_dump_has_it(database: Database, tmp_path: Path, there: str, here: str) -> None:
    if not database.takes("lc_monetary", "de_DE.UTF-8"):
        missing("the locale de_DE.UTF-8 (localedef -i de_DE -f UTF-8 de_DE.UTF-8)")
    database.set(lc_monetary=there)
    path = database.dump(tmp_path / "d", dump_format="plain")
    assert ("1.234,56 €" in path.read_text(encoding="utf-8")) == (there != "C")
    database.set(lc_monetary=here)
    with snapshot(database.url) as live:
        recorded = take_manifest(live)
    with diff(path, database.url) as found:
        assert found.verdict == "same", found.to_dict()
    with diff(recorded, path) as found:
        assert {t.name.name: t.status for t in found.table_differences} == ({} if there == here else {"paid": "not_checked"})
    database.run("CREATE TABLE before AS TABLE paid; DELETE FROM paid WHERE id = 1")
    with diff(path, database.url, data_only=True) as found:
        database.run("".join(Rescue(found, ["paid"]).script()))
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) FROM (TABLE before EXCEPT TABLE paid) x").fetchone() == (0,)
    database.run("DROP TABLE before")
    database.run("UPDATE paid SET m = m + '0,01' WHERE id = 1" if here != "C" else "UPDATE paid SET m = m + '0.01' WHERE id = 1")
    with diff(path, database.url) as found:
        assert [c.attribute for r in found.row_result("paid").listed for c in r.columns] == ["m"]


def test_constants_in_definitions_tell_too(database: Database, tmp_path: Path) -> None:
    if not database.takes("lc_monetary", "de_DE.UTF-8"):
        missing("the locale de_DE.UTF-8 (localedef -i de_DE -f UTF-8 de_DE.UTF-8)")
    database.run(
        r"DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t (b bytea DEFAULT '\x00ff27', m money DEFAULT 1234.56::money)"
    )
    database.run("CREATE TABLE p (m money DEFAULT '$1,234.56', at timestamptz DEFAULT '2024-07-01 00:00:00+00')")
    database.set(bytea_output="escape", lc_monetary="de_DE.UTF-8", TimeZone="Asia/Tokyo")
    path = database.dump(tmp_path / "d", dump_format="plain")
    assert "09:00:00+09" in path.read_text(encoding="utf-8")
    database.set()
    with diff(path, database.url) as found:
        assert [d for d in found.object_differences if d.status != "equivalent"] == []
        assert found.verdict == "same"
    with diff(path, database.url, schema_only=True) as found:
        assert found.verdict == "same"


@pytest.mark.parametrize("value", ["''", "'{}'", "'{\"\"}'", "NULL"])
def test_no_bytes_at_all_tell_a_form_too(database: Database, tmp_path: Path, value: str) -> None:
    database.run("DROP TABLE bytes; CREATE TABLE bytes (b bytea, bs bytea[])")
    database.run(f"INSERT INTO bytes VALUES (NULL, {value})" if "{" in value else f"INSERT INTO bytes VALUES ({value}, '{{}}')")
    database.set(bytea_output="escape")
    path = database.dump(tmp_path / "d", dump_format="plain")
    database.set()
    with diff(path, database.url) as found:
        assert found.verdict == "same"


def test_floats_of_servers_before_12_have_other_digits(database: Database, tmp_path: Path) -> None:
    database.run("CREATE TABLE measured (id int PRIMARY KEY, f real, note text); INSERT INTO measured VALUES (1, 1.1, 'x')")
    path = tmp_path / "d.sql"
    text = database.dump(path, dump_format="plain").read_text(encoding="utf-8")
    old = text.replace("1\t1.1\tx", "1\t1.10000002\tx").replace("-- Dumped from database version 18", "-- Dumped from database version 11")
    path.write_text(old, encoding="utf-8")
    with diff(path, database.url, data_only=True) as found:
        assert [(t.name.name, t.status) for t in found.table_differences] == [("measured", "not_checked")]
        assert "PostgreSQL 11 or older" in found.table_differences[0].reason


def test_settings_that_are_found_stay_until_the_next(database: Database) -> None:
    with snapshot(database.url) as live:
        assert isinstance(live, Snapshot)
        name = TableName("public", "named")
        before = live.fingerprint(name)
        live.use_setting("quote_all_identifiers", "on")
        assert live.fingerprint(name) != before
        assert b'"paid"' in b"".join(live.row_blocks(name))
        live.use_setting("quote_all_identifiers", "off")
        assert live.fingerprint(name) == before
        with pytest.raises(QueryFailed, match="no_SUCH"):
            live.use_setting("lc_monetary", "no_SUCH")
        values = {(TableName("public", "paid"), "m"): ["$1,234.56"], (TableName("public", "paid"), "ms"): ["{-$1.00,NULL}"]}
        assert live.setting_that_prints("lc_monetary", ["no_SUCH", "C"], values, {}) == "C"
        assert live.setting_that_prints("lc_monetary", ["C"], {(TableName("public", "paid"), "m"): ["€ 1"]}, {}) is None
