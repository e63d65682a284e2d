"""About a restore into a throwaway server."""

from __future__ import annotations

from pgaudit_kit.records.questions.question import Question

_ANOTHER_SERVER = "Rehearse with a server that has what they need."

QUESTIONS = (
    Question(
        "rehearsal.server",
        "Is there a server to rehearse in?",
        proves="Nothing: it is asked only where there is none that is as new as the dump.",
        not_proves="Anything of the dump.",
        looks_at="The PostgreSQL programs of this machine, and those of the wheel.",
        remedy="Install that PostgreSQL on this machine, or set PGBIN to the folder of its programs.",
    ),
    Question(
        "rehearsal.space",
        "Is there room for the restored database?",
        proves="Nothing: it is asked only where there is not enough room.",
        not_proves="Anything of the dump.",
        looks_at="The disk of the folder for throwaway servers, and the size of the rows.",
        remedy="Give a folder on a larger disk: --folder, or TMPDIR.",
    ),
    Question(
        "rehearsal.extensions",
        "Does the server have every extension?",
        proves="The throwaway server can create every extension of the dump.",
        not_proves="That the server of a restore in earnest can.",
        looks_at="The extensions of the dump and those installed for the server.",
        remedy="Install them for a PostgreSQL of this machine, or rehearse the rest with --skip-missing-extensions.",
        evidence={"extension": "text", "get": "text"},
    ),
    Question(
        "rehearsal.roles",
        "Does the server have the roles, so that owners and privileges can be compared?",
        proves="The roles are there, and owners and privileges were compared.",
        not_proves="That the roles may do there what they may do elsewhere.",
        looks_at="Roles of the dump, and of the server given as TARGET.",
        remedy="Rehearse in a throwaway server, where they are made, or create them on this one.",
    ),
    Question(
        "rehearsal.tablespaces",
        "Does the server have the tablespaces, so that they can be compared?",
        proves="The tablespaces are there, and were compared.",
        not_proves="That they have room on another server.",
        looks_at="Tablespaces of the dump, and of the server given as TARGET.",
        remedy="Rehearse in a throwaway server, where they are made, or create them on this one.",
    ),
    Question(
        "rehearsal.locale",
        "Was it restored with the encoding and the order of text that it had?",
        proves="The database was made with the recorded encoding and locale.",
        not_proves="That the locale has the same version: see collations.version.",
        looks_at="The manifest, or a dump with --create.",
        remedy="Install that locale, or set PGBIN to a PostgreSQL that has it.",
    ),
    Question(
        "rehearsal.compression",
        "Can pg_restore unpack the large objects?",
        proves="Nothing: it is asked only where it cannot.",
        not_proves="Anything of the dump.",
        looks_at="The compression of the archive and the pg_restore at hand.",
        remedy="Set PGBIN to the programs of a PostgreSQL built with it, as those of most distributions are.",
    ),
    Question(
        "rehearsal.load",
        "Does the dump restore without an error?",
        proves="A real server carried out every statement of the dump, or every entry of its table of contents.",
        not_proves="That another server does, which may lack extensions, roles, locales or settings.",
        looks_at="Every message of the server while loading; each is blamed on the backup or on the server.",
        remedy="A restore in earnest would stop there: make a new backup, or repair what the message names.",
        evidence={"what": "text", "message": "text", "sqlstate": "text", "blame": "text"},
    ),
    Question(
        "rehearsal.left_out",
        "Was all of the dump restored?",
        proves="Nothing: it is asked only where something was left out.",
        not_proves="Anything of what was left out.",
        looks_at="What the server lacks, and what depends on that.",
        remedy=_ANOTHER_SERVER,
        evidence={"left_out": "text"},
    ),
    Question(
        "rehearsal.not_told",
        "Does the dump bring owners and privileges back?",
        proves="Nothing: it is asked only where it does not.",
        not_proves="Anything of owners and privileges.",
        looks_at="The manifest, which has them, and the dump, which does not.",
        remedy="Make the backup with owners and privileges (--full), if a restore is to bring them back.",
    ),
    Question(
        "rehearsal.rows",
        "Does the dump hold the rows of its tables?",
        proves="Nothing: it is asked only where it does not.",
        not_proves="Anything of rows that are not in it.",
        looks_at="The tables of the dump without any data.",
        remedy="It was made with --schema-only or --exclude-table-data. Rehearse a dump with all rows to know of those.",
    ),
    Question(
        "rehearsal.amcheck",
        "Are heaps and indexes of the restored database sound?",
        proves="The extension amcheck found no fault in any table or B-tree index of the restored database.",
        not_proves="Anything of the pages of the database that was backed up: a restore builds new ones.",
        looks_at="The restored database, with --amcheck.",
        remedy="A function in an index is not immutable, or that server or its disk is broken; the dump is not to blame.",
    ),
    Question(
        "rehearsal.evidence",
        "Is the result kept beside the backup?",
        proves="Nothing: it is asked only where it could not be written.",
        not_proves="Anything of the dump.",
        looks_at="The folder or URL of the backup.",
        remedy="Make the folder of the backup writable, or say --no-evidence.",
    ),
)
