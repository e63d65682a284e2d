"""Lists four levels deep, as an app of lists has them: backed up, damaged, and brought back to the very same rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.rehearsals.rehearse import rehearse
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.records.verdict import Outcome

# As Prisma writes it: quoted names in two cases, text ids, cascades, and lists, rows and values that have parents of their own kind
SCHEMA = """
CREATE TYPE "PropertyType" AS ENUM ('TEXT', 'NUMBER', 'RELATION', 'LIST');
CREATE TABLE "List" (
    "id" text PRIMARY KEY, "parentId" text REFERENCES "List" ON DELETE CASCADE ON UPDATE CASCADE, "title" text NOT NULL,
    "position" double precision NOT NULL DEFAULT 0, "createdAt" timestamp(3) NOT NULL DEFAULT '2026-01-31 12:00:00.123');
CREATE TABLE "Property" (
    "id" text PRIMARY KEY, "listId" text NOT NULL REFERENCES "List" ON DELETE CASCADE, "type" "PropertyType" NOT NULL,
    "relatesToId" text REFERENCES "Property" ON DELETE SET NULL, "options" jsonb, UNIQUE ("listId", "type", "id"));
CREATE TABLE "Row" (
    "id" text PRIMARY KEY, "listId" text NOT NULL REFERENCES "List" ON DELETE CASCADE, "parentRowId" text,
    "tags" text[] NOT NULL DEFAULT '{}');
ALTER TABLE "Row" ADD CONSTRAINT "Row_parentRowId_fkey" FOREIGN KEY ("parentRowId") REFERENCES "Row" ON DELETE CASCADE
    DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE "Value" (
    "rowId" text NOT NULL REFERENCES "Row" ON DELETE CASCADE, "propertyId" text NOT NULL REFERENCES "Property" ON DELETE CASCADE,
    "index" int NOT NULL, "content" jsonb, "linkedRowId" text REFERENCES "Row" ON DELETE SET NULL,
    PRIMARY KEY ("rowId", "propertyId", "index"));
CREATE INDEX ON "Value" USING gin ("content");
CREATE TABLE "_ListToRow" ("A" text NOT NULL REFERENCES "List" ON DELETE CASCADE, "B" text NOT NULL REFERENCES "Row" ON DELETE CASCADE);
CREATE UNIQUE INDEX "_ListToRow_AB_unique" ON "_ListToRow" ("A", "B");
"""
# A tree of 1 + 4 + 16 + 64 lists; each with 3 properties and 5 rows in a chain of parents, each row with 3 values of two entries
ROWS = """
WITH RECURSIVE tree(id, parent, depth) AS (
    SELECT 'l', NULL::text, 1 UNION ALL SELECT id || '.' || n, id, depth + 1 FROM tree, generate_series(1, 4) n WHERE depth < 4)
INSERT INTO "List" SELECT id, parent, 'list ' || id || E'\\t\\\\ é', depth / 3.0 FROM tree;
INSERT INTO "Property" SELECT l.id || '/p' || n, l.id, (enum_range(NULL::"PropertyType"))[n],
    CASE WHEN l."parentId" IS NOT NULL THEN l."parentId" || '/p' || n END,
    jsonb_build_object('deep', jsonb_build_array(jsonb_build_array(jsonb_build_array(jsonb_build_array(n, NULL, '\\')))))
  FROM "List" l, generate_series(1, 3) n ORDER BY length(l.id);
INSERT INTO "Row" SELECT l.id || '/r' || n, l.id, CASE WHEN n < 5 THEN l.id || '/r' || n + 1 END, ARRAY['a,b', NULL, '"q"']
  FROM "List" l, generate_series(1, 5) n;
INSERT INTO "Value" SELECT r.id, p.id, i, jsonb_build_object('v', i), CASE WHEN i = 1 THEN r."parentRowId" END
  FROM "Row" r JOIN "Property" p USING ("listId"), generate_series(0, 1) i;
INSERT INTO "_ListToRow" SELECT "parentId", "id" || '/r1' FROM "List" WHERE "parentId" IS NOT NULL;
"""
TABLES = {"List": 85, "Property": 255, "Row": 425, "Value": 2550, "_ListToRow": 84}
# What an accident does to it: a branch of the tree goes with all below it, some values change, one list moves
DAMAGE = """
DELETE FROM "List" WHERE "id" = 'l.2';
UPDATE "Value" SET "content" = 'null' WHERE "rowId" = 'l.1.1/r3';
UPDATE "List" SET "parentId" = 'l.3' WHERE "id" = 'l.1.4';
DELETE FROM "Row" WHERE "id" = 'l.4/r3';
"""
_ALL = """SELECT count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C"), '')) FROM "{}" t"""


def content(url: str) -> dict[str, tuple[int, str]]:
    """Count and hash of each table's rows, by plain SQL."""
    with psycopg.connect(url) as connection:
        return {table: connection.execute(_ALL.format(table).encode()).fetchone() for table in TABLES}  # type: ignore[misc]


@pytest.mark.parametrize("dump_format", ["custom", "plain", "directory"])
def test_lists_four_levels_deep_come_back_to_the_very_same_rows(dump_format: str, make_app: Callable[..., str], store: Path) -> None:
    url = make_app("nested", SCHEMA + ROWS)
    before = content(url)
    assert {table: count for table, (count, _) in before.items()} == TABLES
    made = backup(url, store=store, format=dump_format, jobs=2 if dump_format == "directory" else 1)
    assert made.verdict is Outcome.PASSED
    with psycopg.connect(url) as connection:
        connection.execute(DAMAGE.encode())
    damaged = content(url)
    with diff(made.location, url) as lost:
        assert (lost.verdict, {t.name.name for t in lost.table_differences if t.status != "same"}) == ("different", set(TABLES))
        counted = {t.name.name: (t.rows_left, t.rows_right) for t in lost.table_differences}
        assert counted == {table: (before[table][0], damaged[table][0]) for table in TABLES}
        moved = {tuple(dict(r.key).values()): r.status for r in lost.row_result("List").listed if r.status != "only_left"}
        assert moved == {("l.1.4",): "changed"}
    done = restore(made.location, url, confirm=lambda _: True)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert content(url) == before
    with diff(made.location, url) as found:
        assert found.verdict == "same"
    if dump_format == "custom":
        assert rehearse(made.location, "embedded").verdict is Outcome.PASSED
