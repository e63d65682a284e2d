"""About a backup while it is made."""

from __future__ import annotations

from pgaudit_kit.records.questions.question import Question

QUESTIONS = (
    Question(
        "backup.pg_dump",
        "Is there a pg_dump that fits the server?",
        proves="A pg_dump at least as new as the server was found, with the compression that was asked for.",
        not_proves="That the pg_restore of another machine reads what it writes.",
        looks_at="PGBIN, PATH and the usual folders of this machine.",
        remedy="Install the client programs of the server's version.",
    ),
    Question(
        "backup.direct",
        "Does it talk to the server itself?",
        proves="The server process that answers is the one that the connection was told of.",
        not_proves="That the network between is safe.",
        looks_at="The URL, and the process id that the server tells.",
        remedy="Give the direct URL (DIRECT_URL, port 5432).",
    ),
    Question(
        "backup.readable",
        "May this role read every row?",
        proves="Neither privileges nor row-level security hide any row of the tables chosen.",
        not_proves="What belongs to schemas or tables that were left out.",
        looks_at="Privileges and policies of the live database, for the role that asks.",
        remedy="GRANT what the remedy of the check says, or use a role that may read everything.",
        evidence={"table": "text", "reason": "text"},
    ),
    Question(
        "backup.space",
        "Is there room for it?",
        proves="The store had as much room as the last backup took, or as its tables may need.",
        not_proves="That nothing else fills the disk meanwhile.",
        looks_at="The disk of the store, the last backup, the size of the tables.",
        remedy="Make room in the store (pgaudit prune), or give another one with --store.",
    ),
    Question(
        "backup.standby",
        "Will this standby let a long query end?",
        proves="The settings of the standby do not cancel pg_dump when replay has to wait.",
        not_proves="How far the standby is behind its primary.",
        looks_at="hot_standby_feedback and max_standby_streaming_delay; asked of a standby alone.",
        remedy="Set one of the two, or back up the primary.",
    ),
    Question(
        "backup.locks",
        "Did it get at every table?",
        proves="Every table could be locked for reading, at once or after a wait.",
        not_proves="How long others had to wait for it: ACCESS SHARE stands in the way of ALTER and DROP alone.",
        looks_at="pg_locks when pg_dump begins.",
        remedy="Let that work end, or wait longer (--lock-timeout).",
    ),
    Question(
        "backup.part",
        "Does the dump hold every table that was chosen?",
        proves="What the patterns chose is in the dump.",
        not_proves="That the patterns chose what you meant.",
        looks_at="The catalog of the live database and the dump.",
        remedy="Choose partitions with their table, and tables with what they need.",
        evidence={"object": "text"},
    ),
    Question(
        "backup.globals",
        "Are roles and tablespaces beside it?",
        proves="pg_dumpall wrote roles and tablespaces into a script beside the dump.",
        not_proves="That it holds passwords: only --role-passwords asks for them.",
        looks_at="pg_dumpall --globals-only; asked for with --globals.",
        remedy="Use a role that may read pg_authid, or let passwords be.",
    ),
    Question(
        "backup.size",
        "Is it as large as the recent ones?",
        proves="It is not far smaller than the median of the recent ones of its kind.",
        not_proves="That the right rows are in it.",
        looks_at="The manifests of the store. Of the first backup of its kind it is not asked. smallest_share sets the share, else 0.5.",
        remedy="See what is gone: pgaudit diff LAST_BACKUP TARGET. Keep the older backups until you know.",
    ),
    Question(
        "backup.rows_kept",
        "Has any table lost most of its rows since the last backup?",
        proves="No table has fewer than half the rows of the last backup.",
        not_proves="That they are the same rows, or that small tables (under 100 rows) kept theirs.",
        looks_at="The manifest of the last backup of the same database and part. Rows of partitions count where they were put since.",
        remedy="If nobody meant it, see what is gone (pgaudit diff LAST_BACKUP TARGET --rows) and keep that backup.",
        evidence={"table": "text", "rows_before": "count", "rows": "count"},
    ),
    Question(
        "backup.chunks",
        "Are all chunks in the store, the new ones as they were written?",
        proves="New chunks were read back from the store, and those that were taken over stand in its indexes.",
        not_proves="That the chunks of earlier backups are unharmed: verify --all reads all.",
        looks_at="The packs and indexes of the store, by an incremental backup.",
        remedy="Back up again; with --full-read nothing is taken over from earlier backups.",
    ),
)
