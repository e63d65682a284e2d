"""About a dump as a file, the tables that it must hold, its age and its size."""

from __future__ import annotations

from pgaudit_kit.records.questions.question import ColumnType, Question

_ROWS: dict[str, ColumnType] = {"table": "text", "status": "text", "rows_left": "count", "rows_right": "count", "reason": "text"}
_ANOTHER = "Do not rely on this file: make a new backup, or take the one before it."

QUESTIONS = (
    Question(
        "dump.complete",
        "Is the file complete and undamaged?",
        proves="The end that pg_dump writes is there, and nothing before it is broken that the format can tell.",
        not_proves="That no byte changed: an uncompressed text has no checksum. A manifest beside it proves that (dump.digest).",
        looks_at="The file, whatever its format; of every entry of its table of contents.",
        remedy=_ANOTHER,
        evidence={"what": "text", "offset": "count", "line": "count", "table": "text", "member": "text"},
    ),
    Question(
        "dump.rows_readable",
        "Can every row in it be read?",
        proves="Every row of every table was unpacked, split and counted to its end.",
        not_proves="That they are the rows that the database had (rows.fingerprint), or that a server takes them (rehearse).",
        looks_at="All data of the dump.",
        remedy=_ANOTHER,
        evidence={"table": "text", "reason": "text"},
    ),
    Question(
        "dump.digest",
        "Is it byte for byte the file that the manifest was written for?",
        proves="Size and SHA-256 are those that were recorded when the backup was verified.",
        not_proves="That the manifest itself is honest: whoever can change both can make them agree.",
        looks_at="The file, and the manifest beside it.",
        remedy="The file changed, or the manifest belongs to another one. " + _ANOTHER,
    ),
    Question(
        "globals.digest",
        "Are roles and tablespaces beside it as they were written?",
        proves="The script of roles and tablespaces has the SHA-256 that the manifest recorded.",
        not_proves="That the roles on a server are the same.",
        looks_at="The .globals.sql beside the dump, when the manifest names one.",
        remedy="Copy it beside the dump again; one that was changed must not be run.",
    ),
    Question(
        "dump.age",
        "Is it young enough?",
        proves="No more time has passed since its snapshot than the RPO allows: rows written before that are in it.",
        not_proves="That it can be restored, or that the rows written since can be had from elsewhere.",
        looks_at="The time in the manifest, else the one in the file, which knows no time zone. Asked when an RPO is set (rpo, --rpo).",
        remedy="Back up now, and find out why no newer backup is there.",
    ),
    Question(
        "dump.size",
        "Is it as large as it should be?",
        proves="It is not smaller than the set size, and not far smaller than the earlier backups of the same kind beside it.",
        not_proves="That the right rows are in it: a table may have been emptied while another grew.",
        looks_at="The manifests of earlier backups of the same database, form and part in its folder; smallest_size and smallest_share.",
        remedy="See what is gone with pgaudit diff. Keep the older backups until you know.",
    ),
    Question(
        "tables.required",
        "Are the required tables there?",
        proves="Each table of the list is in it, with its rows.",
        not_proves="That any row is in them, or that no other table is missing.",
        looks_at="The list given by --require, or required_tables in the settings.",
        remedy="Find out why they were left out (another database, an exclude pattern) and back up again.",
        evidence={"table": "text"},
    ),
    Question(
        "tables.prisma",
        "Is there a table for every model of the Prisma schema?",
        proves="Each model has its table, and each implicit many-to-many relation has its own.",
        not_proves="That the columns are those of the models; pgaudit migrations says which migrations were applied.",
        looks_at="The schema.prisma that the settings name (prisma_schema), or --prisma-schema.",
        remedy="Apply the migrations that are pending, or name the schema.prisma that this database was made by.",
        evidence={"model": "text", "table": "text"},
    ),
    Question(
        "tables.last_backup",
        "Are the tables of the last backup there?",
        proves="No table that the backup before it held is gone.",
        not_proves="That no rows are gone from them.",
        looks_at="The manifest of the newest earlier backup of the same database and part in its folder, when there is one.",
        remedy="If nobody meant to drop them, keep that backup: they can be had from it with pgaudit restore --table.",
        evidence={"table": "text", "rows_before": "count"},
    ),
    Question(
        "rows.count",
        "Does every table hold as many rows?",
        proves="Every table has exactly as many rows on both sides.",
        not_proves="That they are the same rows (rows.fingerprint).",
        looks_at="All tables of both sides.",
        remedy="See which rows with pgaudit diff DUMP TARGET --rows.",
        evidence=_ROWS,
    ),
    Question(
        "rows.fingerprint",
        "Are they the very same rows?",
        proves="The rows of every table are the same as a multiset: 128 bits over every byte of every row.",
        not_proves="The order in which they lie, which SQL does not know.",
        looks_at="All rows of both sides; of a manifest the fingerprints taken in the snapshot that pg_dump used.",
        remedy="See which rows with pgaudit diff DUMP TARGET --rows.",
        evidence=_ROWS,
    ),
    Question(
        "rows.complete",
        "Did the backup see every row, whatever policies hide?",
        proves="Row-level security hid nothing from the role that made the backup.",
        not_proves="What other sessions had not committed by then.",
        looks_at="Of tables with row-level security what the manifest recorded, read under row_security = off. Without one nobody knows.",
        remedy="Back up as a role that bypasses row-level security, without --enable-row-security.",
        evidence={"table": "text", "reason": "text"},
    ),
)
