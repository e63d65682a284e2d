"""The incident's record is complete: before and after are compared by SQL alone, and nothing else is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from pgaudit_kit.demo.incident import Incident, play_incident
from pgaudit_kit.demo.rows import SIZES
from pgaudit_kit.errors import OperationError
from pgaudit_kit.records.difference import Change, RowDifference
from pgaudit_kit.records.table_data import TableName
from tests.demo.conftest import Broken

TABLES = (*SIZES, "_prisma_migrations")

# Every kind of object that the sample application has: (kind and name, text of what it is).
CATALOG = r"""
SELECT 'INDEX ' || c.relname, pg_get_indexdef(i.indexrelid) || i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'CONSTRAINT ' || conname, conrelid::regclass || pg_get_constraintdef(oid) || convalidated FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'COLUMN ' || attrelid::regclass || '.' || attname, concat_ws(' | ', attnum, format_type(atttypid, atttypmod), attnotnull,
    attidentity, attgenerated, attcollation, attstorage, attoptions, attacl, attisdropped, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
UNION ALL SELECT 'RELATION ' || relname,
    concat_ws(' | ', relkind, relowner, relacl, reloptions, relpersistence, relrowsecurity, relreplident) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'
UNION ALL SELECT 'VIEW ' || relname, pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
UNION ALL SELECT 'FUNCTION ' || proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'TRIGGER ' || tgname, tgenabled::text || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'TYPE ' || typname, concat_ws(' | ', typtype, typowner, typacl) FROM pg_type WHERE typnamespace = 'public'::regnamespace
UNION ALL SELECT 'LABEL ' || enumtypid::regtype || '.' || enumlabel, enumsortorder::text FROM pg_enum
UNION ALL SELECT 'COMMENT ' || objoid || '.' || objsubid, description FROM pg_description WHERE objoid >= 16384
UNION ALL SELECT 'SEQUENCE ' || seqrelid::regclass, pg_sequence::text FROM pg_sequence
UNION ALL SELECT 'SCHEMA ' || nspname, concat_ws(' | ', nspowner, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL SELECT 'EXTENSION ' || extname, extversion FROM pg_extension
UNION ALL SELECT 'RULE ' || rulename || ' ' || ev_class::regclass, pg_get_ruledef(oid) FROM pg_rewrite
    WHERE ev_class IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
UNION ALL SELECT 'POLICY ' || polname, polrelid::regclass::text FROM pg_policy
UNION ALL SELECT 'SETTING', setconfig::text FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def catalog(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = ''")
        rows = connection.execute(CATALOG.encode()).fetchall()
    found: dict[str, str] = dict(rows)
    assert len(found) == len(rows)
    return found


def differing(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    return {k: (before.get(k), after.get(k)) for k in {**before, **after} if before.get(k) != after.get(k)}


def digests(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    return dict(connection.execute(SQL("SELECT id::text, md5(t::text) FROM {} AS t").format(Identifier(table))).fetchall())


def printed(connection: psycopg.Connection[Any], table: str, key: str) -> dict[str, str | None]:
    query = "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"
    names = [name for (name,) in connection.execute(query, (table,)).fetchall()]
    value = SQL("CASE WHEN {0} IS NOT NULL THEN format('%s', {0}) END")
    values = SQL(", ").join(value.format(Identifier(name)) for name in names)
    row = connection.execute(SQL("SELECT {} FROM {} WHERE id::text = {}").format(values, Identifier(table), key)).fetchone()
    return dict(zip(names, row or (), strict=True))


def differing_rows(before_url: str, after_url: str) -> Iterator[tuple[str, RowDifference]]:
    with psycopg.connect(before_url) as before, psycopg.connect(after_url) as after:
        for table in TABLES:
            for key, (a, b) in differing(digests(before, table), digests(after, table)).items():
                if a is None or b is None:
                    yield table, RowDifference("only_left" if b is None else "only_right", {"id": key})
                    continue
                old, new = printed(before, table, key), printed(after, table, key)
                yield table, RowDifference("changed", {"id": key}, tuple(Change(c, old[c], new[c]) for c in old if old[c] != new[c]))


def comparable(rows: Iterator[tuple[str, RowDifference]]) -> set[tuple[str, str, str | None, tuple[Change, ...]]]:
    return {(table, row.status, row.key["id"], row.columns) for table, row in rows}


def recorded(incident: Incident) -> Iterator[tuple[str, RowDifference]]:
    for name, rows in incident.rows().items():
        assert name.schema == "public"
        for row in rows:
            yield name.name, row


def test_exactly_the_recorded_rows_differ(broken: Broken) -> None:
    found = list(differing_rows(broken.before, broken.after))
    assert comparable(iter(found)) == comparable(recorded(broken.incident))
    assert len(found) == sum(1 for _ in recorded(broken.incident))


def test_exactly_the_recorded_objects_differ(broken: Broken) -> None:
    found = differing(catalog(broken.before), catalog(broken.after))
    index, key, default = broken.incident.index_dropped, broken.incident.foreign_key_dropped, broken.incident.default_changed
    assert set(found) == {
        f"INDEX {index.name}",
        f"CONSTRAINT {key.name}",
        f"COLUMN public.{default.table}.{default.column}",
    }
    assert found[f"INDEX {index.name}"][1] is None
    assert found[f"CONSTRAINT {key.name}"][1] is None
    before, after = found[f"COLUMN public.{default.table}.{default.column}"]
    assert before is not None
    assert after is not None
    assert before.replace(default.before, default.after) == after
    assert default.before != default.after


def test_exactly_the_recorded_sequences_moved(broken: Broken) -> None:
    def states(url: str) -> dict[str, tuple[int, bool]]:
        with psycopg.connect(url) as connection:
            names = connection.execute("SELECT sequencename FROM pg_sequences").fetchall()
            return {n: connection.execute(SQL("SELECT last_value, is_called FROM {}").format(Identifier(n))).fetchone() for (n,) in names}  # type: ignore[misc]

    before, after = states(broken.before), states(broken.after)
    moved = broken.incident.sequences_moved
    assert {n for n in before if before[n] != after[n]} == {m.name for m in moved}
    assert all((m.last_value_before, m.is_called_before) == before[m.name] for m in moved)
    assert all((m.last_value_after, m.is_called_after) == after[m.name] for m in moved)
    assert {m.name: m.why for m in moved} == {"messages_id_seq": "advanced by the added rows", "users_id_seq": "rewound"}


def test_every_kind_of_change_was_played(broken: Broken) -> None:
    incident = broken.incident
    assert len(incident.deleted) == 49
    assert len(incident.added) == 10
    assert {edit.table for edit in incident.edited} == {"users", "messages", "lists", "list_data_rows"}
    assert all(edit.changes for edit in incident.edited)
    inside = [c for e in incident.edited if e.table == "list_data_rows" for c in e.changes if c.attribute == "data"]
    assert [(json.loads(c.left or "")["contact"]["phones"] != json.loads(c.right or "")["contact"]["phones"]) for c in inside] == [True]
    assert (incident.emptied.table, len(incident.emptied.keys)) == ("list_properties", SIZES["list_properties"])
    assert incident.migration_removed.name == "20250804121859_list_overview"
    assert incident.changes == sum(1 for _ in recorded(incident)) + len(incident.objects())


def test_the_trigger_s_own_change_is_in_the_record(broken: Broken) -> None:
    edits = [edit for edit in broken.incident.edited if edit.table == "list_data_rows"]
    assert all("updatedAt" in {change.attribute for change in edit.changes} for edit in edits)
    assert edits


def test_an_unrecorded_change_would_be_found(make_sample: Callable[[int], str], make_database: Callable[..., str]) -> None:
    """The proof above can fail: one byte in one row, and one index, beside the incident."""
    before, after = make_sample(3), make_sample(3)
    incident = play_incident(after, 3)
    with psycopg.connect(after) as connection:
        connection.execute(
            "UPDATE lists SET description = 'x' WHERE id = (SELECT max(id::text) FROM lists WHERE description IS NULL)::uuid"
        )
        connection.execute("CREATE INDEX unrecorded ON lists (name)")
    assert len(comparable(differing_rows(before, after)) - comparable(recorded(incident))) == 1
    assert "INDEX unrecorded" in differing(catalog(before), catalog(after))


@pytest.mark.parametrize("seed", range(3))
def test_the_record_is_complete_for_other_seeds_too(make_sample: Callable[[int], str], seed: int) -> None:
    before, after = make_sample(seed), make_sample(seed)
    incident = play_incident(after, seed)
    assert comparable(differing_rows(before, after)) == comparable(recorded(incident))


def test_the_same_seed_hits_the_same_rows(make_sample: Callable[[int], str]) -> None:
    def without_clock(incident: Incident) -> Incident:
        edits = (replace(e, changes=tuple(c for c in e.changes if c.attribute != "updatedAt")) for e in incident.edited)
        return replace(incident, edited=tuple(edits))

    first, again = (without_clock(play_incident(make_sample(5), 5)) for _ in range(2))
    assert first == again


def test_the_record_is_plain_data(broken: Broken) -> None:
    plain = json.loads(json.dumps(broken.incident.to_dict()))
    assert plain["changes"] == broken.incident.changes
    assert plain["default_changed"]["after"] == "'ADMIN'::public.\"UserRole\""
    assert plain["emptied"]["keys"][:2] == ["1", "2"]


def test_rows_come_by_table_and_in_the_words_of_a_difference(broken: Broken) -> None:
    rows = broken.incident.rows()
    assert list(rows) == sorted(rows)
    assert {r.status for r in rows[TableName("public", "list_properties")]} == {"only_left"}
    assert {r.status for r in rows[TableName("public", "messages")]} == {"only_left", "only_right", "changed"}


def test_a_second_incident_on_the_same_database_changes_nothing(make_sample: Callable[[int], str]) -> None:
    url, before = make_sample(6), make_sample(6)
    incident = play_incident(url, 6)
    with pytest.raises(OperationError, match="nothing was changed"):
        play_incident(url, 99)
    assert comparable(differing_rows(before, url)) == comparable(recorded(incident))
